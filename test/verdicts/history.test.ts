// Each preset is a piece of the patch's history and has a verdict that is known from the mails; the search must find it, for
// the known reason.
import { beforeAll, describe, expect, it } from "vitest";
import { hazardKinds } from "../../src/index.js";
import { type ScenarioName, scenarioNames, usualIommu, type VerdictRecord } from "../../src/verdicts/index.js";
import { cell, collect, story } from "./collect.js";

/** The first kernel with the merged fix. */
const KERNEL = "6.18.7";
const kernelSites = scenarioNames.filter((name) => !["munmap", "zap_pte_range", "exit"].includes(name));
/** All that unplug frees, whatever its origin. */
const unplugs = scenarioNames.filter((name) => name.startsWith("remove_pagetable"));
let records: VerdictRecord[] = [];

beforeAll(async () => {
  records = await collect({ kernel: KERNEL, hardware: "usual" });
}, 120_000);

function hazardous(policy: string, agent = "iommu"): ScenarioName[] {
  return scenarioNames.filter((name) => cell(records, policy, name, agent).verdict === "hazard");
}

/** Steps that must occur in this order, each in one text of the story. */
function expectSteps(record: VerdictRecord, ...patterns: RegExp[]): void {
  const texts = story(record);
  let from = 0;
  for (const pattern of patterns) {
    const at = texts.findIndex((text, i) => i >= from && pattern.test(text));
    expect(at, `${pattern} from step ${from + 1} on in\n${texts.join("\n")}`).toBeGreaterThanOrEqual(0);
    from = at + 1;
  }
  expect(from, "the last pattern is the last step").toBe(texts.length);
}

describe("IOMMU verdicts of the presets", () => {
  it("none: a hazard at every kernel site", () => {
    expect(hazardous("none")).toEqual(kernelSites);
    const record = cell(records, "none", "pmd_free_pte_page");
    expect(record.kind).toBe("forged-translation");
    expect(record.witness?.hazard).toMatchObject({ kind: "walk-after-free", level: 1, site: "pmd_free_pte_page" });
    expectSteps(
      record,
      /vfree/,
      /purge/,
      /device \(PASID 42\) reads 0xffffc90000000000: refused; .*PD entry/,
      /vmalloc_huge.*pmd_free_pte_page\(\): the PD entry .* is cleared/,
      /flush_tlb_kernel_range.*one page: CPUs only, the IOMMU hears nothing/,
      /pte_free_kernel\(\): frame 0x[0-9a-f]+ freed at once/,
      /somebody takes frame .* user PTEs/,
      /device .* a cached PD entry leads to frame 0x[0-9a-f]+ .* a PT freed at step \d+: .*\(forged-translation\)$/,
    );
  });

  it("flush-range (v1, v2): safe at pmd_free_pte_page only; pud_free_pmd_page flushes one page of many", () => {
    expect(hazardous("flush-range")).toEqual(kernelSites.filter((name) => !name.startsWith("pmd_free_pte_page")));
    const pud = cell(records, "flush-range", "pud_free_pmd_page");
    // Not the slot that is flushed, another one.
    expect(pud.witness?.hazard).toMatchObject({ address: 0xffffc90000a00000n, level: 1, site: "pud_free_pmd_page" });
    expectSteps(
      pud,
      /reads 0xffffc90000a00000/,
      /one page of the 1 GiB: CPUs, then the same range in the IOMMU/,
      /a cached PD entry leads/,
    );
    expectSteps(
      cell(records, "flush-range", "cpa_collapse_large_pages"),
      /flush_tlb_all\(\): CPUs only, the IOMMU hears nothing/,
      /pagetable_free\(\)/,
      /a cached PD entry/,
    );
  });

  it("flush-async (v3): the frame is free before the work runs", () => {
    expect(hazardous("flush-async")).toEqual(kernelSites);
    expectSteps(
      cell(records, "flush-async", "pmd_free_pte_page"),
      /flush_tlb_kernel_range.*the IOMMU's invalidation is left to deferred work/,
      /freed at once/,
      /device .* a cached PD entry leads/,
    );
  });

  it("flush-on-table-free: what precedes its flush, or has none, or flushes one page of many, stays open", () => {
    expect(hazardous("flush-on-table-free")).toEqual(["pud_free_pmd_page", ...unplugs, "kasan_remove_zero_shadow"]);
    expectSteps(
      cell(records, "flush-on-table-free", "remove_pagetable"),
      /free_pte_table\(\), before its PD entry is cleared/,
      /the PD entry in memory still leads to/,
    );
  });

  it("K1: deferred-free (merged) does nothing for tables without the mark: hot-added, boot, split", () => {
    expect(hazardous("deferred-free")).toEqual([
      "pmd_free_pte_page/split",
      "remove_pagetable",
      "remove_pagetable/boot",
      "remove_pagetable/split",
      "cpa_collapse_large_pages",
      "cpa_collapse_large_pages/1G",
    ]);
    expectSteps(
      cell(records, "deferred-free", "remove_pagetable"),
      /hot-added, .*without the kernel's mark/,
      /freed at once \(not marked as a kernel table, so not deferred\)/,
      /device/,
    );
    expectSteps(
      cell(records, "deferred-free", "remove_pagetable/boot"),
      /present at boot/,
      /freed at once \(reserved boot memory is never deferred\)/,
      /device/,
    );
    expectSteps(
      cell(records, "deferred-free", "cpa_collapse_large_pages"),
      /__split_large_page/,
      /freed at once \(not marked as a kernel table, so not deferred\)/,
      /a cached PD entry leads/,
    );
  });

  it("deferred-free: where free precedes clear, work that runs in between opens the window again", () => {
    const races = scenarioNames.filter((name) => cell(records, "deferred-free", name).race);
    expect(races).toEqual(["remove_pagetable/vmemmap", "kasan_remove_zero_shadow"]);
    expect(cell(records, "deferred-free", "pmd_free_pte_page").race).toBeNull();
    const race = cell(records, "deferred-free", "remove_pagetable/vmemmap").race;
    expect(race?.kind).toBe("forged-translation");
    const texts = race?.witness.steps.map(({ text }) => text) ?? [];
    expect(texts.at(-3)).toMatch(/deferred work runs here, inside the operation: .* frees frame/);
    expect(texts.at(-1)).toMatch(/the PD entry in memory still leads to/);
  });

  it("deferred-free-unlocked: tables queued between the invalidation and the taking of the list", () => {
    expect(hazardous("deferred-free-unlocked")).toEqual(kernelSites);
    expectSteps(
      cell(records, "deferred-free-unlocked", "pmd_free_pte_page"),
      /pte_free_kernel\(\): frame .* queued/,
      /deferred work: invalidates the kernel half/,
      /device .* reads 0xffffc90040000000: refused/,
      /elsewhere: vmalloc_huge.* queued/,
      /deferred work: takes the list and frees frames/,
      /device .* reads 0xffffc90040000000: a cached PD entry leads/,
    );
  });

  it("user-root and sva-off: safe everywhere", () => {
    for (const policy of ["user-root", "sva-off"]) expect(hazardous(policy)).toEqual([]);
  });

  it("stop-at-supervisor (hardware): closes what lies under U/S = 0 parents, and nothing of vmalloc", async () => {
    const stopped = await collect({
      kernel: KERNEL,
      policies: ["none", "deferred-free"],
      hardware: [{ ...usualIommu, supervisorEntries: "stop" }],
      agents: ["iommu"],
    });
    const open = stopped.filter(({ verdict }) => verdict === "hazard").map((r) => `${r.policy} ${r.scenario}`);
    expect(open).toEqual([
      "none pmd_free_pte_page",
      "none pud_free_pmd_page",
      "none remove_pagetable",
      "none remove_pagetable/boot",
      "none remove_pagetable/vmemmap",
      // K2: U/S = 1 above the leaves of KASAN's shadow too.
      "none kasan_remove_zero_shadow",
      "deferred-free remove_pagetable",
      "deferred-free remove_pagetable/boot",
    ]);
  });

  it("munmap, sound reclaim, the end of a process: covered under every policy (K20)", () => {
    for (const record of records.filter(({ scenario }) => ["munmap", "zap_pte_range", "exit"].includes(scenario))) {
      expect(record, `${record.policy}, ${record.agent}`).toMatchObject({ verdict: "safe" });
    }
  });
});

describe("CPU verdicts", () => {
  it("no IOMMU policy mends inactive PCIDs at pmd_free_pte_page and pud_free_pmd_page", () => {
    for (const { policy } of records) {
      for (const name of ["pmd_free_pte_page", "pud_free_pmd_page"] as const) {
        expect(cell(records, policy, name, "cpu").verdict).toBe("hazard");
      }
    }
    expectSteps(
      cell(records, "deferred-free", "pmd_free_pte_page", "cpu"),
      /CPU 1 walks speculatively .* hold its .*PD entry/,
      /CPU 1 switches to process 1/,
      /INVLPG on every CPU, under its current PCID/,
      /queued for the deferred work/,
      /CPU 1 switches to process 0/,
      /deferred work: frees frame/,
      /CPU 1 .* a cached PD entry leads/,
    );
  });

  it("a site that flushes every CPU between clear and free is safe", () => {
    for (const { policy } of records)
      expect(cell(records, policy, "cpa_collapse_large_pages", "cpu").verdict).toBe("safe");
  });
});

describe("every witness", () => {
  it("ends with its hazard, names the step that freed the frame, and is numbered", () => {
    const hazards = records.filter(({ verdict }) => verdict === "hazard");
    expect(hazards.length).toBeGreaterThan(50);
    for (const record of hazards) {
      const witnesses = [record.witness, record.worst?.witness, record.race?.witness].filter((w) => w !== undefined);
      for (const { steps, hazard, freedAtStep } of witnesses) {
        const where = `${record.policy}, ${record.scenario}, ${record.agent}`;
        expect(steps.map(({ number }) => number)).toEqual(steps.map((_, i) => i + 1));
        expect(freedAtStep, where).toBeDefined();
        expect(steps[(freedAtStep ?? 0) - 1]?.frames, where).toContain(hazard.frame);
        expect(steps.at(-1)?.text, where).toContain(`freed at step ${freedAtStep}`);
        expect(hazard.site, where).toBe(record.site);
      }
      expect(record.kind).toBe(record.worst?.kind ?? record.witness?.hazard.kind);
      const rank = hazardKinds.indexOf(record.kind ?? "walk-after-free");
      expect(rank).toBeGreaterThanOrEqual(hazardKinds.indexOf(record.witness?.hazard.kind ?? "stale-translation"));
    }
  });
});
