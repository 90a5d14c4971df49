// What lies in the part of the time that is shown, as tables: freed tables and walks through them, each with its way to the story, to its
// line in the trace and to its place in the time line.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { type PolicyName, policies } from "../../src/index.js";
import type { ReportData } from "../../src/report/data.js";
import { scenarioNames } from "../../src/verdicts/index.js";
import { cellParameters } from "../search/cell.js";
import { routeText } from "../shell/route.js";
import { clock, length, name, tableName } from "./text.js";
import { around, type Span } from "./window.js";

type Result = ReportData["result"];

/** Rows that stand there at first. */
const FIRST = 12;

interface TableProps {
  result: Result;
  span: Span;
  end: number;
  free: number | undefined;
  onShow: (free: number, span: Span) => void;
}

/** The way to the story of a site under a policy; nothing for policies and sites that have none. */
export function storyOf(result: Result, policy: string, site: string | undefined): string | undefined {
  const scenario = scenarioNames.find((it) => it === site);
  if (!scenario || !Object.hasOwn(policies, policy)) return undefined;
  const kernel = result.configuration.kernel.version;
  const cell = { agent: "iommu", changes: [], cpu: undefined, kernel, policy: policy as PolicyName, scenario } as const;
  return routeText("story", cellParameters(cell));
}

/** From a little before a free and its flush to a little after the last walk through it. */
export function storySpan(result: Result, free: number, end: number): Span {
  const { timeNs, flushTimeNs = timeNs } = result.frees[free]!;
  const last = result.policies.flatMap(({ hazards }) =>
    hazards.byFree.flatMap((row) =>
      row.free === free ? [timeNs + row.firstAfterNs, timeNs + Math.min(row.lastAfterNs, NEAR)] : [],
    ),
  );
  const times = [timeNs, flushTimeNs, timeNs + result.configuration.workDelayNs, ...last];
  return around(Math.min(...times), Math.max(...times), end);
}

/** What of a walk is shown with its free: some such walks come seconds later. */
const NEAR = 150_000;

/** Freed tables in the span. */
export function FreesTable({ result, span, end, free, onShow }: TableProps): JSX.Element {
  const [all, setAll] = useState(false);
  const unit = result.trace.timeUnit;
  const rows = result.frees.filter(({ timeNs }) => timeNs >= span.from && timeNs <= span.to);
  const shown = all ? rows : rows.slice(0, FIRST);
  // The same for every window.
  const hits = useMemo(
    () =>
      result.policies.map(({ policy, hazards }) => ({
        policy: policy.name,
        byFree: new Map(hazards.byFree.map((row) => [row.free, row.total])),
      })),
    [result],
  );
  return (
    <section class="panel">
      <h2>
        {rows.length.toLocaleString("en")} {rows.length === 1 ? "table" : "tables"} freed in this window
      </h2>
      <Scroll label="Freed tables in this window">
        <thead>
          <tr>
            <th scope="col">when</th>
            <th scope="col">which</th>
            <th scope="col">its flush</th>
            <th scope="col">walked through under</th>
            <th scope="col" class="number">
              line
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((it) => {
            const under = hits.filter(({ byFree }) => byFree.has(it.index));
            return (
              <tr key={it.index} class={it.index === free ? "is-chosen" : ""}>
                <td class="number">
                  <button
                    type="button"
                    aria-pressed={it.index === free}
                    onClick={() => onShow(it.index, storySpan(result, it.index, end))}
                  >
                    {clock(it.timeNs, Math.min(span.to - span.from, 1e7), unit)}
                  </button>
                </td>
                <td>
                  {tableName(it.level)} of <span class="mono">{it.address}</span>
                  <br />
                  <small>{name(it.site)}</small>
                </td>
                <td class={it.flushTimeNs === undefined || it.beforeFlush ? "bad" : ""}>
                  {it.flushTimeNs === undefined
                    ? "none"
                    : `${length(Math.abs(it.timeNs - it.flushTimeNs), unit)} ${it.beforeFlush ? "LATER" : "earlier"}`}
                </td>
                <td>
                  {under.length === 0 && <span class="good">no policy</span>}
                  {under.map(({ policy, byFree }) => (
                    <Door key={policy} href={storyOf(result, policy, it.modelSite)}>
                      ● {name(policy)} <small>{byFree.get(it.index)?.toLocaleString("en")} walks</small>
                    </Door>
                  ))}
                </td>
                <td class="number">{it.line.toLocaleString("en")}</td>
              </tr>
            );
          })}
        </tbody>
      </Scroll>
      <More shown={shown.length} total={rows.length} onAll={() => setAll(true)} />
    </section>
  );
}

/** Walks on record in the span. */
export function HazardsTable({ result, span, end, free, onShow }: TableProps): JSX.Element {
  const [all, setAll] = useState(false);
  const unit = result.trace.timeUnit;
  const everything = useMemo(
    () =>
      result.policies
        .flatMap(({ policy, hazards }) => hazards.records.map((record) => ({ policy: policy.name, record })))
        .sort((a, b) => a.record.time - b.record.time),
    [result],
  );
  const rows = everything.filter(
    ({ record }) => record.time >= span.from && record.time <= span.to && (free === undefined || record.free === free),
  );
  const shown = all ? rows : rows.slice(0, FIRST);
  return (
    <section class="panel">
      <h2>
        {rows.length.toLocaleString("en")} {rows.length === 1 ? "walk" : "walks"} on record
        {free === undefined ? " in this window" : ` through table ${free}`}
      </h2>
      <Scroll label="Walks through freed tables in this window">
        <thead>
          <tr>
            <th scope="col">when</th>
            <th scope="col">after the free</th>
            <th scope="col">under</th>
            <th scope="col">who, what</th>
            <th scope="col">the frame is now</th>
            <th scope="col">so</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ policy, record }, i) => {
            const freed = record.free === undefined ? undefined : result.frees[record.free];
            return (
              <tr key={i}>
                <td class="number">
                  {record.free === undefined || !freed ? (
                    clock(record.time, Math.min(span.to - span.from, 1e7), unit)
                  ) : (
                    <button type="button" onClick={() => onShow(record.free!, storySpan(result, record.free!, end))}>
                      {clock(record.time, Math.min(span.to - span.from, 1e7), unit)}
                    </button>
                  )}
                </td>
                <td class="number">{freed ? length(Math.max(0, record.time - freed.timeNs), unit) : "-"}</td>
                <td>
                  <Door href={storyOf(result, policy, record.site)}>{name(policy)}</Door>
                </td>
                <td>
                  {name(record.who)} {record.access & 1 ? "writes" : "reads"} <span class="mono">{record.address}</span>
                </td>
                <td>{record.state === "data" ? "someone's data" : record.state}</td>
                <td class="kinds">
                  {record.kinds.map((kind) => (
                    <span key={kind}>{kind}</span>
                  ))}
                </td>
              </tr>
            );
          })}
        </tbody>
      </Scroll>
      <More shown={shown.length} total={rows.length} onAll={() => setAll(true)} />
      <p class="quiet">
        Of each freed table the first three walks under a policy are on record; the marks above are all of them.
      </p>
    </section>
  );
}

function Door(props: { href: string | undefined; children: preact.ComponentChildren }): JSX.Element {
  const { href, children } = props;
  return href === undefined ? (
    <span class="way">{children}</span>
  ) : (
    <a class="way" href={href} title="How it comes to that: the story">
      {children}
    </a>
  );
}

function Scroll(props: { label: string; children: preact.ComponentChildren }): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keyboard too
    <section class="scroll" aria-label={props.label} tabIndex={0}>
      <table class="events">{props.children}</table>
    </section>
  );
}

function More(props: { shown: number; total: number; onAll: () => void }): JSX.Element | null {
  const { shown, total, onAll } = props;
  if (shown === total) return null;
  return (
    <button type="button" onClick={onAll}>
      Show all {total.toLocaleString("en")}
    </button>
  );
}
