// Every table that the trace frees, and whether somebody walked through it afterwards.

import { hex } from "../base/notation.js";
import type { FreeHazards, ReplayResult, TableFree } from "../replay/index.js";
import { type Column, details, table } from "./blocks.js";
import { harm } from "./comparison.js";
import { code, count, plural, tableName, timeFormat } from "./format.js";
import { type Html, html } from "./html.js";
import { baseline, freesOf } from "./summary.js";

/** Rows that stand open. */
const OPEN = 15;

/** The list. @param most rows */
export function frees(result: ReplayResult, most: number): Html {
  const total = freesOf(result);
  if (total === 0)
    return html`<p>${result.configuration.workload ? "The workload" : "The trace"} frees no kernel page table.</p>`;
  const base = baseline(result);
  const walked = new Map(base?.hazards.byFree.map((row) => [row.free, row]));
  const columns = columnsOf(result, walked, base?.policy.name ?? "");
  const shown = result.frees.slice(0, most);
  const rest = shown.slice(OPEN);
  return html`<p>${plural(total, "free")}, ${count(result.program.freesBeforeFlush)} before the flush.
${shown.length < total && html`The first ${count(shown.length)} are listed.`}</p>
${table("Table frees", columns, shown.slice(0, OPEN))}
${rest.length > 0 && details(plural(rest.length, "more free"), table("More table frees", columns, rest))}`;
}

function columnsOf(result: ReplayResult, walked: ReadonlyMap<number, FreeHazards>, name: string): Column<TableFree>[] {
  const time = timeFormat(result.trace.timeUnit);
  return [
    { head: "free", kind: "name", cell: ({ index }) => count(index) },
    { head: "time", kind: "figure", cell: ({ timeNs }) => time(timeNs) },
    { head: "site", cell: ({ site }) => code(site) },
    { head: "table", kind: "short", cell: ({ level, address }) => html`${tableName(level)} of ${code(hex(address))}` },
    { head: "frame", cell: ({ frame }) => (frame === undefined ? "not told" : code(hex(frame))) },
    { head: "its flush", kind: "short", cell: (free) => order(free, time) },
    {
      head: html`walks after it under ${code(name)}`,
      kind: "figure",
      cell: ({ index }) => harm(walked.get(index)?.total ?? 0),
    },
    {
      head: "forged",
      kind: "figure",
      cell: ({ index }) => harm(walked.get(index)?.byKind["forged-translation"] ?? 0),
    },
    {
      head: "first, last after it",
      kind: "short",
      cell: ({ index }) => {
        const row = walked.get(index);
        return row ? `${time(row.firstAfterNs)}, ${time(row.lastAfterNs)}` : "-";
      },
    },
    { head: "CPU", kind: "figure", cell: ({ cpu }) => cpu },
    { head: "process", kind: "figure", cell: ({ pid }) => pid },
    { head: result.configuration.workload ? "event" : "line", kind: "figure", cell: ({ line }) => count(line) },
  ];
}

function order({ beforeFlush, flushTimeNs, timeNs }: TableFree, time: (ns: number) => string) {
  if (flushTimeNs === undefined) return html`<strong class="bad">no flush</strong>`;
  const gap = time(Math.abs(timeNs - flushTimeNs));
  return beforeFlush ? html`<strong class="bad">${gap} later</strong>` : `${gap} earlier`;
}
