// The search of verdicts: cells in which a hazard is found soon, and cells in which everything must be tried.
import type { PolicyName } from "stalewalk";
import type { VerdictRecord, VerdictsOptions } from "stalewalk/verdicts";
import { hashOf } from "./check.js";
import { type Library, NotPlayedError, present } from "./library.js";
import { processorNs } from "./pieces.js";
import type { WholeTask } from "./task.js";

/** Searches of single cells. */
export interface VerdictSpec {
  kind: "verdicts";
}

/** The table of these rows. */
export const VERDICT_TABLE = "verdicts at pmd_free_pte_page, the usual IOMMU";

/** Policy, and most moves of a program. */
const CELLS: readonly (readonly [PolicyName, number])[] = [
  ["none", 3],
  ["flush-async", 3],
  ["user-root", 2],
  ["deferred-free", 2],
  ["deferred-free", 3],
];

/** The cells by the name of their case. */
export const verdictCells: ReadonlyMap<string, readonly [PolicyName, number]> = new Map(
  CELLS.map((cell) => [`${cell[0]}, ${cell[1]} moves`, cell]),
);

/** A whole search, timed by the processor's time: it has no short pieces. */
export function openVerdictTask(name: string, { verdicts }: Library = present): WholeTask {
  if (!verdicts) throw new NotPlayedError("it searches no verdicts");
  const [policy, depth] = verdictCells.get(name) as [PolicyName, number];
  return {
    operations: 1,
    processorTime: true,
    async check() {
      const records = await judge(verdicts, policy, depth);
      const tried = records.reduce((sum, { tried }) => sum + tried.programs, 0);
      return { hash: hashOf(records), counters: { "programs tried": tried } };
    },
    async sample() {
      const start = processorNs();
      await judge(verdicts, policy, depth);
      return processorNs() - start;
    },
  };
}

async function judge(
  verdicts: NonNullable<Library["verdicts"]>,
  policy: PolicyName,
  depth: number,
): Promise<VerdictRecord[]> {
  const options: VerdictsOptions = {
    policies: [policy],
    scenarios: ["pmd_free_pte_page"],
    hardware: "usual",
    agents: ["iommu"],
    depth,
  };
  const records: VerdictRecord[] = [];
  for await (const record of verdicts(options)) records.push(record);
  return records;
}
