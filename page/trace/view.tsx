// The trace: everything over time, from the whole to a microsecond, and tables of what the window shows. The fragment holds the window.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type PolicyName, policies } from "../../src/index.js";
import { reportElement, useGiven } from "../report/given.js";
import { OpenTrace } from "../report/open.js";
import { noteRoute } from "../shell/route.js";
import { Chart } from "./chart.js";
import { Overview } from "./overview.js";
import { rowsOf } from "./rows.js";
import { FreesTable, HazardsTable, storySpan } from "./tables.js";
import { length, name } from "./text.js";
import { useSettled } from "./use-settled.js";
import { clamp, pan, type Span, zoom } from "./window.js";

/** The view. */
export function TraceView({ parameters }: { parameters: URLSearchParams }): JSX.Element {
  const given = useGiven();
  const result = given?.result;
  const rows = useMemo(() => result && rowsOf(result), [result]);
  const end = rows?.end ?? 1;
  const [state, setState] = useState(() => read(parameters));
  useEffect(() => setState(read(parameters)), [parameters]);
  const span = clamp(state.span ?? { from: 0, to: end }, end);
  const show = (next: Span, free = state.free): void => {
    setState({ span: next, free });
    const whole = next.from === 0 && next.to === end;
    noteRoute("trace", {
      from: whole ? undefined : Math.floor(next.from),
      to: whole ? undefined : Math.ceil(next.to),
      free,
    });
  };
  const chooses = useRef<(free: number) => void>(() => {});
  const known = result?.frees.length ?? 0;
  const free = state.free !== undefined && state.free < known ? state.free : undefined;
  // They have nothing to do with the window: a step of it does not draw them again.
  const squares = useMemo(
    () => rows && <Squares rows={rows} free={free} onShow={(it) => chooses.current(it)} />,
    [rows, free],
  );
  // Nobody reads the tables while the window moves.
  const settled = useSettled(span, `${span.from} ${span.to}`);
  const shows = useRef<(free: number, span: Span) => void>(() => {});
  const tables = useMemo(() => {
    if (!result) return null;
    const props = { result, span: settled, end, free, onShow: (it: number, to: Span) => shows.current(it, to) };
    return (
      <div class="panels wide-panels">
        <FreesTable {...props} />
        <HazardsTable {...props} />
      </div>
    );
  }, [result, settled, end, free]);
  if (!result || !rows) return <OpenTrace />;
  chooses.current = (it) => show(storySpan(result, it, end), it);
  shows.current = (it, to) => show(to, it);
  const unit = result.trace.timeUnit;
  const middle = (span.from + span.to) / 2;
  const step = (by: 1 | -1): void => {
    const next = Math.max(0, Math.min(result.frees.length - 1, (free ?? (by > 0 ? -1 : result.frees.length)) + by));
    if (result.frees.length > 0) show(storySpan(result, next, end), next);
  };
  return (
    <>
      <p class="said">
        <b>{name(result.trace.name)}</b>: {result.trace.events.toLocaleString("en")} events in{" "}
        {length(result.trace.durationNs, unit)}, {Object.values(result.program.frees).reduce((sum, it) => sum + it, 0)}{" "}
        tables freed
        {result.configuration.workload ? " (drawn, nothing was recorded)" : ""}.{" "}
        {given?.partial !== undefined && <progress value={given.partial} aria-label="Read so far" />}
      </p>
      {reportElement() === null && <OpenTrace compact />}
      {squares}
      <Overview rows={rows} span={span} onSpan={(next) => show(next)} />
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset has a legend that is seen */}
      <div class="stepper" role="group" aria-label="Window of the time line">
        <button type="button" onClick={() => step(-1)} disabled={result.frees.length === 0}>
          ◀ Freed table
        </button>
        <button type="button" class="main" onClick={() => step(1)} disabled={result.frees.length === 0}>
          Freed table ▶
        </button>
        <button type="button" onClick={() => show(zoom(span, 0.5, middle, end))} aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => show(zoom(span, 2, middle, end))} aria-label="Zoom out">
          −
        </button>
        <button type="button" onClick={() => show(pan(span, -0.5, end))} aria-label="Earlier">
          ←
        </button>
        <button type="button" onClick={() => show(pan(span, 0.5, end))} aria-label="Later">
          →
        </button>
        <button
          type="button"
          onClick={() => {
            setState({ span: undefined, free: undefined });
            noteRoute("trace", {});
          }}
        >
          All
        </button>
        <span class="count">{length(span.to - span.from, unit)} shown</span>
      </div>
      <Legend />
      <Chart
        rows={rows}
        span={span}
        unit={unit}
        free={free}
        onSpan={(next) => show(next)}
        onFree={(it) => show(span, it)}
      />
      {tables}
    </>
  );
}

function read(parameters: URLSearchParams): { span: Span | undefined; free: number | undefined } {
  const number = (key: string): number | undefined => {
    const text = parameters.get(key);
    return text !== null && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  };
  const [from, to] = [number("from"), number("to")];
  return { span: from !== undefined && to !== undefined && to > from ? { from, to } : undefined, free: number("free") };
}

/** What a policy is, if it is one of those that have a name. */
function aboutOf(policy: string): string | undefined {
  return Object.hasOwn(policies, policy) ? policies[policy as PolicyName].about : undefined;
}

/** Most squares in a row. */
const SQUARES = 150;

/** The answer first: a square for each freed table, filled where it was walked through. */
function Squares(props: {
  rows: ReturnType<typeof rowsOf>;
  free: number | undefined;
  onShow: (free: number) => void;
}): JSX.Element | null {
  const { rows, free, onShow } = props;
  const total = rows.frees.ns.length;
  if (total === 0) return null;
  const count = Math.min(total, SQUARES);
  const shut = rows.policies.filter(({ walked }) => walked.length === 0).map((policy) => name(policy.name));
  const open = rows.policies.length - shut.length;
  return (
    <>
      <p class={open > 0 ? "answer bad" : "answer good"}>
        {open === 0
          ? "✓ No freed table was walked through under any policy."
          : `● Under ${open} of ${rows.policies.length} policies a device walked through tables that were freed; ${shut.length > 0 ? `not under ${shut.join(", ")}` : "none is without"}.`}
      </p>
      <table class="squares">
        <caption>
          Each square is a freed table; <span class="bad">■</span> a device walked through it afterwards
          {total > count && `; the first ${count} of ${total.toLocaleString("en")}`}
        </caption>
        <tbody>
          {rows.policies.map((policy) => {
            const hit = new Set(policy.walked.map((it) => it.free));
            return (
              <tr key={policy.name}>
                <th scope="row" title={aboutOf(policy.name)}>
                  {name(policy.name)}
                </th>
                <td class={hit.size > 0 ? "bad number" : "good number"}>
                  {hit.size} of {total}
                </td>
                <td class="cells">
                  <span aria-hidden="true">
                    {Array.from({ length: count }, (_, i) => (
                      // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the table below has a button for each
                      <i
                        key={i}
                        class={`${hit.has(i) ? "hit" : ""}${i === free ? " is-chosen" : ""}`}
                        onClick={() => onShow(i)}
                      />
                    ))}
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

function Legend(): JSX.Element {
  return (
    <ul class="keys" aria-label="What the marks mean">
      <li>
        <i class="key flush" /> kernel flush
      </li>
      <li>
        <i class="key freed" /> table freed
      </li>
      <li>
        <i class="key told" /> the IOMMU is told
      </li>
      <li>
        <i class="key held" /> frames held back
      </li>
      <li>
        <i class="key hazard" /> × walk through a freed table
      </li>
    </ul>
  );
}
