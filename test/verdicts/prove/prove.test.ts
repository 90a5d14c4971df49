// Proofs against the search (a hazard where it has one, with no more moves), against the model's own exploration of states
// (test/model/cells/), and against orders that are broken on purpose: what is proved safe becomes a hazard.
import { describe, expect, it } from "vitest";
import { finishInTurns, Turns } from "../../../src/base/progress.js";
import type { PolicyName } from "../../../src/index.js";
import { type CheckedPolicy, policies } from "../../../src/kernel/policies.js";
import { noticedByCpus } from "../../../src/kernel/policy.js";
import {
  type CpuOptions,
  changedCpu,
  changedIommu,
  type IommuOptions,
  usualCpu,
  usualIommu,
  type VerdictRecord,
} from "../../../src/verdicts/index.js";
import { type ScenarioName, scenarioNames } from "../../../src/verdicts/scenarios.js";
import { search } from "../../../src/verdicts/search.js";
import { Matrix } from "../../model/cells/matrix.js";
import { cellKernels } from "../../model/cells/sites.js";
import { amount } from "../../support/effort.js";
import { cell, collect } from "../collect.js";
import { type Cell, exploreCell, PLAIN, rowOf, stageOf } from "./cells.js";

const POLICIES = amount<readonly PolicyName[]>({
  quick: ["deferred-free"],
  full: ["none", "deferred-free"],
  nightly: ["none", "flush-range", "flush-async", "flush-on-table-free", "deferred-free", "deferred-free-unlocked"],
});
const ROWS = amount<readonly ScenarioName[]>({
  quick: ["pmd_free_pte_page"],
  full: ["pmd_free_pte_page", "zap_pte_range"],
  nightly: scenarioNames,
});
const HARDWARE = amount<readonly (IommuOptions | CpuOptions)[]>({
  quick: [usualIommu],
  full: [usualIommu, changedIommu(["no-paging-structure-caches"]), usualCpu],
  nightly: [
    ...[usualIommu, changedIommu(["no-paging-structure-caches"]), changedIommu(["device-tlb"])],
    ...[changedIommu(["cached-supervisor-leaves"]), changedIommu(["page-requests"])],
    ...[usualCpu, changedCpu("pti"), changedCpu("amd-tce"), changedCpu("invlpgb")],
  ],
});

/** Moves of the shortest program that the search has; with the moves that are proved with where it is asked for no more than these. */
async function searched(of: Cell): Promise<number | undefined> {
  const stage = stageOf(of);
  const turns = new Turns(undefined);
  stage.enter(rowOf(of.row));
  const depth = stage.agent === "cpu" ? 4 : 3;
  const found = await finishInTurns(search(stage, rowOf(of.row), { depth, race: false, turns }), turns);
  return found?.attempt.placed.length;
}

describe.each(POLICIES)("a proof of cells of %s", (policy) => {
  it.each(ROWS)("says of %s what search and model say, with no more moves", { timeout: 0 }, async (row) => {
    const matrix = new Matrix();
    for (const hardware of HARDWARE) {
      const of: Cell = { policy, row, hardware };
      const what = `${policy}, ${row}, ${JSON.stringify(hardware)}`;
      // Walks in pieces where the search has them, too: there they come to more than whole ones do.
      const walks = stageOf(of).inPieces(rowOf(row)) ? 1 : 0;
      const proof = await exploreCell(of, { ...PLAIN, walks });
      const moves = await searched(of);
      expect(proof.ended, what).toBeUndefined();
      expect(proof.moves !== undefined, what).toBe(moves !== undefined);
      if (moves !== undefined) expect(proof.moves, what).toBeLessThanOrEqual(moves);
      const cpu = "invlpgScope" in hardware;
      const model = matrix.cell({
        ...{ scenario: row, policy, kernel: cellKernels["7.3"], depth: cpu ? 4 : 3, drain: "all" as const },
        ...(cpu ? { cpu: hardware } : { iommu: hardware }),
      });
      expect(proof.moves !== undefined, what).toBe(model.hazard !== undefined);
    }
  });
});

describe("cells of CPUs, each policy by itself", () => {
  const scenarios = amount<readonly ScenarioName[]>({
    quick: ["remove_pagetable", "pmd_free_pte_page", "munmap"],
    full: ["remove_pagetable", "pmd_free_pte_page", "cpa_collapse_large_pages", "munmap", "exit"],
    nightly: scenarioNames,
  });

  it.each(Object.values(policies))(
    "are settled under $name, as under the first policy that a CPU cannot tell from it",
    async (policy) => {
      const same = Object.values(policies).find(
        (other) => noticedByCpus(other) === noticedByCpus(policy),
      ) as CheckedPolicy;
      const options = { hardware: "usual", agents: ["cpu"], prove: true, walks: "atomic", scenarios } as const;
      const said = async ({ name }: { name: string }) =>
        (await collect({ ...options, policies: [name as PolicyName] })).map(({ scenario, says, witness }) => [
          ...[scenario, says, witness?.steps.filter(({ move }) => move !== undefined).length],
        ]);
      const own = await said(policy);
      expect(own).toHaveLength(scenarios.length);
      for (const [, says] of own) expect(says).toMatch(/^(hazard|proved safe)$/);
      expect(own).toEqual(await said(same));
    },
  );
});

describe("what is proved safe", () => {
  const usual = { hardware: "usual", agents: ["iommu"], prove: true, walks: "atomic" } as const;

  it("is safe for programs of any length, and says what that rests on", async () => {
    const [record] = await collect({ ...usual, policies: ["deferred-free"], scenarios: ["pmd_free_pte_page"] });
    expect(record).toMatchObject({ verdict: "safe", says: "proved safe", race: null });
    expect(record?.proof).toMatchObject({ closed: true, bounds: { regions: 2, addresses: 4, pasids: 1, walks: 0 } });
    // Work inside operations was explored with the rest.
    expect(record?.raceProof).toBeUndefined();
    expect(record?.proof?.states).toBeGreaterThan(300);
    expect(record?.proof?.transitions).toBeGreaterThan(record?.proof?.states ?? 0);
    expect(record?.proof?.assumptions[0]).toMatch(/the walks of its PASID .* have ended/);
    expect(record?.proof?.missed).toBeLessThan(1e-30);
  });

  it("becomes a hazard when the worker invalidates before it takes the list", async () => {
    const policies = ["deferred-free", "deferred-free-unlocked"] as const;
    const records = await collect({ ...usual, policies, scenarios: ["pmd_free_pte_page"] });
    expect(records.map(({ policy, says }) => [policy, says])).toEqual([
      ["deferred-free", "proved safe"],
      ["deferred-free-unlocked", "hazard"],
    ]);
    const texts = records[1]?.witness?.steps.map(({ text }) => text) ?? [];
    const invalidated = texts.findIndex((text) => /invalidates the kernel half/.test(text));
    const taken = texts.findIndex((text) => /takes the list/.test(text));
    expect(invalidated).toBeGreaterThan(0);
    expect(taken).toBeGreaterThan(invalidated);
  });

  it("becomes a hazard, by a race, when a table is freed before its entry is cleared", async () => {
    // Both sites give a table with the kernel's mark to the worker: one clears the PD entry first, the other frees first.
    const scenarios = ["pmd_free_pte_page", "remove_pagetable/vmemmap"] as const;
    const records = await collect({ ...usual, policies: ["deferred-free"], scenarios });
    const [clearsFirst, freesFirst] = scenarios.map((name) => cell(records, "deferred-free", name));
    expect([clearsFirst?.says, clearsFirst?.race, clearsFirst?.raceProof]).toEqual(["proved safe", null, undefined]);
    expect([freesFirst?.says, freesFirst?.race?.kind]).toEqual(["proved safe", "forged-translation"]);
    expect([freesFirst?.proof?.closed, freesFirst?.raceProof?.closed]).toEqual([true, false]);
    expect(freesFirst?.race?.witness.steps.at(-1)?.text).toMatch(/the PD entry in memory still leads to frame/);
  });

  it("becomes a hazard when invalidations wait for no walk", async () => {
    const options = { policies: ["flush-range"], scenarios: ["pmd_free_pte_page"], walks: "stepwise" } as const;
    const [waits] = await collect({ ...usual, ...options });
    const [waitsNot] = await collect({ ...usual, ...options, drain: "none" });
    expect([waits?.says, waitsNot?.says]).toEqual(["proved safe", "hazard"]);
    expect(waitsNot?.witness?.steps.at(-1)?.text).toMatch(/the PD entry that it has read leads to frame/);
    expect(waitsNot?.proof?.assumptions[0]).toBe("an invalidation waits for no walk");
  });
});

describe("an exploration", () => {
  const options = {
    hardware: "usual",
    policies: ["flush-range"],
    scenarios: ["pmd_free_pte_page"],
    prove: true,
  } as const;

  it("that a limit has ended says that no hazard was found, and how far it has come", async () => {
    const [record] = await collect({ ...options, agents: ["iommu"], maxStates: 300 });
    expect(record).toMatchObject({
      verdict: "safe",
      says: "no hazard found",
      proof: { closed: false, ended: "states" },
    });
    expect(record?.proof?.states).toBeGreaterThan(300);
    expect(record?.proof?.moves).toBeGreaterThan(0);
  });

  it("comes to the same bytes twice", async () => {
    const run = (): Promise<VerdictRecord[]> => collect({ ...options, walks: "atomic" });
    expect(await run()).toEqual(await run());
  });

  it("ends with the signal's reason at its next turn", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 30);
    await expect(collect({ ...options, moves: "wide", signal: controller.signal })).rejects.toThrow("enough");
  });

  it("refuses limits that are none", async () => {
    await expect(collect({ ...options, maxStates: 0 })).rejects.toThrow(/maxStates.*0/);
    await expect(collect({ ...options, maxMs: 1.5 })).rejects.toThrow(/maxMs.*1\.5/);
  });
});
