// The time line: small charts one below the other over the same time, one for each thing that happens in a trace and for
// what each policy makes of it.

import type { PolicyResult, ReplayResult } from "../replay/index.js";
import { type Column, table } from "./blocks.js";
import { axis, barsFrom, type Chart, type Drawing, rule, text, WIDE } from "./chart.js";
import { code, count, type TimeFormat, timeFormat } from "./format.js";
import { html } from "./html.js";
import { type Scale, scaleTo, unitOf } from "./scale.js";

/** Most bins drawn: a bar must stay visible. */
const BINS_WIDE = 160;
const BINS_NARROW = 64;
/** Height of a row with bars, and of one without; above each its name. */
const ROW = 40;
const EMPTY = 4;
const GAP = 22;
const SIDE = 10;
const TOP = 4;

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
  const words = html`Time runs to the right; a bar is what happened in ${time(binNs * factor)}. Every row says its highest bar.
Rows of invalidations share one scale, and so do rows of walks through freed tables.
${quiet.length > 0 && html`No such walk in this replay under ${quiet.join(", ")}: they have no row of those.`}`;
  return {
    id: "timeline-chart",
    title: "Flushes, frees and invalidations over time",
    text: words,
    label: `Bar charts over ${time(result.trace.durationNs)} of trace: ${rows.map((row) => `${row.group} ${row.name}`).join("; ")}. The table below has the figures.`,
    draw: (width) => draw(rows, result, width),
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
  const invalidations = of("IOMMU invalidations", "invalidations", "invalidations", "var(--told)", "sum");
  const hazards = of("walks through freed tables", "walks", "hazards", "var(--hazard)", "sum");
  const held = of("frames held back", "held", "held", "var(--wait)", "most");
  return [
    { ...trace, name: "kernel flushes", values: bins.kernelFlushes, colour: "var(--ink)", scale: "flushes" },
    { ...trace, name: "table frees", values: bins.frees, colour: "var(--free)", scale: "frees" },
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

function draw(rows: readonly Row[], result: ReplayResult, full: number): Drawing {
  const { bins, binNs } = result.timeline;
  const factor = Math.max(1, Math.ceil(bins / (full === WIDE ? BINS_WIDE : BINS_NARROW)));
  const width = full - 2 * SIDE;
  const drawn = rows.map((row) => ({ ...row, values: joined(row, factor) }));
  const most = new Map<string, number>();
  for (const { scale, values } of drawn) most.set(scale, Math.max(most.get(scale) ?? 1, ...values));
  const unit = unitOf(bins * binNs, result.trace.timeUnit);
  const end = (bins * binNs) / unit.ns;
  const time = scaleTo(end, width);
  const step = (factor * binNs) / unit.ns;
  let top = TOP;
  const marks = drawn.map((row) => {
    const { height, marks: inRow } = drawRow(row, { top, most: most.get(row.scale)!, step, end, time, width });
    top += height;
    return inRow;
  });
  const below = axis(`time from the first event, ${unit.name}`, time, { left: SIDE, top: top + 4, width });
  return { height: top + 4 + below.height, marks: [...marks, below.marks] };
}

interface Place {
  readonly top: number;
  readonly most: number;
  /** Length of a bar's bin and of everything, in the axis's unit. */
  readonly step: number;
  readonly end: number;
  readonly time: Scale;
  readonly width: number;
}

function drawRow(row: Row, { top, most, step, end, time, width }: Place): Drawing {
  const highest = Math.max(0, ...row.values);
  const height = highest > 0 ? ROW : EMPTY;
  const foot = top + GAP + height;
  const group = width < WIDE / 2 ? row.short : row.group;
  const said = highest === 0 ? "none" : `most ${count(highest)}`;
  const room = width - 8 * (said.length + 1);
  const bars = row.values.flatMap((value, bin) => {
    if (value === 0) return [];
    const [from, to] = [time.at(bin * step), time.at(Math.min(end, (bin + 1) * step))];
    // A bar is at least as wide and as high as an eye needs.
    const tall = Math.max(2, (value / most) * ROW);
    return [{ x: SIDE + from, width: Math.max(1.5, to - from - 0.5), tall }];
  });
  return {
    height: GAP + height,
    marks: [
      text(`${group && `${group}: `}${row.name}`, { x: SIDE, y: top + GAP - 5, room }),
      text(said, { x: SIDE + width, y: top + GAP - 5, room: width, end: true }),
      rule(SIDE, foot, width),
      bars.length > 0 && barsFrom(foot, bars, row.colour),
    ],
  };
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
