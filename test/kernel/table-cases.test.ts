// Tables that once went wrong (cases K10 to K13): docs/rules.md 9.5, 10, 10.9, 11.

import { describe, expect, it } from "vitest";
import { createMachineSync, type KernelConfig, type Machine, type ProgramBuilder } from "../../src/index.js";

const AREA = 0xffffc90000000000n;
const MIB2 = 0x20_0000n;
const PAGE = 0x1000n;
const HEAP = 0x5500_0000_0000n;
/** _PAGE_TABLE. */
const TABLE = 0x67n;

const made = (kernel: KernelConfig, levels: 4 | 5 = 4): Machine =>
  createMachineSync({ levels, tables: (kernel.pool ?? 512) + 8, kernel });

describe.each(["user", "zap_pte_range"] as const)("K10: tables that the site %s frees", (site) => {
  it("are never deferred, whoever made them", () => {
    for (const policy of ["deferred-free", "deferred-free-unlocked"] as const) {
      const { kernel } = made({ policy });
      kernel!.run((p) => p.vmalloc(AREA, 1).tableClear(site, AREA).tableFree(site, AREA));
      expect(kernel!.counters).toMatchObject({ framesDeferred: 0, framesHeld: 0, tablesReleased: 1 });
      expect(kernel!.tablesFreed[site]).toBe(1);
      // The neighbour: the same table by a site of the kernel.
      kernel!.run((p) => p.vmalloc(AREA, 1).tableClear("pmd_free_pte_page", AREA).tableFree("pmd_free_pte_page", AREA));
      expect(kernel!.counters.framesDeferred).toBe(1);
    }
  });

  it("as the case has it: a free without a clear before it", () => {
    const { kernel } = made({ policy: "deferred-free" });
    kernel!.run((p) => p.vmalloc(AREA, 1).tableFree(site, AREA));
    expect([kernel!.counters.framesDeferred, kernel!.tablesFreed[site]]).toEqual([0, 1]);
  });

  it("are not even if a policy names the site", () => {
    const { kernel } = made({ policy: { name: "mine", free: "deferred", deferUnmarkedOf: [site] } });
    kernel!.run((p) => p.vmalloc(AREA, 1).tableFree(site, AREA));
    expect([kernel!.counters.framesDeferred, kernel!.tablesFreed[site]]).toEqual([0, 1]);
  });
});

describe("K11: tables that are cleared and not freed yet", () => {
  it("are remembered however many there are", () => {
    const { kernel } = made({ pool: 1100 });
    const at = (i: number): bigint => AREA + BigInt(i) * MIB2;
    for (let i = 0; i < 1000; i++) kernel!.run((p) => p.vmalloc(at(i), 1).tableClear("pmd_free_pte_page", at(i)));
    const { tablesAllocated } = kernel!.counters;
    for (let i = 0; i < 1000; i++) kernel!.run((p) => p.tableFree("pmd_free_pte_page", at(i)));
    expect(kernel!.counters.tablesAllocated).toBe(tablesAllocated);
    expect(kernel!.tablesFreed.pmd_free_pte_page).toBe(1000);
  });

  it("by site and address: two sites at one address have one each", () => {
    const { machine, first, second } = twoTables();
    machine.kernel!.run((p) => p.tableFree("cpa_collapse_large_pages", AREA));
    expect(machine.frames.describe(second)!.state).toBe("free");
    expect(machine.frames.describe(first)!.state).toBe("table");
    machine.kernel!.run((p) => p.tableFree("pmd_free_pte_page", AREA));
    expect(machine.frames.describe(first)!.state).toBe("free");
  });

  it("and come back with a snapshot", () => {
    const { machine, first } = twoTables();
    const snapshot = machine.snapshot();
    machine.kernel!.run((p) => p.tableFree("pmd_free_pte_page", AREA).tableFree("pmd_free_pte_page", AREA));
    machine.restore(snapshot);
    machine.kernel!.run((p) => p.tableFree("pmd_free_pte_page", AREA));
    expect(machine.frames.describe(first)!.state).toBe("free");
  });

  function twoTables() {
    const machine = made({ pool: 32 });
    const frame = (): number => Number(machine.cpus[0]!.explain(AREA, 0).chain.at(-1)!.tableFrame);
    machine.kernel!.run((p) => p.vmalloc(AREA, 1));
    const first = frame();
    machine.kernel!.run((p) => p.tableClear("pmd_free_pte_page", AREA).vmalloc(AREA, 1));
    const second = frame();
    machine.kernel!.run((p) => p.tableClear("cpa_collapse_large_pages", AREA));
    return { machine, first, second };
  }
});

describe("K12: mmDestroy of tables that name each other", () => {
  const entryOf = (frame: number, index: number): bigint => (BigInt(frame) << 12n) + BigInt(index * 8);

  it.each([4, 5] as const)("ends for a root whose user half names the root, %i levels", (levels) => {
    const machine = made({ pool: 64 }, levels);
    const kernel = machine.kernel!;
    kernel.run((p) => p.mmCreate(0).mmap(0, HEAP, 3));
    const root = kernel.root(0)!;
    const released = kernel.counters.tablesReleased;
    for (let index = 0; index < 256; index++) {
      const at = entryOf(root, index);
      if (machine.frames.readEntry(at) === 0n) machine.frames.writeEntry(at, entryOf(root, 0) | TABLE);
    }
    expect(kernel.run((p) => p.mmDestroy(0))).toMatchObject([{ done: true }]);
    // The root, and the tables on the way to the mapping; each once.
    expect(kernel.counters.tablesReleased - released).toBe(levels);
  });

  it("ends for a table that names one above it, and for one that is named from two places", () => {
    const machine = made({ pool: 64 });
    const kernel = machine.kernel!;
    kernel.run((p) => p.mmCreate(0).mmap(0, HEAP, 1).switchMm(0, 0));
    const chain = machine.cpus[0]!.explain(HEAP, 4).chain.map(({ tableFrame }) => Number(tableFrame));
    const [root, pdpt, pd] = chain;
    kernel.run((p) => p.mmCreate(1).switchMm(0, 1));
    for (let index = 0; index < 512; index++) {
      machine.frames.writeEntry(entryOf(pd!, index), entryOf(pdpt!, 0) | TABLE);
      if (machine.frames.readEntry(entryOf(pdpt!, index)) === 0n) {
        machine.frames.writeEntry(entryOf(pdpt!, index), entryOf(pd!, 0) | TABLE);
      }
    }
    expect(kernel.run((p) => p.mmDestroy(0))).toMatchObject([{ done: true }]);
    for (const frame of [root, pdpt, pd]) expect(machine.frames.describe(frame!)!.state).toBe("free");
  });
});

describe("K13: ranges that are not aligned", () => {
  const cases: [string, (p: ProgramBuilder) => ProgramBuilder][] = [
    ["vmalloc", (p) => p.vmalloc(AREA + 1n, 1)],
    ["vmalloc of large pages", (p) => p.vmalloc(AREA + 0x800n, 512, 21)],
    ["vfree", (p) => p.vfree(AREA + 0x1001n, 2)],
    ["vfree that flushes", (p) => p.vfree(AREA + 0xfffn, 2, "flush")],
    ["mmap", (p) => p.mmap(0, HEAP + 0x2800n, 1)],
    ["mmap of large pages", (p) => p.mmap(0, HEAP + PAGE, 512, { large: true })],
    ["munmap", (p) => p.munmap(0, HEAP + 0x800n, 1)],
    ["mprotect", (p) => p.mprotect(0, HEAP + 0x8n, 1)],
    ["hotAdd", (p) => p.hotAdd(0xffff888000001000n, 1)],
    ["hotRemove", (p) => p.hotRemove(0xffff888000000800n, 1)],
  ];

  it.each(cases)("%s refuses, and does nothing", (_, play) => {
    const { kernel } = made({});
    kernel!.run((p) => p.vmalloc(AREA, 4).mmCreate(0).mmap(0, HEAP, 4).hotAdd(0xffff888000000000n, 1));
    const { counters } = kernel!;
    expect(kernel!.run(play)).toMatchObject([{ done: false, refusal: "not-aligned" }]);
    expect({ ...kernel!.counters, operationsHeld: 0 }).toEqual({ ...counters, operationsHeld: 0 });
    expect(kernel!.lazy.pages).toBe(0);
  });

  it("flushes take ranges of bytes", () => {
    const { kernel } = made({});
    expect(kernel!.run((p) => p.flushTlbKernelRange(AREA + 0x800n, AREA + 0x1800n))).toMatchObject([{ done: true }]);
    expect(kernel!.counters.cpuPageFlushes).toBe(1);
  });
});
