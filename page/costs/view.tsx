// Costs: what each policy costs beside what it leaves open, with the model's figures to change in place. The fragment holds what was
// changed.

import { scaleLinear } from "d3-scale";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useGiven } from "../report/given.js";
import { OpenTrace } from "../report/open.js";
import { noteRoute } from "../shell/route.js";
import { length, name } from "../trace/text.js";
import { useWidth } from "../trace/use-width.js";
import {
  type Bill,
  bills,
  type ChargedKind,
  chargedKinds,
  countOf,
  doubt,
  type Figures,
  figuresOf,
  kindNames,
} from "./model.js";

/** The view. */
export function CostsView({ parameters }: { parameters: URLSearchParams }): JSX.Element {
  const result = useGiven()?.result;
  const [changed, setChanged] = useState(() => read(parameters));
  useEffect(() => setChanged(read(parameters)), [parameters]);
  if (!result) return <OpenTrace />;
  const own = figuresOf(result);
  const figures: Figures = { ...own, ...changed };
  const set = (kind: ChargedKind, ns: number | undefined): void => {
    const { [kind]: _, ...others } = changed;
    const next = ns === undefined || ns === own[kind] ? others : { ...others, [kind]: ns };
    setChanged(next);
    noteRoute("costs", Object.fromEntries(Object.entries(next).map(([key, value]) => [key, String(value)])));
  };
  const all = bills(result, figures);
  const model = result.configuration.costModel;
  return (
    <>
      <p class="said">
        {Object.keys(changed).length === 0 ? (
          <>
            By the cost model <b>{name(model.name)}</b>. Change a figure below: the bars follow.
          </>
        ) : (
          <>
            With {Object.keys(changed).length} figures of your own.{" "}
            <button
              type="button"
              onClick={() => {
                setChanged({});
                noteRoute("costs", {});
              }}
            >
              Back to the model's
            </button>
          </>
        )}
      </p>
      <Bars all={all} />
      <section class="panel">
        <h2>Figures</h2>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keyboard too */}
        <section class="scroll" aria-label="Figures of the cost model" tabIndex={0}>
          <table class="figures">
            <thead>
              <tr>
                <th scope="col">what</th>
                <th scope="col">ns each</th>
                <th scope="col">how sure</th>
                {result.policies.map(({ policy }) => (
                  <th scope="col" class="number" key={policy.name}>
                    {name(policy.name)}
                  </th>
                ))}
                <th scope="col">source</th>
              </tr>
            </thead>
            <tbody>
              {chargedKinds.map((kind) => (
                <tr key={kind}>
                  <th scope="row">
                    <i class={`key part ${kind}`} /> {kindNames[kind]}
                  </th>
                  <td>
                    <input
                      type="number"
                      min="0"
                      step="any"
                      aria-label={`${kindNames[kind]}, nanoseconds each`}
                      value={figures[kind]}
                      onInput={(event) => {
                        const { value } = event.currentTarget;
                        const ns = Number(value);
                        set(kind, value === "" || !Number.isFinite(ns) || ns < 0 ? undefined : ns);
                      }}
                    />
                  </td>
                  <td>{model.figures[kind].confidence}</td>
                  {result.policies.map((policy) => (
                    <td class="number" key={policy.policy.name}>
                      {countOf(policy, kind) === 0 ? "" : `× ${countOf(policy, kind).toLocaleString("en")}`}
                    </td>
                  ))}
                  <td class="source">
                    <details>
                      <summary>
                        source<span class="hidden"> of the figure: {kindNames[kind]}</span>
                      </summary>
                      {name(model.figures[kind].source)}
                    </details>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <p class="quiet">
          The whisker is what the total comes to if every figure is off the same way: a verified one by {doubt.verified}{" "}
          times, a reported one by {doubt.reported}, an assumed one by {doubt.assumed}. Of two policies whose whiskers
          overlap nothing is said. Work is added up over CPUs and devices; it is no elapsed time.
        </p>
      </section>
    </>
  );
}

const BAR = 16;
const STEP = 54;
const AXIS = 26;

function Bars({ all }: { all: Bill[] }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const most = Math.max(1, ...all.map((bill) => bill.most));
  const scale = scaleLinear([0, most], [0, Math.max(50, width - 12)]);
  const unit = most >= 2e6 ? { ns: 1e6, name: "ms" } : most >= 2e3 ? { ns: 1e3, name: "µs" } : { ns: 1, name: "ns" };
  const says = all.map(
    ({ name: policy, ns, least, most: top, walks }) =>
      `${name(policy)}: ${length(ns, "ns")}, between ${length(least, "ns")} and ${length(top, "ns")}, ${walks} walks through freed tables`,
  );
  return (
    <div class="bars" ref={box}>
      <svg class="lines" width={width} height={all.length * STEP + AXIS} role="img" aria-label={says.join("; ")}>
        <g class="axis">
          {scale.ticks(Math.max(2, Math.floor(width / 120))).map((tick) => (
            <g key={tick}>
              <path d={`M${scale(tick) + 4} 0V${all.length * STEP + 4}`} />
              <text
                x={scale(tick) + 4}
                y={all.length * STEP + 18}
                text-anchor={tick === 0 ? "start" : scale(tick) + 30 > width ? "end" : "middle"}
              >
                {Number((tick / unit.ns).toPrecision(3))} {unit.name}
              </text>
            </g>
          ))}
        </g>
        {all.map((bill, row) => {
          const y = row * STEP;
          let from = 0;
          return (
            <g key={bill.name}>
              <text class="policy" x={4} y={y + 15}>
                {name(bill.name)}
                <tspan class="price" dx="10">
                  {length(bill.ns, "ns")}
                </tspan>
                <tspan class={bill.walks > 0 ? "open" : "shut"} dx="10">
                  {bill.walks > 0
                    ? `● ${bill.walks.toLocaleString("en")} walks${width < 520 ? "" : " through freed tables"}`
                    : "○ no such walk"}
                </tspan>
              </text>
              {bill.parts.map(({ kind, ns }) => {
                const x = 4 + scale(from);
                from += ns;
                return (
                  <rect key={kind} class={`part ${kind}`} x={x} y={y + 22} width={Math.max(1, scale(ns))} height={BAR}>
                    <title>
                      {kindNames[kind]}: {length(ns, "ns")}
                    </title>
                  </rect>
                );
              })}
              {bill.most > 0 && (
                <path
                  class="whisker"
                  d={`M${4 + scale(bill.least)} ${y + 44}H${4 + scale(bill.most)}M${4 + scale(bill.least)} ${y + 41}v6M${4 + scale(bill.most)} ${y + 41}v6`}
                />
              )}
            </g>
          );
        })}
      </svg>
    </div>
  );
}

function read(parameters: URLSearchParams): Partial<Figures> {
  const given = chargedKinds.flatMap((kind) => {
    const ns = Number(parameters.get(kind) ?? Number.NaN);
    return Number.isFinite(ns) && ns >= 0 && parameters.get(kind) !== "" ? [[kind, ns] as const] : [];
  });
  return Object.fromEntries(given);
}
