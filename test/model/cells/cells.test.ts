// The matrix against an exploration of everything that may happen (explore.ts): cell by cell the same verdict, races included. The
// search of src/verdicts/ leaves out what cannot matter; here nothing is left out, walks stop before any read, and operations of two
// CPUs interleave step by step. By day some cells at two moves; at night the whole default matrix of three kernels at its own depth.
import { describe, expect, it } from "vitest";
import {
  type CpuOptions,
  type IommuOptions,
  usualIommu,
  type VerdictRecord,
  type VerdictsOptions,
  verdicts,
} from "../../../src/verdicts/index.js";
import { amount } from "../../support/effort.js";
import { Matrix } from "./matrix.js";
import { cellKernels } from "./sites.js";

type Known = keyof typeof cellKernels;

/** Below splits caches hold nothing; nor do they anywhere on the second. */
const FEW: VerdictsOptions = {
  hardware: [
    { ...usualIommu, supervisorEntries: "walk" },
    { ...usualIommu, pagingStructureCaches: false },
  ],
  policies: ["none", "flush-on-table-free"],
  scenarios: ["pmd_free_pte_page/split"],
  agents: ["iommu"],
  depth: 2,
};
const DEPTH = 3;
const runs: readonly (readonly [Known, string, VerdictsOptions])[] = amount<
  readonly (readonly [Known, string, VerdictsOptions])[]
>({
  quick: [["7.3", "some cells", FEW]],
  full: [["7.3", "some cells", FEW]],
  nightly: [
    ["7.3", "some cells", FEW],
    ["7.3", "some cells whose invalidations wait for the walks of a page", { ...FEW, drain: "page" }],
    ["7.3", "the default matrix", { depth: DEPTH }],
    ["6.18.7", "the default matrix", { depth: DEPTH }],
    ["6.12", "the default matrix", { depth: DEPTH }],
    ["7.0", "the broken reclaim", { depth: DEPTH, scenarios: ["zap_pte_range"] }],
    [
      "7.3",
      "devices that send page requests",
      { ...FEW, depth: DEPTH, hardware: [{ ...usualIommu, pageRequests: true }] },
    ],
  ],
});
/** One matrix at night takes up to an hour. */
const LIMIT = 8 * 3_600_000;
const matrix = new Matrix();

function verdictOf({ verdict, race }: VerdictRecord): string {
  if (verdict === "hazard") return verdict;
  return race ? "race" : "safe";
}

function explored(record: VerdictRecord, kernel: Known): { verdict: string; fewest: number | undefined } {
  const { scenario, policy, agent, options, drain, tried } = record;
  const hardware = agent === "cpu" ? { cpu: options as CpuOptions } : { iommu: options as IommuOptions };
  const { hazard, race } = matrix.cell({
    ...{ scenario, policy, kernel: cellKernels[kernel], depth: tried.depth, drain },
    ...hardware,
  });
  const verdict = hazard !== undefined ? "hazard" : race !== undefined ? "race" : "safe";
  return { verdict, fewest: hazard };
}

describe("every cell, by everything that may happen", () => {
  it.each(runs)("Linux %s: %s", { timeout: LIMIT }, async (kernel, _what, options) => {
    const different: string[] = [];
    let cells = 0;
    for await (const record of verdicts({ ...options, kernel })) {
      cells += 1;
      const own = verdictOf(record);
      const { verdict, fewest } = explored(record, kernel);
      const moves = record.witness?.replay.points.length ?? 0;
      // Where a drain ends a walk that has begun, the search needs a move more to end it.
      const isLonger = own === "hazard" && (fewest ?? 0) > moves;
      if (verdict === own && !isLonger) continue;
      const where = `${record.policy}, ${record.scenario}, ${record.agent} ${JSON.stringify(record.options)}`;
      different.push(`${where}: ${own} (${moves}), explored: ${verdict} (${fewest})`);
    }
    expect(different).toEqual([]);
    expect(cells).toBeGreaterThan(3);
  });
});
