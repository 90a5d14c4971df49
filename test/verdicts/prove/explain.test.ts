// What safety rests on: each thing that a policy does is taken away, and the cell is proved again.
import { describe, expect, it } from "vitest";
import type { VerdictRecord } from "../../../src/verdicts/index.js";
import { supportLines } from "../../../src/verdicts/text.js";
import { runCli } from "../../cli/run-cli.js";
import { cell, collect } from "../collect.js";

const PROVED = { prove: true, explainSafe: true, hardware: "usual", walks: "atomic" } as const;

/** What each taking leads to, by the first words of what it is. */
const supports = (record: VerdictRecord | undefined): (readonly [string, string])[] =>
  (record?.restsOn ?? []).map(({ what, without }) => [what, without] as const);

describe("what the safety of a cell rests on", () => {
  it("is, of the merged fix, the deferral, and the worker's list taken before it invalidates", async () => {
    const scenarios = ["pmd_free_pte_page", "zap_pte_range"] as const;
    const records = await collect({ ...PROVED, agents: ["iommu"], policies: ["deferred-free"], scenarios });
    // Whole walks need nobody's wait.
    expect(supports(cell(records, "deferred-free", "pmd_free_pte_page"))).toEqual([
      ["the deferral of frees", "hazard"],
      ["that the worker takes its list before it invalidates", "hazard"],
      ["the mmu notifier", "proved safe"],
      ["that invalidations wait for walks", "proved safe"],
    ]);
    expect(supports(cell(records, "deferred-free", "zap_pte_range"))).toEqual([
      ["the deferral of frees", "proved safe"],
      ["that the worker takes its list before it invalidates", "proved safe"],
      ["the mmu notifier", "hazard"],
      ["that invalidations wait for walks", "proved safe"],
    ]);
    expect(supportLines(records)).toEqual([
      "pmd_free_pte_page, IOMMU, deferred-free",
      "  rests on the deferral of frees; that the worker takes its list before it invalidates",
      "zap_pte_range, IOMMU, deferred-free",
      "  rests on the mmu notifier",
    ]);
  });

  it("is, read by read, also that invalidations wait for walks", async () => {
    const options = { ...PROVED, walks: "stepwise", agents: ["iommu"] } as const;
    const [record] = await collect({ ...options, policies: ["flush-range"], scenarios: ["pmd_free_pte_page"] });
    expect(supports(record)).toEqual([
      ["the invalidation that follows flush_tlb_kernel_range()", "hazard"],
      ["that flushes wait for the invalidation", "hazard"],
      ["the mmu notifier", "proved safe"],
      ["that invalidations wait for walks", "hazard"],
    ]);
  });

  it("is not told of hazards, nor of CPUs what they do not notice", async () => {
    const options = { ...PROVED, policies: ["flush-range"], scenarios: ["pmd_free_pte_page", "exit"] } as const;
    const records = await collect(options);
    expect(cell(records, "flush-range", "pmd_free_pte_page", "cpu")).not.toHaveProperty("restsOn");
    expect(supports(cell(records, "flush-range", "exit", "cpu"))).toEqual([
      ["that invalidations wait for walks", "proved safe"],
    ]);
    await expect(collect({ explainSafe: true })).rejects.toThrow(/explainSafe.*together with prove/);
  });

  it("is printed by `verdicts --prove --explain-safe`", async () => {
    const cells = ["--policy", "user-root", "--site", "pmd_free_pte_page", "--cpu", "amd", "--walks", "atomic"];
    const { code, out, err } = await runCli("verdicts", "--prove", "--explain-safe", "--quick", ...cells);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^what safety rests on\n {2}pmd_free_pte_page, IOMMU, user-root\n/m);
    expect(out).toMatch(/^ {4}rests on that the IOMMU does not get the kernel half$/m);
  });
});
