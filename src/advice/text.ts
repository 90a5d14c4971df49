// What advice says of cells, in words.

import { describeOptions } from "../verdicts/index.js";
import type { OpenCell } from "./cells.js";

const WORDS: Readonly<Record<OpenCell["state"], string>> = {
  hazard: "",
  race: " (a race of deferred work)",
  unsettled: " (not settled)",
};

/** Cells by row; of rows with several, on how many IOMMUs, or on which one. */
export function openOfText(cells: readonly OpenCell[]): string {
  const rows = new Map<string, OpenCell[]>();
  for (const cell of cells) {
    const key = `${cell.scenario}${WORDS[cell.state]}`;
    rows.set(key, [...(rows.get(key) ?? []), cell]);
  }
  return [...rows]
    .map(([row, [first, ...more]]) => {
      const hardware = describeOptions((first as OpenCell).hardware);
      if (more.length > 0) return `${row} on ${more.length + 1} IOMMUs`;
      return hardware === "usual hardware" ? row : `${row} (${hardware})`;
    })
    .join(", ");
}
