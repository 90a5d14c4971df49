// Times and names of a trace as this view writes them.

import { visible } from "../../src/report/html.js";

/** A time from the first event, as exact as the span asks for. */
export function clock(ns: number, span: number, unit: "ns" | "ticks"): string {
  if (unit === "ticks") return `${Math.round(ns).toLocaleString("en")} ticks`;
  const digits = Math.min(9, Math.max(0, Math.ceil(-Math.log10(span / 1e9)) + 3));
  return `${(ns / 1e9).toFixed(digits)} s`;
}

/** A length of time, three digits. */
export function length(ns: number, unit: "ns" | "ticks"): string {
  if (unit === "ticks") return `${Math.round(ns).toLocaleString("en")} ticks`;
  const [value, name] =
    ns < 1e3 ? [ns, "ns"] : ns < 1e6 ? [ns / 1e3, "µs"] : ns < 1e9 ? [ns / 1e6, "ms"] : [ns / 1e9, "s"];
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${name}`;
}

/** A name out of a trace: what would not be seen is spelled out. */
export const name = visible;

const TABLE_NAMES = ["page", "PT", "PD", "PDPT", "PML4", "PML5"];

/** What a table of a level is called. */
export function tableName(level: number): string {
  return TABLE_NAMES[level] ?? `table of level ${level}`;
}
