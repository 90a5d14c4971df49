// A site inside itself: while one CPU is in pud_free_pmd_page() or munmap(), another does the same elsewhere. Every table
// must be given back exactly once, wherever the other stands. (They once shared one list of tables that wait for their flush.)
import { describe, expect, it } from "vitest";
import { createMachineSync, type Machine, ProgramBuilder } from "../../src/index.js";

const AREA = 0xffffc90000000000n;
const OTHER = AREA + 0x40000000n;
const GIB_PAGES = 262144;

/** Frames that an operation gives back when another one plays at a point of it. */
function freed(machine: Machine, outer: ProgramBuilder, inner: ProgramBuilder, point: number): number[] {
  const before = machine.kernel?.freeFrames().length ?? 0;
  machine.playInterleaved(outer.build(), { operations: inner.build(), points: [point] });
  return machine.kernel?.freeFrames().slice(before) ?? [];
}

describe("a site inside itself", () => {
  it.each([0, 1])("pud_free_pmd_page in pud_free_pmd_page at point %i frees every table once", (point) => {
    const machine = createMachineSync({ workloadPages: 1, kernel: { pool: 32 } });
    machine.kernel?.run((p) =>
      p
        .vmalloc(AREA, 1)
        .vmalloc(AREA + 0x200000n, 1)
        .vmalloc(OTHER, 1),
    );
    machine.kernel?.run((p) =>
      p
        .vfree(AREA, 1)
        .vfree(AREA + 0x200000n, 1)
        .vfree(OTHER, 1)
        .purge(),
    );
    const outer = new ProgramBuilder().vmalloc(AREA, GIB_PAGES, 30);
    const frames = freed(machine, outer, new ProgramBuilder().vmalloc(OTHER, GIB_PAGES, 30), point);
    expect([frames.length, new Set(frames).size]).toEqual([5, 5]);
  });

  it.each([0, 1])("munmap in munmap at point %i frees every table once", (point) => {
    const machine = createMachineSync({ workloadPages: 1, kernel: { pool: 32 } });
    machine.kernel?.run((p) => p.mmCreate(0).mmap(0, 0x1000n, 1).mmap(0, 0x7f0000000000n, 1));
    const outer = new ProgramBuilder().munmap(0, 0x1000n, 1);
    const frames = freed(machine, outer, new ProgramBuilder().munmap(0, 0x7f0000000000n, 1), point);
    expect([frames.length, new Set(frames).size]).toEqual([6, 6]);
  });
});
