// The matrix as rows and columns. No drawing here.

import { kernelRecords, type PolicyName, resolveKernel } from "../../src/index.js";
import type { ScenarioName, VerdictRecord } from "../../src/verdicts/index.js";
import { scenariosOf } from "../../src/verdicts/scenarios.js";
import { type Hardware, policyNames } from "../search/cell.js";
import { recall } from "../search/known.js";

/** What a cell says, in one word: `proved` of what all states were gone through, `limit` where one ended that, `searched` of neither. */
export type CellWord = "hazard" | "race" | "proved" | "limit" | "searched";

/** Sign and text of each. */
export const cellWords: Record<CellWord, { sign: string; text: string }> = {
  hazard: { sign: "●", text: "hazard" },
  race: { sign: "◐", text: "race" },
  proved: { sign: "✓", text: "proved" },
  limit: { sign: "?", text: "none" },
  searched: { sign: "○", text: "none" },
};

/** What a verdict says, in one word. */
export function wordOf({ verdict, race, proof, raceProof }: VerdictRecord): CellWord {
  if (verdict === "hazard") return "hazard";
  if (race) return "race";
  if (!proof) return "searched";
  return proof.closed && raceProof?.closed !== false ? "proved" : "limit";
}

/** Whether two verdicts say the same of the cell: how much was tried for it is no difference. */
export function agree(one: VerdictRecord, other: VerdictRecord): boolean {
  return one.verdict === other.verdict && !one.race === !other.race;
}

/** How many cells say what. */
export function countWords(rows: readonly MatrixRow[]): Map<CellWord, number> {
  const counts = new Map<CellWord, number>();
  for (const { record } of rows.flatMap(({ cells }) => cells)) {
    if (record) counts.set(wordOf(record), (counts.get(wordOf(record)) ?? 0) + 1);
  }
  return counts;
}

/** One cell, as far as it is known. */
export interface MatrixCell {
  policy: PolicyName;
  scenario: ScenarioName;
  record: VerdictRecord | undefined;
  /** The same cell of the other kernel. */
  other: VerdictRecord | undefined;
}

/** A row: a policy. */
export interface MatrixRow {
  policy: PolicyName;
  /** The kernel has this policy by itself. */
  ships: boolean;
  cells: MatrixCell[];
  /** How many cells are a hazard, and how many are known. */
  open: number;
  known: number;
}

/** The sites that a kernel has, in the order of the table. */
export function sitesOf(kernel: string): ScenarioName[] {
  return scenariosOf(resolveKernel(kernel).record).map(({ name }) => name);
}

/** The rows of what is known by now. */
export function rowsOf(hardware: Hardware, kernel: string, compared: string | undefined): MatrixRow[] {
  const ships = kernelRecords.find(({ version }) => version === kernel)?.ships;
  return policyNames.map((policy) => {
    const cells = sitesOf(kernel).map((scenario): MatrixCell => {
      const cell = { ...hardware, policy, scenario };
      return {
        policy,
        scenario,
        record: recall({ ...cell, kernel }),
        other: compared === undefined ? undefined : recall({ ...cell, kernel: compared }),
      };
    });
    const known = cells.flatMap(({ record }) => record ?? []);
    const open = known.filter((record) => wordOf(record) === "hazard").length;
    return { policy, ships: policy === ships, cells, open, known: known.length };
  });
}
