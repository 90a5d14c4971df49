// What policies cost: the time that each causes on the IOMMU's side, by kind, after the cost model.

import type { CostKind } from "../cost/index.js";
import type { PolicyResult, ReplayResult } from "../replay/index.js";
import { type Column, table } from "./blocks.js";
import { axis, box, type Chart, type Drawing, text } from "./chart.js";
import { code, count, timeFormat } from "./format.js";
import { html } from "./html.js";
import { scaleTo, unitOf } from "./scale.js";

interface Part {
  readonly name: string;
  /** Name of a colour of the style sheet. */
  readonly colour: string;
  /** ns */
  readonly of: (result: PolicyResult, figures: ReplayResult["configuration"]["costModel"]["figures"]) => number;
}

const sum = (kinds: readonly CostKind[]) => (result: PolicyResult) =>
  kinds.reduce((ns, kind) => ns + result.cost.byKind[kind].ns, 0);

/** Parts of `PolicyResult.lostNs`: their sum is that. */
export const costParts: readonly Part[] = [
  {
    name: "IOTLB descriptors",
    colour: "c1",
    of: sum(["iotlbPageInvalidation", "iotlbPasidInvalidation", "iotlbGlobalInvalidation"]),
  },
  {
    name: "other descriptors",
    colour: "c2",
    of: sum(["pasidCacheInvalidation", "deviceTlbInvalidation"]),
  },
  { name: "waits for the queue", colour: "c3", of: sum(["queueWait"]) },
  { name: "deferred work", colour: "c4", of: sum(["workRun"]) },
  { name: "second roots", colour: "c5", of: sum(["rootSync"]) },
  {
    name: "refills",
    colour: "c6",
    of: (result, figures) => result.refills * figures.iommuEntryRead.ns,
  },
];

const BAR = 22;
const BAR_GAP = 12;
const LABEL = 17;
const LEFT = 5;
const RIGHT = 75;
const TOP = 4;

/** The chart. */
export function costs(result: ReplayResult): Chart {
  const { figures, name } = result.configuration.costModel;
  const dearest = [...result.policies].sort((a, b) => b.lostNs - a.lostNs)[0];
  const time = timeFormat("ns");
  const words = html`Time that each policy costs, after the cost model ${code(name)}: invalidation descriptors, waits for the queue,
deferred work, upkeep of second roots, and one entry read for each cached entry that an invalidation dropped (refills). Work
is added up over CPUs and devices; it is no elapsed time.
${dearest && dearest.lostNs > 0 && html`Dearest: ${code(dearest.policy.name)} with ${time(dearest.lostNs)}.`}`;
  return {
    id: "costs-chart",
    title: "Cost of each policy, by kind",
    text: words,
    legend: costParts.filter((part) => result.policies.some((one) => part.of(one, figures) > 0)),
    label: `Stacked bars, one per policy: ${result.policies.map(({ policy, lostNs }) => `${policy.name} ${time(lostNs)}`).join(", ")}.`,
    draw: (width) => draw(result, width),
    data: dataTable(result, figures),
  };
}

function draw(result: ReplayResult, full: number): Drawing {
  const { figures } = result.configuration.costModel;
  const width = full - LEFT - RIGHT;
  const most = Math.max(1, ...result.policies.map(({ lostNs }) => lostNs));
  const unit = unitOf(most);
  const scale = scaleTo(most / unit.ns, width);
  const step = BAR + BAR_GAP + LABEL;
  const marks = result.policies.map((one, row) => {
    const top = TOP + row * step;
    let from = 0;
    const bars = costParts.flatMap((part) => {
      const ns = part.of(one, figures);
      if (ns === 0) return [];
      const [left, right] = [scale.at(from / unit.ns), scale.at((from + ns) / unit.ns)];
      from += ns;
      return [box(LEFT + left, top + LABEL, Math.max(1.5, right - left - 0.5), BAR, `var(--${part.colour})`)];
    });
    const end = LEFT + scale.at(one.lostNs / unit.ns) + 6;
    return [
      text(one.policy.name, { x: LEFT, y: top + 12, room: full }),
      ...bars,
      text(timeFormat("ns")(one.lostNs), { x: end, y: top + LABEL + BAR / 2 + 4, room: RIGHT + 20 }),
    ];
  });
  const top = TOP + step * result.policies.length;
  const below = axis(`time, ${unit.name}`, scale, { left: LEFT, top, width });
  return { height: top + below.height, marks: [...marks, below.marks] };
}

function dataTable(result: ReplayResult, figures: ReplayResult["configuration"]["costModel"]["figures"]) {
  const time = timeFormat("ns");
  const columns: Column<PolicyResult>[] = [
    { head: "policy", kind: "name", cell: ({ policy }) => code(policy.name) },
    ...costParts.map(
      (part): Column<PolicyResult> => ({
        head: part.name,
        kind: "figure",
        cell: (one) => time(part.of(one, figures)),
      }),
    ),
    { head: "in all", kind: "figure", cell: ({ lostNs }) => time(lostNs) },
  ];
  const counted: Column<PolicyResult>[] = [
    { head: "policy", kind: "name", cell: ({ policy }) => code(policy.name) },
    ...(Object.keys(figures) as CostKind[]).map(
      (kind): Column<PolicyResult> => ({
        head: code(kind),
        kind: "figure",
        cell: ({ cost }) => count(cost.byKind[kind].count),
      }),
    ),
  ];
  return html`${table("Cost of each policy by kind", columns, result.policies)}
<p>How often each thing of the cost model happened, the CPUs' side included:</p>
${table("Counts of the cost model, by policy", counted, result.policies)}`;
}
