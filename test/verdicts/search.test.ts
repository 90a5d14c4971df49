// The search itself: it finds what is planted, says what it tried, and is the same every time.
import { describe, expect, it } from "vitest";
import { createMachineSync, type Machine, type Progress, policies } from "../../src/index.js";
import {
  everyIommu,
  iotlbOccupancy,
  scenarioNames,
  usualIommu,
  type VerdictRecord,
  verdicts,
} from "../../src/verdicts/index.js";
import { amount } from "../support/effort.js";
import { cell, collect } from "./collect.js";

/** Policies for which every combination of hardware is searched: by day one, which has safe cells, hazards and races. */
const SOME = ["deferred-free"] as const;
const JUDGED = amount<readonly (keyof typeof policies)[]>({
  quick: SOME,
  full: SOME,
  nightly: Object.keys(policies) as (keyof typeof policies)[],
});

const CACHE = { entries: 16, ways: 16 };

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The machine that a witness on usual hardware was found on, made anew from public parts. */
function freshMachine(policy: "flush-range" | "deferred-free-unlocked"): Machine {
  const psc = { 2: CACHE, 3: CACHE, 4: CACHE };
  return createMachineSync({
    workloadPages: 1,
    cpus: [{}, {}],
    iommus: [{ l1: [CACHE], psc, pasids: [42] }],
    kernel: { pool: 18, mms: 2, policy },
  });
}

describe("search", () => {
  it("finds a planted hazard: user pages that the IOMMU is not told of", async () => {
    const deaf = { name: "deaf", notifyUser: false };
    const [record] = await collect({ policies: [deaf], scenarios: ["munmap"], hardware: "usual", agents: ["iommu"] });
    expect(record).toMatchObject({ policy: "deaf", verdict: "hazard", site: "user" });
    expect(record?.witness?.steps.some(({ text }) => /the IOMMU hears nothing/.test(text))).toBe(true);
  });

  it("judges a policy of one's own: deferral also of unmarked tables closes the CPA hole", async () => {
    const mended = { name: "mended", free: "deferred", deferUnmarkedOf: ["cpa_collapse_large_pages"] } as const;
    const deferred = [mended, "deferred-free"] as const;
    const options = { kernel: "6.18.7", policies: deferred, hardware: "usual", agents: ["iommu"] } as const;
    const records = await collect({ ...options, scenarios: ["cpa_collapse_large_pages"] });
    expect(records.map(({ policy, verdict }) => [policy, verdict])).toEqual([
      ["mended", "safe"],
      ["deferred-free", "hazard"],
    ]);
  });

  it("says how much a safe cell has stood, more with every move", async () => {
    const tried = [];
    for (const depth of [1, 2, 3]) {
      const [record] = await collect({
        policies: ["user-root"],
        scenarios: ["pmd_free_pte_page"],
        hardware: "usual",
        agents: ["iommu"],
        depth,
      });
      expect(record).toMatchObject({ verdict: "safe", tried: { depth } });
      expect(record?.tried.operations).toBeGreaterThan(record?.tried.programs ?? Number.POSITIVE_INFINITY);
      tried.push(record?.tried.programs ?? 0);
    }
    const [one, two, three] = tried as [number, number, number];
    expect(two).toBeGreaterThan(2 * one);
    expect(three).toBeGreaterThan(5 * two);
  });

  it("finds the shortest: no program with fewer moves shows it", async () => {
    const options = {
      policies: ["flush-range"],
      scenarios: ["pud_free_pmd_page"],
      hardware: "usual",
      agents: ["iommu"],
    } as const;
    const [record] = await collect(options);
    expect(record?.witness?.replay.points).toHaveLength(2);
    const [less] = await collect({ ...options, depth: 1 });
    expect(less?.verdict).toBe("safe");
  });

  it.each(["flush-range", "deferred-free-unlocked"] as const)(
    "gives a witness for %s that any machine replays",
    async (policy) => {
      const [record] = await collect({
        policies: [policy],
        scenarios: ["pud_free_pmd_page"],
        hardware: "usual",
        agents: ["iommu"],
      });
      const witness = record?.worst?.witness;
      if (!witness) throw new Error("no witness");
      const machine = freshMachine(policy);
      machine.play(bytes(witness.replay.setUp));
      machine.playInterleaved(bytes(witness.replay.program), {
        operations: bytes(witness.replay.operations),
        points: witness.replay.points,
      });
      expect(machine.kernel?.hazards()[0]).toMatchObject({
        kind: "forged-translation",
        frame: witness.hazard.frame,
        address: witness.hazard.address,
      });
    },
  );

  it("is the same every time", async () => {
    const options = { policies: ["flush-range", "deferred-free-unlocked"], hardware: "usual", depth: 2 } as const;
    expect(await collect(options)).toEqual(await collect(options));
  });
});

describe("hardware options", () => {
  it("I1: no verdict changes with cached supervisor leaves or a device TLB", async () => {
    // Whole walks: what step by step adds is no matter of leaves.
    const every = { hardware: everyIommu, agents: ["iommu"], depth: 2, walks: "atomic" } as const;
    const records = await collect({ ...every, policies: JUDGED });
    const verdictsOf = (change: "cacheSupervisorLeaves" | "deviceTlb", value: boolean): unknown[] =>
      records
        .filter(({ options }) => (options as typeof usualIommu)[change] === value)
        .map(({ policy, scenario, verdict, race }) => [policy, scenario, verdict, race !== undefined && race !== null]);
    for (const name of ["cacheSupervisorLeaves", "deviceTlb"] as const) {
      expect(verdictsOf(name, true)).toHaveLength((everyIommu.length / 2) * scenarioNames.length * JUDGED.length);
      expect(verdictsOf(name, true)).toEqual(verdictsOf(name, false));
    }
  });

  it("without paging-structure caches, to whole walks only free-before-clear and memory's own pointers are left", async () => {
    const hardware = [{ ...usualIommu, pagingStructureCaches: false }];
    const records = await collect({ policies: ["none"], hardware, agents: ["iommu"], walks: "atomic" });
    expect(records.filter(({ verdict }) => verdict === "hazard").map(({ scenario }) => scenario)).toEqual([
      "remove_pagetable",
      "remove_pagetable/boot",
      "remove_pagetable/vmemmap",
      "remove_pagetable/split",
      "kasan_remove_zero_shadow",
    ]);
  });

  it("cached supervisor leaves cost IOTLB entries and hits, not safety", async () => {
    const [cached, not] = await iotlbOccupancy();
    expect(cached).toMatchObject({ cacheSupervisorLeaves: true, entries: 64, hazards: 0 });
    expect(not).toMatchObject({ cacheSupervisorLeaves: false, supervisor: 0, user: 48, hazards: 0 });
    expect(cached.supervisor).toBe(48);
    expect(cached.user + cached.supervisor).toBeLessThanOrEqual(cached.entries);
    expect(cached.hits).toBeLessThan(not.hits);
    expect(cached.requests).toBe(not.requests);
  });
});

describe("options of verdicts()", () => {
  const first = (options: Parameters<typeof verdicts>[0]): Promise<unknown> => verdicts(options).next();

  it("are checked, with the field and the value", async () => {
    await expect(first({ depth: 6 })).rejects.toThrow(/depth is 6; expected an integer from 1 to 5/);
    await expect(first({ scenarios: ["pmd" as never] })).rejects.toThrow(
      /scenarios\[0\] is "pmd"; expected one of pmd_free_pte_page/,
    );
    await expect(first({ policies: ["nobody" as never] })).rejects.toThrow(/policies\[0\] is "nobody"/);
    await expect(first({ policies: [{ name: "x", scope: "page" as never }] })).rejects.toThrow(
      /policies\[0\]\.scope is "page"; expected one of range/,
    );
    await expect(first({ hardware: "none" as never })).rejects.toThrow(/hardware is "none"/);
    await expect(first({ agents: ["gpu" as never] })).rejects.toThrow(/agents is "gpu"/);
  });

  it("let the caller follow and stop it", async () => {
    const controller = new AbortController();
    const seen: Progress[] = [];
    const records: VerdictRecord[] = [];
    const run = async (): Promise<void> => {
      const onProgress = (progress: Progress): void => {
        seen.push(progress);
        if (progress.done === 3) controller.abort(new Error("enough"));
      };
      const options = { policies: ["none"], hardware: "usual", agents: ["iommu"], onProgress } as const;
      for await (const record of verdicts({ ...options, signal: controller.signal })) records.push(record);
    };
    await expect(run()).rejects.toThrow("enough");
    expect(seen).toEqual([1, 2, 3].map((done) => ({ done, total: scenarioNames.length, unit: "cells" })));
    expect(cell(records, "none", "pmd_free_pte_page").verdict).toBe("hazard");
  });
});
