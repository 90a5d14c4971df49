// The known history, case by case: what each policy closes and what it leaves open, at each site, and what the hardware's
// options change. Reasoned from the patches' own threads (rules.md 10 to 12); every case is a name that can be looked up.

import { describe, expect, it } from "vitest";
import { cache, KERNEL_READ, tlb } from "../builder.js";
import type { Outcome } from "../walk.js";
import {
  boundKernel,
  cpuRead,
  DIRECT,
  deviceRead,
  GIB,
  HUGE_PAGES,
  type KernelOptions,
  kindsOf,
  LARGE_PAGES,
  MIB2,
  OTHER_PASID,
  run,
  tableOf,
  VMALLOC,
} from "./builder.js";
import type { Kernel, KernelIommuConfig } from "./kernel.js";
import type { KernelCall } from "./operations.js";
import { PRESETS } from "./policy.js";
import { SITE } from "./sites.js";

type PresetName = keyof typeof PRESETS;

/** A way to lose a table: what makes it, where a device looks, and what frees it. */
interface Loss {
  make: KernelCall[];
  address: bigint;
  free: KernelCall[];
}

const small = (address: bigint): KernelCall => ({ kind: "vmalloc", address, pages: 3, shift: 12 });

const LOSSES = {
  pmd_free_pte_page: {
    make: [small(VMALLOC)],
    address: VMALLOC,
    free: [{ kind: "vmalloc", address: VMALLOC, pages: LARGE_PAGES, shift: 21 }],
  },
  "pud_free_pmd_page, first slot": {
    make: [small(VMALLOC)],
    address: VMALLOC,
    free: [{ kind: "vmalloc", address: VMALLOC, pages: HUGE_PAGES, shift: 30 }],
  },
  "pud_free_pmd_page, another slot": {
    make: [small(VMALLOC + 2n * MIB2)],
    address: VMALLOC + 2n * MIB2,
    free: [{ kind: "vmalloc", address: VMALLOC, pages: HUGE_PAGES, shift: 30 }],
  },
  remove_pagetable: {
    make: [{ kind: "hot-add", address: DIRECT, blocks: 1, type: 2 }],
    address: DIRECT,
    free: [{ kind: "hot-remove", address: DIRECT, blocks: 1, type: 0 }],
  },
  "remove_pagetable, boot memory": {
    make: [{ kind: "hot-add", address: DIRECT, blocks: 1, type: 3 }],
    address: DIRECT,
    free: [{ kind: "hot-remove", address: DIRECT, blocks: 1, type: 0 }],
  },
  kasan_remove_zero_shadow: {
    make: [{ kind: "hot-add", address: DIRECT, blocks: 1, type: 6 }],
    address: DIRECT,
    free: [{ kind: "hot-remove", address: DIRECT, blocks: 1, type: 4 }],
  },
  cpa_collapse_large_pages: {
    make: [
      { kind: "hot-add", address: DIRECT, blocks: 1, type: 0 },
      { kind: "cpa-split", address: DIRECT },
    ],
    address: DIRECT,
    free: [{ kind: "cpa-collapse", address: DIRECT }],
  },
} as const satisfies Record<string, Loss>;
type LossName = keyof typeof LOSSES;

/** An IOMMU with an IOTLB and a PDE cache of four entries. */
function bareIommu(options: Pick<KernelIommuConfig, "supervisorEntries" | "cacheSupervisorLeaves">): KernelIommuConfig {
  return { pasids: [5], l1: [tlb(4, 4)], l2: [], psc: { 2: cache(4, 4) }, devices: [undefined], ...options };
}

/** A device looks, the table goes, someone gets its frame, the device looks at another page; then what was found. */
function play(name: LossName, options: KernelOptions, duringFree: (k: Kernel) => void = () => {}): Kernel {
  const loss: Loss = LOSSES[name];
  const k = boundKernel(options);
  run(k, ...loss.make);
  deviceRead(k, loss.address);
  const points = Array.from({ length: 50 }, (_, point) => ({ point, operation: { kind: "purge" } as const }));
  k.points.carry(
    points.map((it) => ({ ...it, point: it.point + k.points.reached })),
    () => duringFree(k),
  );
  run(k, ...loss.free);
  run(k, { kind: "reuse", type: 1, address: 0x12_3000n }, { kind: "reuse", type: 1, address: 0x12_3000n });
  deviceRead(k, loss.address + 0x1000n);
  return k;
}

const isOpen = (k: Kernel): boolean => Object.keys(kindsOf(k)).length > 0;

describe("after the free: an attacker's device looks once before and once after", () => {
  const open: Record<PresetName, LossName[]> = {
    none: Object.keys(LOSSES) as LossName[],
    "flush-range": (Object.keys(LOSSES) as LossName[]).filter(
      (name) => !["pmd_free_pte_page", "pud_free_pmd_page, first slot"].includes(name),
    ),
    // Nobody has run the worker yet.
    "flush-async": Object.keys(LOSSES) as LossName[],
    // A hooked flush_tlb_all comes late for remove_pagetable, but it comes before the end; KASAN does not flush at all.
    "flush-on-table-free": ["pud_free_pmd_page, another slot", "kasan_remove_zero_shadow"],
    "deferred-free": ["remove_pagetable", "remove_pagetable, boot memory", "cpa_collapse_large_pages"],
    "deferred-free-unlocked": ["remove_pagetable", "remove_pagetable, boot memory", "cpa_collapse_large_pages"],
    "user-root": [],
    "sva-off": [],
  };
  const cases = (Object.keys(open) as PresetName[]).flatMap((preset) =>
    (Object.keys(LOSSES) as LossName[]).map((name) => ({ preset, name, isOpen: open[preset].includes(name) })),
  );
  it.each(cases)("$preset at $name: open $isOpen", ({ preset, name, isOpen: expected }) => {
    expect(isOpen(play(name, { policy: PRESETS[preset] }))).toBe(expected);
  });

  it("a forged translation is completed where the frame was used again", () => {
    expect(kindsOf(play("pmd_free_pte_page", {}))).toEqual({
      "write-after-free": 1,
      "walk-of-reused-frame": 1,
      "forged-translation": 1,
    });
  });
});

describe("scenarios", () => {
  it("1: a cached supervisor leaf grants nothing, whatever becomes of the entry", () => {
    const k = boundKernel();
    run(k, small(VMALLOC));
    expect(deviceRead(k, VMALLOC)).toMatchObject({ reason: "supervisor-page" });
    const pt = tableOf(k, VMALLOC, 2);
    k.memory.writeEntry(pt, 0, 0x5007n);
    expect(deviceRead(k, VMALLOC)).toMatchObject({ reason: "supervisor-page" });
    expect(isOpen(k)).toBe(false);
  });

  it("2: without a policy the A bit goes into a foreign page even if the access is refused", () => {
    const k = boundKernel();
    // The PDPTE and the PDE of VMALLOC come from one walk; both tables go with a 1 GiB mapping.
    run(k, small(VMALLOC));
    deviceRead(k, VMALLOC);
    run(k, { kind: "vmalloc", address: VMALLOC, pages: HUGE_PAGES, shift: 30 });
    // Whoever gets the PD's frame first fills it with words that look like pointers to tables.
    const pd = Number(run(k, { kind: "reuse", type: 2, address: 0x12_3000n | 7n }));
    expect(deviceRead(k, VMALLOC + MIB2)).toMatchObject({ kind: "absent" });
    expect(k.memory.readEntry(pd, 1)).toBe(0x12_3027n);
    expect(kindsOf(k)).toEqual({ "write-after-free": 1, "walk-of-reused-frame": 1 });
  });

  it("3: PASID-selective invalidation at the same hook closes what a page-selective one leaves", () => {
    const scopes = (["range", "pasid", "all"] as const).map((scope) =>
      isOpen(play("pud_free_pmd_page, another slot", { policy: { ...PRESETS["flush-range"], scope } })),
    );
    expect(scopes).toEqual([true, false, false]);
  });

  it("5: hooked or not, unplug frees before it clears and flushes", () => {
    const policy = { ...PRESETS["flush-range"], hookFlushAll: true };
    const k = play("remove_pagetable", { policy }, (k) => deviceRead(k, DIRECT + 0x3000n));
    expect(kindsOf(k)["walk-after-free"]).toBeGreaterThan(0);
    expect(k.hazards.dump().records[0]).toMatchObject({ site: SITE.removePagetable, state: "free" });
  });

  it("6: asynchronous work closes the window late, and loses requests when there is no room", () => {
    const k = play("pmd_free_pte_page", { policy: PRESETS["flush-async"] });
    expect([k.requests.length, k.counters.iommuRounds]).toEqual([1, 0]);
    run(k, { kind: "run-work" });
    expect([k.requests.length, k.counters.iommuRounds]).toEqual([0, 1]);
    expect(deviceRead(k, VMALLOC + 0x2000n)).toMatchObject({ reason: "supervisor-page", level: 2 });
    for (let flush = 0; flush < 70; flush++) run(k, { kind: "flush-all" });
    expect([k.requests.length, k.counters.lostRequests]).toEqual([64, 6]);
    run(k, { kind: "run-work" });
    expect(k.counters.iommuRounds).toBe(65);
  });

  it("7: a worker that invalidates before it takes the list frees what came in between", () => {
    const found = (["deferred-free-unlocked", "deferred-free"] as const).map((preset) => {
      const k = boundKernel({ policy: PRESETS[preset] });
      run(k, small(VMALLOC), small(VMALLOC + MIB2));
      run(k, { kind: "vmalloc", address: VMALLOC, pages: LARGE_PAGES, shift: 21 });
      deviceRead(k, VMALLOC + MIB2);
      // At the worker's first point another table is unlinked.
      k.points.carry([{ point: k.points.reached, operation: { kind: "purge" } }], () => {
        deviceRead(k, VMALLOC + MIB2);
        run(k, { kind: "vmalloc", address: VMALLOC + MIB2, pages: LARGE_PAGES, shift: 21 });
      });
      run(k, { kind: "run-work" });
      run(k, { kind: "reuse", type: 1, address: 0x12_3000n });
      deviceRead(k, VMALLOC + MIB2 + 0x1000n);
      return { found: Object.keys(kindsOf(k)), waiting: k.deferred.length };
    });
    expect(found).toEqual([
      { found: ["forged-translation", "walk-of-reused-frame", "write-after-free"], waiting: 0 },
      { found: [], waiting: 1 },
    ]);
  });

  it("8: deferred free costs one round for any number of tables, and nothing if nothing waits", () => {
    const k = boundKernel({ policy: PRESETS["deferred-free"] });
    run(k, { kind: "run-work" });
    expect(k.counters.iommuRounds).toBe(0);
    run(k, small(VMALLOC), small(VMALLOC + MIB2), small(VMALLOC + GIB));
    run(k, { kind: "vmalloc", address: VMALLOC, pages: HUGE_PAGES, shift: 30 });
    const waiting = k.deferred.map(({ frame }) => frame);
    expect(waiting.map((frame) => k.memory.state(frame))).toEqual(["table", "table", "table"]);
    run(k, { kind: "run-work" });
    expect(k.counters).toMatchObject({ iommuRounds: 1, iotlbInvalidations: 1, deviceTlbInvalidations: 1 });
    expect(k.memory.freeStack().slice(-3)).toEqual(waiting);
    expect(k.memory.info(waiting[0] ?? 0)?.site).toBe(SITE.pudFreePmdPage);
    expect(isOpen(play("cpa_collapse_large_pages", { policy: { ...PRESETS["deferred-free"], deferSites: [4] } }))).toBe(
      false,
    );
    expect(
      isOpen(play("remove_pagetable, boot memory", { policy: { ...PRESETS["deferred-free"], deferSites: [2] } })),
    ).toBe(true);
  });

  it("9: with a root without the kernel half nothing of it is ever cached or invalidated", () => {
    const k = boundKernel({ policy: PRESETS["user-root"] });
    run(k, small(VMALLOC));
    expect(deviceRead(k, VMALLOC)).toMatchObject({ reason: "not-present", level: 4 });
    expect(Object.values(k.dump().iommus[0]?.psc ?? {}).flatMap((cache) => cache?.ways ?? [])).toEqual([]);
    expect(k.counters.iommuRounds).toBe(0);
  });

  it("10: stopping at the first U/S = 0 helps below a CPA split, not in vmalloc space or under KASAN (K2)", () => {
    const stop = [bareIommu({ supervisorEntries: "stop", cacheSupervisorLeaves: false })];
    expect(isOpen(play("cpa_collapse_large_pages", { iommus: stop }))).toBe(false);
    expect(isOpen(play("kasan_remove_zero_shadow", { iommus: stop }))).toBe(true);
    expect(isOpen(play("pmd_free_pte_page", { iommus: stop }))).toBe(true);
  });

  it("11: an inactive PCID keeps its paging-structure entries; a full flush drops them", () => {
    const found = [false, true].map((full) => {
      const k = boundKernel();
      run(k, { kind: "mm-create", mm: 2 }, small(VMALLOC));
      cpuRead(k, VMALLOC);
      run(k, { kind: "switch-mm", cpu: 0, mm: 2 });
      run(k, { kind: "vmalloc", address: VMALLOC, pages: LARGE_PAGES, shift: 21 });
      if (full) run(k, { kind: "flush-all" });
      run(k, { kind: "switch-mm", cpu: 0, mm: 1 });
      k.cpu(0).access(VMALLOC + 0x1000n, KERNEL_READ | 16);
      return kindsOf(k);
    });
    expect(found).toEqual([{ "walk-after-free": 1, "forged-translation": 1 }, {}]);
  });

  it("12: AMD with EFER.TCE keeps entries of the other slots of a freed PD, without it none", () => {
    const found = (["pcid", "all", "path"] as const).map((invlpgScope) => {
      const k = boundKernel({ cpu: { invlpgScope } });
      run(k, small(VMALLOC + MIB2));
      cpuRead(k, VMALLOC + MIB2);
      run(k, { kind: "vmalloc", address: VMALLOC, pages: HUGE_PAGES, shift: 30 });
      cpuRead(k, VMALLOC + MIB2 + 0x1000n);
      return kindsOf(k)["walk-after-free"] ?? 0;
    });
    expect(found).toEqual([0, 0, 1]);
  });

  it("13: a hooked flush costs one invalidation per bound PASID and device, a purge among them", () => {
    const k = boundKernel({ policy: PRESETS["flush-range"] });
    run(k, { kind: "mm-create", mm: 2 }, { kind: "sva-bind", iommu: 0, pasid: OTHER_PASID, mm: 2 });
    run(k, { kind: "vfree", address: VMALLOC, pages: 100, type: 1 });
    expect(k.counters).toMatchObject({ iommuRounds: 1, iotlbInvalidations: 2, deviceTlbInvalidations: 2 });
    const only = boundKernel({ policy: PRESETS["flush-on-table-free"] });
    run(only, { kind: "vfree", address: VMALLOC, pages: 100, type: 1 }, { kind: "flush-all" });
    run(only, { kind: "hot-add", address: DIRECT, blocks: 2, type: 0 });
    run(
      only,
      { kind: "hot-remove", address: DIRECT, blocks: 1, type: 0 },
      { kind: "cpa-split", address: DIRECT + MIB2 },
    );
    expect(only.counters).toMatchObject({ kernelRangeFlushes: 1, flushAlls: 3 });
    expect(only.counters.iommuRounds).toBe(0);
    run(only, { kind: "cpa-collapse", address: DIRECT + MIB2 });
    expect(only.counters.iommuRounds).toBe(1);
  });
});

describe("an option of the hardware that must not matter", () => {
  it.each(Object.keys(LOSSES) as LossName[])("whether supervisor leaves are cached: %s", (name) => {
    for (const policy of Object.values(PRESETS)) {
      const verdicts = [true, false].map((cacheSupervisorLeaves) =>
        isOpen(
          play(name, {
            policy,
            iommus: [bareIommu({ supervisorEntries: "cache", cacheSupervisorLeaves })],
          }),
        ),
      );
      expect(verdicts[0]).toBe(verdicts[1]);
    }
  });
});

describe("requests between the clear and the free", () => {
  it("read a table that is still a table, and find nothing after the flush", () => {
    const outcomes: Outcome[] = [];
    const k = play("pmd_free_pte_page", { policy: PRESETS["flush-range"] }, (k) => {
      outcomes.push(deviceRead(k, VMALLOC + BigInt(outcomes.length + 4) * 0x1000n));
    });
    // After the clear: an empty slot of the PT, through the PDE cache. After the flush and after the free: the cleared entry.
    expect(outcomes).toMatchObject([
      { reason: "not-present", level: 1 },
      { reason: "not-present", level: 2 },
      { reason: "not-present", level: 2 },
    ]);
    expect(isOpen(k)).toBe(false);
  });
});
