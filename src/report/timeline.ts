// The time line: small charts one below the other over the same time, one for each thing that happens in a trace and for
// what each policy makes of it.

import type { Mark, Spec } from "vega";
import type { PolicyResult, ReplayResult } from "../replay/index.js";
import { type Column, table } from "./blocks.js";
import { AXIS, type Chart, faint, font, ink, label, timeAxis, WIDE } from "./chart.js";
import { code, count, type TimeFormat, timeFormat } from "./format.js";
import { html } from "./html.js";

/** Most bins drawn: a bar must stay visible. */
const BINS_WIDE = 160;
const BINS_NARROW = 64;
/** Height of a row with bars, and of one without; above each its name. */
const ROW = 40;
const EMPTY = 4;
const GAP = 22;
const SIDE = 10;

interface Row {
  /** What kind of thing: empty for what the trace says itself. */
  readonly group: string;
  /** The same where there is little room. */
  readonly short: string;
  readonly name: string;
  readonly values: readonly number[];
  readonly colour: string;
  /** Rows with the same scale share their maximum. */
  readonly scale: string;
  /** How bins are joined: counts add up, of levels the highest counts. */
  readonly join: "sum" | "most";
}

/** The chart. */
export function timeline(result: ReplayResult): Chart {
  const rows = rowsOf(result);
  const time = timeFormat(result.trace.timeUnit);
  const { binNs } = result.timeline;
  const factor = Math.max(1, Math.ceil(result.timeline.bins / BINS_WIDE));
  const quiet = result.policies.filter(({ hazards }) => hazards.total === 0).map(({ policy }) => policy.name);
  const text = html`Time runs to the right; a bar is what happened in ${time(binNs * factor)}. Every row says its highest bar.
Rows of invalidations share one scale, and so do rows of walks through freed tables.
${quiet.length > 0 && html`No such walk in this replay under ${quiet.join(", ")}: they have no row of those.`}`;
  return {
    id: "timeline-chart",
    title: "Flushes, frees and invalidations over time",
    text,
    label: `Bar charts over ${time(result.trace.durationNs)} of trace: ${rows.map((row) => `${row.group} ${row.name}`).join("; ")}. The table below has the figures.`,
    draw: (width) => spec(rows, result, width),
    data: dataTable(rows, result, factor, time),
  };
}

function rowsOf({ timeline: bins, policies }: ReplayResult): Row[] {
  const trace = { group: "", short: "", join: "sum" } as const;
  const of =
    (group: string, short: string, scale: string, colour: string, join: Row["join"]) =>
    (one: PolicyResult, key: Key) => ({
      group,
      short,
      name: one.policy.name,
      values: one.timeline[key],
      colour,
      scale,
      join,
    });
  type Key = "invalidations" | "hazards" | "framesHeld";
  const invalidations = of("IOMMU invalidations", "invalidations", "invalidations", "var(--c1)", "sum");
  const hazards = of("walks through freed tables", "walks", "hazards", "var(--hazard)", "sum");
  const held = of("frames held back", "held", "held", "var(--c4)", "most");
  return [
    { ...trace, name: "kernel flushes", values: bins.kernelFlushes, colour: "var(--ink)", scale: "flushes" },
    { ...trace, name: "table frees", values: bins.frees, colour: "var(--c2)", scale: "frees" },
    ...policies.map((one) => invalidations(one, "invalidations")),
    ...policies.filter((one) => one.timeline.hazards.some(Boolean)).map((one) => hazards(one, "hazards")),
    ...policies.filter((one) => one.timeline.framesHeld.some(Boolean)).map((one) => held(one, "framesHeld")),
  ];
}

function joined({ values, join }: Row, factor: number): number[] {
  return Array.from({ length: Math.ceil(values.length / factor) }, (_, i) => {
    const part = values.slice(i * factor, (i + 1) * factor);
    return join === "sum" ? part.reduce((sum, value) => sum + value, 0) : Math.max(...part);
  });
}

function spec(rows: readonly Row[], result: ReplayResult, full: number): Spec {
  const { bins, binNs } = result.timeline;
  const factor = Math.max(1, Math.ceil(bins / (full === WIDE ? BINS_WIDE : BINS_NARROW)));
  const width = full - 2 * SIDE;
  const drawn = rows.map((row) => ({ ...row, values: joined(row, factor) }));
  const most = new Map<string, number>();
  for (const { scale, values } of drawn) most.set(scale, Math.max(most.get(scale) ?? 1, ...values));
  const unit = unitOf(bins * binNs, result.trace.timeUnit);
  const end = (bins * binNs) / unit.ns;
  const heights = drawn.map(({ values }) => GAP + (values.some((value) => value > 0) ? ROW : EMPTY));
  const top = (row: number): number => heights.slice(0, row).reduce((sum, height) => sum + height, 0);
  return {
    width,
    height: top(rows.length),
    // Vega can only guess how wide texts are: the room for them is set here.
    padding: { left: SIDE, right: SIDE, top: 4, bottom: AXIS },
    autosize: "none",
    scales: [{ name: "time", type: "linear", domain: [0, end], range: [0, width] }],
    axes: [timeAxis(`time from the first event, ${unit.name}`, full)],
    marks: drawn.map((row, i) => rowMark(row, top(i), most.get(row.scale)!, (factor * binNs) / unit.ns, end, width)),
  };
}

function rowMark(row: Row, top: number, most: number, step: number, end: number, width: number): Mark {
  const values = row.values.flatMap((value, bin) =>
    value > 0 ? [{ from: bin * step, to: Math.min(end, (bin + 1) * step), value }] : [],
  );
  const highest = Math.max(0, ...row.values);
  const height = highest > 0 ? ROW : EMPTY;
  const group = width < WIDE / 2 ? row.short : row.group;
  const text = (value: string, x: number, align: "left" | "right"): Mark => ({
    type: "text",
    aria: false,
    encode: {
      update: {
        x: { value: x },
        y: { value: -5 },
        align: { value: align },
        text: { value },
        fill: { value: ink },
        font: { value: font },
        fontSize: { value: 12 },
      },
    },
  });
  return {
    type: "group",
    aria: false,
    encode: { update: { y: { value: top + GAP }, width: { value: width }, height: { value: height } } },
    data: [{ name: "bars", values }],
    scales: [{ name: "height", type: "linear", domain: [0, most], range: [height, 0] }],
    marks: [
      {
        type: "rule",
        aria: false,
        encode: { update: { y: { value: height }, x2: { value: width }, stroke: { value: faint } } },
      },
      {
        type: "rect",
        aria: false,
        from: { data: "bars" },
        encode: {
          update: {
            x: { scale: "time", field: "from" },
            // A bar is at least as wide and as high as an eye needs.
            width: { signal: "max(1.5, scale('time', datum.to) - scale('time', datum.from) - 0.5)" },
            y: { signal: "min(scale('height', datum.value), scale('height', 0) - 2)" },
            y2: { value: height },
            fill: { value: row.colour },
          },
        },
      },
      text(label(`${group && `${group}: `}${row.name}`, width), 0, "left"),
      text(highest === 0 ? "none" : `most ${count(highest)}`, width, "right"),
    ],
  };
}

function unitOf(ns: number, unit: "ns" | "ticks"): { name: string; ns: number } {
  if (unit === "ticks") return { name: "ticks", ns: 1 };
  if (ns >= 2e9) return { name: "s", ns: 1e9 };
  return ns >= 2e6 ? { name: "ms", ns: 1e6 } : { name: "µs", ns: 1e3 };
}

function dataTable(rows: readonly Row[], { timeline: { binNs } }: ReplayResult, factor: number, time: TimeFormat) {
  const series = rows.map((row) => joined(row, factor));
  const bins = (series[0] ?? []).map((_, bin) => bin).filter((bin) => series.some((values) => values[bin]! > 0));
  const columns: Column<number>[] = [
    { head: "from", kind: "name", cell: (bin) => time(bin * binNs * factor) },
    ...rows.map(
      (row, i): Column<number> => ({
        head: row.group === "" ? row.name : html`${row.group}, ${code(row.name)}`,
        kind: "figure",
        cell: (bin) => count(series[i]![bin]!),
      }),
    ),
  ];
  return html`<p>Each line is ${time(binNs * factor)} from its time on; times in which nothing happened are left out.</p>
${table("Flushes, frees and invalidations over time", columns, bins)}`;
}
