// `stalewalk verdicts --prove`: three kinds of verdicts told apart, in text and in JSON.
import { describe, expect, it } from "vitest";
import { runCli, runJson } from "../../cli/run-cli.js";

const ONE = ["verdicts", "--prove", "--quick", "--walks", "atomic", "--cpu", "amd", "--site", "pmd_free_pte_page"];
const POLICIES = ["--policy", "none", "--policy", "flush-range"];

describe("stalewalk verdicts --prove", () => {
  it("prints what is proved, by which bounds and assumptions", async () => {
    const { code, out, err } = await runCli(...ONE, ...POLICIES);
    expect([code, err]).toEqual([1, ""]);
    expect(out).toMatch(/^IOMMU walks \(● hazard, ✓ proved safe, ◐ proved safe unless .*\)$/m);
    expect(out).toMatch(/^none +● hazard$/m);
    expect(out).toMatch(/^flush-range +✓ proved$/m);
    expect(out).toMatch(
      /^6 cells: 2 hazards, 4 proved safe, 0 with no hazard found; [\d,]+ states, [\d,]+ transitions$/m,
    );
    expect(out).toMatch(
      /^a state was taken for another with a probability of at most \de-\d+ \(two hashes of 64 bits\)$/m,
    );
    expect(out).toMatch(/^bounds: \d+ frames, 2 regions .*, walks as a whole$/m);
    expect(out).toMatch(/^assumed: an invalidation is complete only when/m);
    expect(out).toMatch(/^pmd_free_pte_page, IOMMU, forged-translation: none$/m);
  });

  it("says of a cell that a limit has ended that no hazard was found", async () => {
    const { code, out } = await runCli(...ONE, "--policy", "flush-range", "--max-states", "100");
    expect(code).toBe(0);
    expect(out).toMatch(/^flush-range +\? none found$/m);
    expect(out).toMatch(/0 proved safe, 3 with no hazard found; .*; 3 explorations ended by a limit$/m);
  });

  it("gives one JSON record a cell, in which `says` tells the kinds apart", async () => {
    const { code, value } = await runJson(...ONE, ...POLICIES, "--max-states", "110");
    expect(code).toBe(1);
    const records = value as {
      agent: string;
      policy: string;
      says: string;
      proof: { closed: boolean; ended?: string };
    }[];
    const iommu = records.filter(({ agent }) => agent === "iommu").map(({ policy, says }) => `${policy} ${says}`);
    expect(new Set(iommu)).toEqual(new Set(["none hazard", "flush-range no hazard found"]));
    for (const { says, proof } of records) expect(proof.closed).toBe(says === "proved safe");
  });

  it("says in a search, too, that what is safe is what was tried", async () => {
    const { value } = await runJson("verdicts", "--quick", "--depth", "1", "--site", "exit", "--policy", "none");
    expect(new Set((value as { says: string }[]).map(({ says }) => says))).toEqual(new Set(["no hazard found"]));
  });

  it("wants --prove with its limits", async () => {
    const { code, err } = await runCli("verdicts", "--quick", "--max-states", "5");
    expect(code).toBe(2);
    expect(err).toMatch(/--max-states.*5.*together with --prove/);
  });

  it("shows with --diff which cells of two policies differ, and the hazards of these", async () => {
    const cells = [
      "--site",
      "pmd_free_pte_page",
      "--site",
      "exit",
      "--prove",
      "--quick",
      "--walks",
      "atomic",
      "--cpu",
      "amd",
    ];
    const { code, out, err } = await runCli("verdicts", "--diff", "none", "flush-range", ...cells);
    expect([code, err]).toEqual([0, ""]);
    const [, found = ""] = out.split(/^what differs, in (?=6 cells$)/m);
    expect(found.split("\n").slice(1, 5)).toEqual([
      "  ● hazard under none, ✓ proved under flush-range",
      "    pmd_free_pte_page, IOMMU: usual hardware",
      "    pmd_free_pte_page, IOMMU: walks stop at U/S = 0",
      "",
    ]);
    expect(found).toMatch(/^hazards of these\n\npmd_free_pte_page, IOMMU, forged-translation: none\n {3}1 /m);
    expect(found).not.toMatch(/, CPU, /);
  });

  it("wants two policies with --diff", async () => {
    for (const given of [["none"], ["none", "none"], ["none", "user-root", "--policy", "none"]]) {
      const { code, err } = await runCli("verdicts", "--quick", "--diff", ...given);
      expect(code).toBe(2);
      expect(err).toMatch(/--diff.*two policies/);
    }
  });
});
