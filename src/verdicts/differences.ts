// Two policies side by side: the cells in which they differ.

import { describeOptions } from "./options.js";
import { cellText } from "./text.js";
import type { VerdictRecord } from "./verdict.js";

/** Records of two policies: a line for each group of cells that differ in the same way, and their records, in order. */
export function differences(records: readonly VerdictRecord[]): { lines: string[]; records: VerdictRecord[] } {
  const [one, other] = new Set(records.map(({ policy }) => policy));
  if (one === undefined || other === undefined) return { lines: ["nothing"], records: [] };
  const keyOf = ({ scenario, agent, options }: VerdictRecord): string => JSON.stringify([scenario, agent, options]);
  const others = new Map(records.filter(({ policy }) => policy === other).map((record) => [keyOf(record), record]));
  const groups = new Map<string, string[]>();
  const changed: VerdictRecord[] = [];
  for (const record of records) {
    const now = others.get(keyOf(record));
    if (record.policy !== one || !now || cellText(record) === cellText(now)) continue;
    changed.push(record, now);
    const what = `${cellText(record)} under ${one}, ${cellText(now)} under ${other}`;
    const { scenario, agent, options } = record;
    const cell = `${scenario}, ${agent === "cpu" ? "CPU" : "IOMMU"}: ${describeOptions(options)}`;
    groups.set(what, [...(groups.get(what) ?? []), cell]);
  }
  if (groups.size === 0) return { lines: ["nothing"], records: [] };
  return {
    lines: [...groups].flatMap(([what, cells]) => [what, ...cells.map((cell) => `  ${cell}`)]),
    records: changed,
  };
}
