// Numbers, times and addresses as the page shows them.

import { duration } from "../replay/stories.js";
import { type Html, html } from "./html.js";

/** A count with thousands separated: `9,391`. */
export function count(value: number): string {
  return value.toLocaleString("en");
}

/** `1 table`, `2 tables`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Formats times of a trace, ns or ticks of its clock. */
export type TimeFormat = (ns: number) => string;

/** How times of a trace are shown: with a unit that suits them, or as ticks where the clock counts no time. */
export function timeFormat(unit: "ns" | "ticks"): TimeFormat {
  // A number and its unit stay on one line.
  return unit === "ns"
    ? (ns) => duration(ns).replace(" ", "\u00a0")
    : (ticks) => `${count(Math.round(ticks))}\u00a0ticks`;
}

/** A share in percent, one digit. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)} %`;
}

/** Code: names of functions, addresses, policies. */
export function code(text: string): Html {
  return html`<code>${text}</code>`;
}

const TABLE_NAMES = ["page", "PT", "PD", "PDPT", "PML4", "PML5"];

/** What a table of a level is called: `PT`, `PD`, … */
export function tableName(level: number): string {
  return TABLE_NAMES[level] ?? `table of level ${level}`;
}

/** `a, b and c`. */
export function list(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join();
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** The same for markup. */
export function listHtml(parts: readonly Html[]): Html[] {
  return parts.flatMap((part, i) => {
    if (i === 0) return [part];
    return [html`${i === parts.length - 1 ? " and " : ", "}`, part];
  });
}
