// Growth curves as charts: both axes logarithmic, a line for each contestant, the interval of every point as a bar.

import { scaleLog } from "d3-scale";
import { threeDigits } from "../benchmark/report.js";
import type { BenchRow } from "../benchmark/result.js";
import { type Column, table } from "./blocks.js";
import { type Chart, type Drawing, ink, text } from "./chart.js";
import { count } from "./format.js";
import { type Html, html } from "./html.js";

const HEIGHT = 260;
const LEFT = 64;
const RIGHT = 24;
const TOP = 12;
const AXIS = 46;
const COLOURS = ["c1", "c3", "c5", "c4", "c2", "c6"];

/** A row that is a point of a curve. */
export type Point = BenchRow & Required<Pick<BenchRow, "grows">>;

/** The points of each curve of a run. */
export function curvesOf(rows: readonly BenchRow[]): Point[][] {
  const points = rows.filter((row): row is Point => row.grows !== undefined);
  return [...new Set(points.map(({ table }) => table))].map((name) => points.filter(({ table }) => table === name));
}

/** The chart of the points of one table; `number` tells it from the others of a document. */
export function curveChart(points: readonly Point[], number: number | string): Chart {
  const [first] = points as [Point];
  const names = [...new Set(points.map(({ contestant }) => contestant))];
  const lines = names.map((name, i) => ({
    name,
    colour: COLOURS[i % COLOURS.length] as string,
    points: points.filter(({ contestant }) => contestant === name).toSorted((a, b) => a.grows.size - b.grows.size),
  }));
  const ends = lines.map(({ name, points }) => {
    const [from, to] = [points[0] as Point, points.at(-1) as Point];
    return `${name}: ${threeDigits(from.least.value)} ns at ${count(from.grows.size)} ${first.grows.of}, ${threeDigits(to.least.value)} ns at ${count(to.grows.size)}`;
  });
  return {
    id: `curve-${number}`,
    title: first.table,
    text: html`Least time of ${first.unit === "operation" ? "an operation" : `a ${first.unit}`}; bars are 95 % intervals. ${ends.join("; ")}.`,
    label: `Curve on logarithmic axes. ${ends.join("; ")}.`,
    legend: lines.length > 1 ? lines.map(({ name, colour }) => ({ name, colour })) : [],
    draw: (width) => draw(lines, first, width),
    data: data(points),
  };
}

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly Point[];
}

/** A domain that logarithms have, with room around. */
function domainOf(values: readonly number[]): [number, number] {
  const least = Math.max(Number.MIN_VALUE, Math.min(...values));
  const most = Math.max(...values, least);
  return [least / 1.25, most * 1.25];
}

function draw(lines: readonly Line[], { grows }: Point, full: number): Drawing {
  const all = lines.flatMap(({ points }) => points);
  const width = full - LEFT - RIGHT;
  const values = all.flatMap(({ least }) => [least.low, least.value, least.high]).filter((it) => it > 0);
  const x = scaleLog(domainOf(all.map(({ grows }) => grows.size)), [LEFT, LEFT + width]);
  const y = scaleLog(domainOf(values), [TOP + HEIGHT, TOP]);
  const sizes = [...new Set(all.map(({ grows }) => grows.size))];
  const shown = full > 500 ? sizes : sizes.filter((_, i) => i % 3 === 0);
  const across = y.ticks(5).filter((value) => value > 0);
  const ticks = across.length > 6 ? across.filter((value) => /^[125]/.test(value.toExponential())) : across;
  const marks: Html[] = [
    ...ticks.map(
      (value) =>
        html`<path d="M${LEFT} ${fixed(y(value))}h${width}" stroke="var(--line)" stroke-opacity="0.35" fill="none"/>${text(short(value), { x: LEFT - 6, y: y(value) + 4, room: LEFT, end: true })}`,
    ),
    html`<path d="M${LEFT} ${TOP}v${HEIGHT}h${width}" stroke="${ink}" fill="none"/>`,
    ...shown.map(
      (size) =>
        html`<path d="M${fixed(x(size))} ${TOP + HEIGHT}v5" stroke="${ink}" fill="none"/><text x="${fixed(x(size))}" y="${TOP + HEIGHT + 18}" fill="${ink}" text-anchor="middle">${short(size)}</text>`,
    ),
    html`<text x="${LEFT + width / 2}" y="${TOP + HEIGHT + 38}" fill="${ink}" text-anchor="middle">${grows.of}</text>`,
    html`<text x="4" y="${TOP + 4}" fill="${ink}">ns</text>`,
    ...lines.flatMap(({ colour, points }) => line(colour, points, x, y)),
  ];
  return { height: TOP + HEIGHT + AXIS, marks };
}

type Scale = (value: number) => number;

function line(colour: string, points: readonly Point[], x: Scale, y: Scale): Html[] {
  const ink = `var(--${colour})`;
  const there = points.filter(({ least }) => least.value > 0);
  const path = there.map(({ grows, least }) => `${fixed(x(grows.size))} ${fixed(y(least.value))}`).join("L");
  return [
    html`<path d="M${path}" stroke="${ink}" stroke-width="2" fill="none"/>`,
    ...there.map(({ grows, least }) => {
      const [low, high] = [y(Math.max(least.low, least.value / 10)), y(least.high)];
      const bar =
        Number.isFinite(low) && Number.isFinite(high)
          ? `M${fixed(x(grows.size))} ${fixed(low)}V${fixed(high)}`
          : "M0 0";
      return html`<path d="${bar}" stroke="${ink}" fill="none"/><circle cx="${fixed(x(grows.size))}" cy="${fixed(y(least.value))}" r="3.5" fill="${ink}"/>`;
    }),
  ];
}

const fixed = (value: number): number => Math.round(value * 100) / 100;

/** `64`, `4.1k`, `262k`, `10M`. */
function short(value: number): string {
  if (value >= 1e6) return `${threeDigits(value / 1e6).replace(/\.?0+$/, "")}M`;
  if (value >= 1e4)
    return `${threeDigits(value / 1e3)
      .replace(/(\.\d*?)0+$/, "$1")
      .replace(/\.$/, "")}k`;
  return String(Number(value.toPrecision(4)));
}

function data(points: readonly Point[]): Html {
  const columns: Column<Point>[] = [
    { head: (points[0] as Point).grows.of, kind: "figure", cell: ({ grows }) => count(grows.size) },
    { head: "contestant", kind: "text", cell: ({ contestant }) => contestant },
    { head: "least, ns", kind: "figure", cell: ({ least }) => threeDigits(least.value) },
    { head: "from", kind: "figure", cell: ({ least }) => threeDigits(least.low) },
    { head: "to", kind: "figure", cell: ({ least }) => threeDigits(least.high) },
    { head: "median, ns", kind: "figure", cell: ({ median }) => threeDigits(median.value) },
    { head: "rounds", kind: "figure", cell: ({ samples }) => count(samples.length) },
  ];
  return table((points[0] as Point).table, columns, points);
}
