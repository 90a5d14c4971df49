// Cells of the matrix against an exhaustive exploration of the model (src/verdicts/search.ts leaves out what cannot matter; here nothing
// is left out): the same verdicts, the same races, and hazards with as few moves. At night all cells, with one move more.
import { describe, expect, it } from "vitest";
import type { PolicyName } from "../../../src/index.js";
import type { ScenarioName } from "../../../src/verdicts/index.js";
import { amount } from "../../support/effort.js";
import { collect } from "../../verdicts/collect.js";
import { cache, PLAIN, tlb } from "../builder.js";
import { explore } from "./exhaustive.js";
import type { KernelConfig } from "./kernel.js";
import type { KernelOperation } from "./operations.js";
import { PRESETS } from "./policy.js";
import type { Version } from "./versions.js";

const DEPTH = amount({ quick: 2, full: 2, nightly: 3 });
const PASID = 42;
const MIB2 = 0x20_0000n;
const VMALLOC = 0xffff_c900_0000_0000n;
const DIRECT = 0xffff_8881_0000_0000n;
const VMEMMAP = 0xffff_ea00_0000_0000n;
const SPLIT_VMEMMAP = 1 << 4;

/** A row of the matrix, by the operations of rules.md section 10. */
interface Row {
  addresses: readonly bigint[];
  setUp: readonly KernelOperation[];
  free: KernelOperation;
}

const small = (address: bigint, pages: number): KernelOperation => ({ kind: "vmalloc", address, pages, shift: 12 });
const unmapped = (address: bigint, pages: number): KernelOperation => ({ kind: "vfree", address, pages, type: 0 });

const rows: Partial<Record<ScenarioName, Row>> = {
  pmd_free_pte_page: {
    addresses: [VMALLOC, VMALLOC + MIB2 - 0x1000n],
    setUp: [small(VMALLOC, 512), unmapped(VMALLOC, 512), { kind: "purge" }],
    free: { kind: "vmalloc", address: VMALLOC, pages: 512, shift: 21 },
  },
  pud_free_pmd_page: {
    addresses: [VMALLOC, VMALLOC + 5n * MIB2],
    setUp: [...[VMALLOC, VMALLOC + 5n * MIB2].flatMap((at) => [small(at, 16), unmapped(at, 16)]), { kind: "purge" }],
    free: { kind: "vmalloc", address: VMALLOC, pages: 262_144, shift: 30 },
  },
  cpa_collapse_large_pages: {
    addresses: [DIRECT, DIRECT + MIB2 - 0x1000n],
    setUp: [
      { kind: "hot-add", address: DIRECT, blocks: 1, type: 0 },
      { kind: "cpa-split", address: DIRECT },
    ],
    free: { kind: "cpa-collapse", address: DIRECT },
  },
  "remove_pagetable/vmemmap": {
    addresses: [VMEMMAP, VMEMMAP + MIB2 - 0x1000n],
    setUp: [
      { kind: "hot-add", address: VMEMMAP, blocks: 1, type: SPLIT_VMEMMAP },
      { kind: "hot-add", address: VMEMMAP + MIB2, blocks: 1, type: 0 },
    ],
    free: { kind: "hot-remove", address: VMEMMAP, blocks: 1, type: 0 },
  },
};

/** The machine of a verdict on usual hardware: caches that never evict, and no device TLB. */
function configOf(policy: PolicyName, version: Version): KernelConfig {
  const kept = { 2: cache(16, 16), 3: cache(16, 16), 4: cache(16, 16) };
  const cpu = { controls: PLAIN, invlpgScope: "pcid", l1: [], l2: [], psc: {} } as const;
  return {
    ...{
      version,
      levels: 4,
      maxPhyAddr: 46,
      pages1G: true,
      poolBase: 0x1000,
      pool: 18,
      autoPurge: true,
      detect: true,
      ring: 16,
    },
    cpus: [
      { ...cpu, l1: [], l2: [] },
      { ...cpu, l1: [], l2: [] },
    ],
    iommus: [
      {
        ...{ pasids: [PASID], l1: [tlb(16, 16)], l2: [], psc: kept, devices: [undefined] },
        ...{ supervisorEntries: "cache", cacheSupervisorLeaves: false },
      },
    ],
    policy: PRESETS[policy],
  };
}

const WORK: KernelOperation = { kind: "run-work" };

function exploreCell(
  name: ScenarioName,
  policy: PolicyName,
  version: Version,
  race: boolean,
): ReturnType<typeof explore> {
  const { addresses, setUp, free } = rows[name] as Row;
  const access = (address: bigint, code: number): KernelOperation => ({
    ...{ kind: "request", iommu: 0, device: undefined, pasid: PASID, address, access: code },
  });
  const bound: KernelOperation[] = [
    { kind: "mm-create", mm: 0 },
    { kind: "sva-bind", iommu: 0, pasid: PASID, mm: 0 },
  ];
  const moves = [
    ...addresses.flatMap((address) => [access(address, 4), access(address, 5)]),
    { kind: "reuse", type: 1, address: 0x123_4000n } as const,
    ...(race ? [WORK] : []),
  ];
  const main = PRESETS[policy].deferFree || PRESETS[policy].async ? [free, WORK, WORK] : [free];
  return explore({ config: configOf(policy, version), setUp: [...bound, ...setUp], main, moves }, DEPTH);
}

type Cell = readonly [ScenarioName, PolicyName, Version, "hazard" | "safe" | "race"];

const few: readonly Cell[] = [
  ["pmd_free_pte_page", "none", "7.3", "hazard"],
  ["pmd_free_pte_page", "flush-range", "7.3", "safe"],
  ["pud_free_pmd_page", "flush-range", "7.3", "hazard"],
  ["cpa_collapse_large_pages", "deferred-free", "6.18.7", "hazard"],
];
const all: readonly Cell[] = [
  ...few,
  ["pmd_free_pte_page", "deferred-free", "7.3", "safe"],
  ["pud_free_pmd_page", "deferred-free", "6.18.7", "safe"],
  ["cpa_collapse_large_pages", "deferred-free", "7.3", "safe"],
  ["remove_pagetable/vmemmap", "deferred-free", "7.3", "race"],
];
/** One move more takes about twenty times as long: a cell of the night may have hours. */
const LIMIT = 4 * 3_600_000;

describe("cells of the matrix, by everything that may happen", () => {
  it.each(amount({ quick: few, full: few, nightly: all }))(
    "%s under %s, Linux %s: %s",
    { timeout: LIMIT },
    async (scenario, policy, kernel, right) => {
      const [cell] = await collect({
        ...{ kernel, policies: [policy], scenarios: [scenario], hardware: "usual", agents: ["iommu"], depth: DEPTH },
      });
      if (!cell) throw new Error("no cell");
      expect(cell.verdict === "safe" && cell.race ? "race" : cell.verdict).toBe(right);
      const plain = exploreCell(scenario, policy, kernel, false);
      expect(plain.fewest).toBe(cell.verdict === "hazard" ? cell.witness?.replay.points.length : undefined);
      if (cell.verdict === "hazard" || cell.race === undefined) return;
      const raced = exploreCell(scenario, policy, kernel, true);
      expect(raced.fewest !== undefined).toBe(cell.race !== null);
      expect(raced.programs).toBeGreaterThan(100);
    },
  );
});
