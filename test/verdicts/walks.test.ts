// Walks step by step in the search (docs/rules.md section 14): without paging-structure caches a walk under way is the memory that
// is left, and whoever does not wait for the IOMMU before the free is a hazard (K3).
import { beforeAll, describe, expect, it } from "vitest";
import { createMachineSync, type PolicyName } from "../../src/index.js";
import { type ScenarioName, usualIommu, type VerdictRecord } from "../../src/verdicts/index.js";
import { cell, collect, story } from "./collect.js";

const UNCACHED = { ...usualIommu, pagingStructureCaches: false };
const SITES = ["pmd_free_pte_page", "pud_free_pmd_page", "cpa_collapse_large_pages"] as const;
const POLICIES = [
  ...(["none", "flush-range", "flush-async", "flush-on-table-free"] as const),
  ...(["deferred-free", "deferred-free-unlocked", "user-root", "sva-off"] as const),
];
/** The split tables of this kernel carry no mark. */
const KERNEL = "6.18.7";
const COMMON = { kernel: KERNEL, hardware: [UNCACHED], agents: ["iommu"] } as const;

let records: VerdictRecord[] = [];

beforeAll(async () => {
  records = await collect({ ...COMMON, policies: POLICIES, scenarios: SITES });
});

const hazardous = (policy: PolicyName): ScenarioName[] =>
  SITES.filter((site) => cell(records, policy, site).verdict === "hazard");

describe("K3: without paging-structure caches, walks step by step", () => {
  it.each([
    ["none", SITES],
    ["flush-range", ["cpa_collapse_large_pages"]],
    ["flush-async", SITES],
    ["flush-on-table-free", []],
    ["deferred-free", ["cpa_collapse_large_pages"]],
    ["deferred-free-unlocked", SITES],
    ["user-root", []],
    ["sva-off", []],
  ] as const)("%s: hazards at %j", (policy, sites) => {
    expect(hazardous(policy)).toEqual(sites);
  });

  it("are told as a walk that begins, holds a pointer, and goes on", () => {
    const record = cell(records, "none", "pmd_free_pte_page");
    expect(record).toMatchObject({ walks: "stepwise", drain: "all", kind: "forged-translation" });
    const texts = story(record);
    expect(texts.find((text) => text.includes("begins"))).toBe(
      "device (PASID 42) begins a read of 0xffffc90000000000, reads its PML4, PDPT and PD entries and waits",
    );
    expect(texts.at(-1)).toMatch(
      /^the walk of the device goes on: the PD entry that it has read leads to frame 0x\w+ \(generation \d+ then, \d+ now\), a PT freed at step \d+: .*\(forged-translation\)$/,
    );
  });

  it("have witnesses that any machine replays", () => {
    const witness = cell(records, "deferred-free", "cpa_collapse_large_pages").witness;
    if (!witness) throw new Error("no witness");
    const machine = createMachineSync({
      workloadPages: 1,
      cpus: [{}, {}],
      iommus: [{ l1: [{ entries: 16, ways: 16 }], pasids: [42], walks: "stepwise" }],
      kernel: { version: KERNEL, pool: 18, mms: 2, policy: "deferred-free" },
    });
    const bytes = (text: string) =>
      Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (it) => Number.parseInt(it, 16));
    const { setUp, program, operations, points } = witness.replay;
    machine.play(bytes(setUp));
    machine.playInterleaved(bytes(program), { operations: bytes(operations), points });
    expect(machine.kernel?.hazards()[0]).toMatchObject({ kind: witness.hazard.kind, frame: witness.hazard.frame });
  });

  it("whole walks find nothing there", async () => {
    const whole = await collect({ ...COMMON, policies: ["none"], scenarios: SITES, walks: "atomic" });
    expect(whole.map(({ verdict, walks }) => [verdict, walks])).toEqual(SITES.map(() => ["safe", "atomic"]));
  });
});

describe("with paging-structure caches that do not hold what lies below U/S = 0 (`uncached-supervisor-entries`)", () => {
  const options = { ...usualIommu, supervisorEntries: "walk" } as const;
  const BELOW_SPLITS = [
    ...(["pmd_free_pte_page/split", "remove_pagetable/split"] as const),
    ...(["cpa_collapse_large_pages", "cpa_collapse_large_pages/1G"] as const),
  ];

  it("a walk under way holds the table that a split made, as without these caches", async () => {
    const common = {
      kernel: "7.3",
      hardware: [options],
      agents: ["iommu"],
      scenarios: BELOW_SPLITS,
      depth: 2,
    } as const;
    const found = await collect({ ...common, policies: ["none", "flush-async"] });
    expect(found.map(({ verdict }) => verdict)).toEqual(found.map(() => "hazard"));
    expect(story(cell(found, "none", "pmd_free_pte_page/split")).at(-1)).toMatch(/^the walk of the device goes on/);
    const whole = await collect({ ...common, policies: ["none"], walks: "atomic" });
    // An unplug frees before it clears: whole walks find that.
    expect(whole.map(({ verdict }) => verdict)).toEqual(["safe", "hazard", "safe", "safe"]);
  });
});

describe("what an invalidation waits for decides", () => {
  const judge = async (drain: "all" | "page" | "none", options: object): Promise<string[]> =>
    (await collect({ ...COMMON, policies: ["flush-range"], scenarios: SITES.slice(0, 2), drain, ...options })).map(
      ({ verdict }) => verdict,
    );

  it.each([
    // pud_free_pmd_page flushes one page of the 1 GiB: whether that waits for the others is not settled by the text.
    ["all", ["safe", "safe"]],
    ["page", ["hazard", "hazard"]],
    ["none", ["hazard", "hazard"]],
  ] as const)("drain %s: flush-range at pmd_free_pte_page and pud_free_pmd_page", async (drain, verdicts) => {
    expect(await judge(drain, {})).toEqual(verdicts);
  });

  it("none: also with paging-structure caches, and on CPUs", async () => {
    expect(await judge("none", { hardware: [usualIommu] })).toEqual(["hazard", "hazard"]);
    const cpu = {
      policies: ["none"],
      agents: ["cpu"],
      scenarios: ["cpa_collapse_large_pages"],
      hardware: "usual",
    } as const;
    expect((await collect({ ...cpu, drain: "all" })).map(({ verdict }) => verdict)).toEqual(["safe"]);
    expect((await collect({ ...cpu, drain: "none" })).map(({ verdict }) => verdict)).toEqual(["hazard"]);
  });

  it("page: an invalidation drops what paging-structure caches have of more pages than those whose walks it waits for", async () => {
    expect(await judge("page", { hardware: [usualIommu] })).toEqual(["hazard", "hazard"]);
    const cpu = { policies: ["none"], agents: ["cpu"], scenarios: ["pmd_free_pte_page"], hardware: "usual" } as const;
    const invlpg = await collect({ ...cpu, drain: "page", depth: 2 });
    expect(story(invlpg[0] as VerdictRecord).at(-1)).toMatch(/^the walk of CPU 1 goes on/);
  });
});
