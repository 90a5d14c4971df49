// The search of verdicts: cells in which a hazard is found soon, and cells in which everything must be tried.
import type { PolicyName } from "stalewalk";
import { type VerdictRecord, type VerdictsOptions, verdicts } from "stalewalk/verdicts";
import type { BenchRow } from "../src/benchmark/result.js";
import { hashOf, MismatchError } from "./check.js";
import { CaseRows, type Effort, goesOn } from "./rows.js";

const TABLE = "verdicts at pmd_free_pte_page, the usual IOMMU";

/** Policy, and most moves of a program. */
const CELLS: readonly (readonly [PolicyName, number])[] = [
  ["none", 3],
  ["flush-async", 3],
  ["user-root", 2],
  ["deferred-free", 2],
  ["deferred-free", 3],
];

/** Measures the search, a whole one a sample. @throws MismatchError if two searches come to different records */
export async function measureVerdicts(effort: Effort, onStep: (step: string) => void): Promise<BenchRow[]> {
  const started = performance.now();
  const cells = [];
  for (const [policy, depth] of CELLS) {
    onStep(`comparing results, ${policy}`);
    const records = await judge(policy, depth);
    const digest = hashOf(records);
    const counters = { "programs tried": records.reduce((sum, { tried }) => sum + tried.programs, 0) };
    const head = { suite: "verdicts", table: TABLE, case: `${policy}, ${depth} moves`, unit: "cell" } as const;
    cells.push({ policy, depth, digest, rows: new CaseRows({ ...head, digest, counters }) });
  }
  for (let round = 0; goesOn(effort, round, started); round++) {
    for (const { policy, depth, digest, rows } of cells) {
      onStep(`round ${round + 1}, ${policy}`);
      const start = performance.now();
      const records = await judge(policy, depth);
      rows.note("stalewalk", records.length, [(performance.now() - start) / 1000]);
      const other = hashOf(records);
      if (other !== digest) throw new MismatchError(`${TABLE}: ${policy}: two searches came to ${digest} and ${other}`);
    }
  }
  return cells.flatMap(({ rows }) => rows.all);
}

async function judge(policy: PolicyName, depth: number): Promise<VerdictRecord[]> {
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
