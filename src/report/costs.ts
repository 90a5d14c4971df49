// What policies cost: the time that each causes on the IOMMU's side, by kind, after the cost model.

import type { Spec } from "vega";
import type { CostKind } from "../cost/index.js";
import type { PolicyResult, ReplayResult } from "../replay/index.js";
import { type Column, table } from "./blocks.js";
import { AXIS, type Chart, font, ink, label, timeAxis } from "./chart.js";
import { code, count, timeFormat } from "./format.js";
import { html } from "./html.js";

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

/** The chart. */
export function costs(result: ReplayResult): Chart {
  const { figures, name } = result.configuration.costModel;
  const dearest = [...result.policies].sort((a, b) => b.lostNs - a.lostNs)[0];
  const time = timeFormat("ns");
  const text = html`Time that each policy costs, after the cost model ${code(name)}: invalidation descriptors, waits for the queue,
deferred work, upkeep of second roots, and one entry read for each cached entry that an invalidation dropped (refills). Work
is added up over CPUs and devices; it is no elapsed time.
${dearest && dearest.lostNs > 0 && html`Dearest: ${code(dearest.policy.name)} with ${time(dearest.lostNs)}.`}`;
  return {
    id: "costs-chart",
    title: "Cost of each policy, by kind",
    text,
    legend: costParts.filter((part) => result.policies.some((one) => part.of(one, figures) > 0)),
    label: `Stacked bars, one per policy: ${result.policies.map(({ policy, lostNs }) => `${policy.name} ${time(lostNs)}`).join(", ")}.`,
    draw: (width) => spec(result, width),
    data: dataTable(result, figures),
  };
}

function spec(result: ReplayResult, full: number): Spec {
  const { figures } = result.configuration.costModel;
  const right = 75;
  const width = full - right - 5;
  const most = Math.max(1, ...result.policies.map(({ lostNs }) => lostNs));
  const unit = most >= 2e6 ? { name: "ms", ns: 1e6 } : most >= 2e3 ? { name: "µs", ns: 1e3 } : { name: "ns", ns: 1 };
  const step = BAR + BAR_GAP + LABEL;
  const bars = result.policies.flatMap((one, row) => {
    let from = 0;
    return costParts.flatMap((part) => {
      const ns = part.of(one, figures);
      if (ns === 0) return [];
      from += ns;
      return [{ row, part: part.name, from: (from - ns) / unit.ns, to: from / unit.ns }];
    });
  });
  const totals = result.policies.map((one, row) => ({
    row,
    name: label(one.policy.name, full),
    to: one.lostNs / unit.ns,
    text: timeFormat("ns")(one.lostNs),
  }));
  const text = { font: { value: font }, fontSize: { value: 12 }, fill: { value: ink } };
  return {
    width,
    height: step * result.policies.length,
    // Vega can only guess how wide texts are: the room for them is set here.
    padding: { left: 5, right, top: 4, bottom: AXIS },
    autosize: "none",
    data: [
      { name: "bars", values: bars },
      { name: "totals", values: totals },
    ],
    scales: [
      { name: "time", type: "linear", domain: [0, most / unit.ns], range: [0, width] },
      {
        name: "part",
        type: "ordinal",
        domain: costParts.map(({ name }) => name),
        range: costParts.map(({ colour }) => `var(--${colour})`),
      },
    ],
    axes: [timeAxis(`time, ${unit.name}`, full)],
    marks: [
      {
        type: "rect",
        aria: false,
        from: { data: "bars" },
        encode: {
          update: {
            y: { signal: `datum.row * ${step} + ${LABEL}` },
            height: { value: BAR },
            x: { scale: "time", field: "from" },
            x2: { signal: "max(scale('time', datum.to), scale('time', datum.from) + 1.5)" },
            fill: { scale: "part", field: "part" },
            stroke: { value: "var(--paper)" },
            strokeWidth: { value: 1 },
          },
        },
      },
      {
        type: "text",
        aria: false,
        from: { data: "totals" },
        encode: {
          update: { ...text, y: { signal: `datum.row * ${step} + 12` }, text: { field: "name" } },
        },
      },
      {
        type: "text",
        aria: false,
        from: { data: "totals" },
        encode: {
          update: {
            ...text,
            y: { signal: `datum.row * ${step} + ${LABEL + BAR / 2}` },
            x: { signal: "scale('time', datum.to) + 6" },
            baseline: { value: "middle" },
            text: { field: "text" },
          },
        },
      },
    ],
  };
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
