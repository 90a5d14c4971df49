// Frames and the allocator of the model (rules.md section 8), and tables on the path (10.1). Frame numbers are worked out by
// hand: the pool starts at 0x1000, and init_mm's root takes the first frame.

import { describe, expect, it } from "vitest";
import { DIRECT, entryOf, GIB, kernel, LARGE_PAGES, MIB2, POOL, run, tableOf, VMALLOC } from "./builder.js";
import { FrameStore } from "./frame-store.js";

describe("the pool", () => {
  it("hands out the lowest frame first, and the last freed frame again soonest", () => {
    const store = new FrameStore(10, 4);
    expect(store.freeStack()).toEqual([13, 12, 11, 10]);
    expect([store.allocateTable(1, "kernel"), store.allocateTable(2, "none")]).toEqual([10, 11]);
    store.release(10, 0, 7);
    store.release(11, 1, 8);
    expect(store.freeStack()).toEqual([13, 12, 10, 11]);
    expect(store.info(10)).toEqual({ level: 1, mark: "kernel", site: 0, operation: 7 });
    expect(store.allocateTable(3, "boot")).toBe(11);
    // Free, table, free, table: each change is one generation.
    expect([store.generation(10), store.generation(11), store.generation(12)]).toEqual([2, 3, 0]);
    expect([store.tablesAllocated, store.tablesReleased]).toEqual([3, 2]);
  });

  it("keeps the contents of a freed table until the frame is allocated again", () => {
    const store = new FrameStore(10, 1);
    store.allocateTable(1, "none");
    store.writeEntry(10, 3, 0x1234n);
    store.release(10, 0, 0);
    expect(store.readEntry(10, 3)).toBe(0x1234n);
    expect(store.allocateData(7n)).toBe(10);
    expect([store.readEntry(10, 3), store.state(10), store.info(10)?.site]).toEqual([7n, "data", 0]);
    // Data is no table: it is not released.
    store.release(10, 0, 0);
    expect(store.state(10)).toBe("data");
  });

  it("counts each allocation that finds nothing", () => {
    const store = new FrameStore(10, 1);
    store.allocateTable(1, "none");
    expect([store.allocateTable(1, "none"), store.allocateData(0n), store.outOfFrames]).toEqual([
      undefined,
      undefined,
      2,
    ]);
  });

  it("gives leaf targets out of a window of 2^19 frames from 0x100000, aligned to their size, wrapping", () => {
    const store = new FrameStore(10, 1);
    expect([1, 1, 512, 1, 512].map((frames) => store.nextTarget(frames))).toEqual([
      0x10_0000, 0x10_0001, 0x10_0200, 0x10_0400, 0x10_0600,
    ]);
    // The second GiB of the window, then the first again.
    expect([2 ** 18, 2 ** 18, 1].map((frames) => store.nextTarget(frames))).toEqual([0x14_0000, 0x10_0000, 0x14_0000]);
  });
});

describe("tables on the path", () => {
  it("are allocated from the top down, marked as the kernel's, and stay if the pool runs dry", () => {
    const k = kernel({ pool: 3 });
    // Root, then PDPT and PD; no frame for the PT.
    expect(run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 })).toBe("no-free-frame");
    expect([tableOf(k, VMALLOC, 4), tableOf(k, VMALLOC, 3), entryOf(k, VMALLOC, 2)]).toEqual([POOL + 1, POOL + 2, 0n]);
    expect(k.memory.info(POOL + 2)).toMatchObject({ level: 2, mark: "kernel" });
    expect(k.dump().counters).toMatchObject({ outOfFrames: 1, tablesAllocated: 3 });
    // A 2 MiB leaf needs no PT.
    expect(run(k, { kind: "vmalloc", address: VMALLOC, pages: LARGE_PAGES, shift: 21 })).toBe("done");
    expect(entryOf(k, VMALLOC, 2)).toBe(0x8000_0001_0000_01e3n);
  });

  it("are named by _PAGE_TABLE entries; leaves are P, R/W, A, D, G, XD", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 2, shift: 12 });
    expect(entryOf(k, VMALLOC, 4)).toBe((BigInt(POOL + 1) << 12n) | 0x67n);
    expect(entryOf(k, VMALLOC, 2)).toBe((BigInt(POOL + 3) << 12n) | 0x67n);
    expect(entryOf(k, VMALLOC + 0x1000n, 1)).toBe(0x8000_0001_0000_1163n);
  });

  it("of a new top-level entry are copied into every root, but not into a second one", () => {
    const k = kernel({ policy: { root: "user-only" } });
    run(k, { kind: "mm-create", mm: 1 }, { kind: "sva-bind", iommu: 0, pasid: 5, mm: 1 });
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 });
    const { root, userRoot = 0 } = k.spaces.mms.get(1) ?? { root: 0 };
    expect(entryOf(k, VMALLOC, 4, root)).toBe(entryOf(k, VMALLOC, 4));
    expect(entryOf(k, VMALLOC, 4, userRoot)).toBe(0n);
    // A later mm starts with a copy.
    run(k, { kind: "mm-create", mm: 2 });
    expect(entryOf(k, VMALLOC, 4, k.spaces.mms.get(2)?.root)).toBe(entryOf(k, VMALLOC, 4));
  });
});

describe("vmalloc", () => {
  it("takes the largest piece that is allowed, aligned, and left", () => {
    const k = kernel();
    const pages = 2 * 512 * 512 + 512 + 1;
    run(k, { kind: "vmalloc", address: VMALLOC + GIB - MIB2, pages, shift: 30 });
    const levels = [-MIB2, 0n, GIB, GIB + MIB2 - MIB2].map((offset) => {
      const at = VMALLOC + GIB + offset;
      return [3, 2, 1].find((level) => entryOf(k, at, level as 1 | 2 | 3) & 0x80n);
    });
    // 2 MiB, 1 GiB, then what is left: 1 GiB - 2 MiB + 2 MiB + 4 KiB.
    expect(levels).toEqual([2, 3, 3, 3]);
    expect(entryOf(k, VMALLOC + 3n * GIB, 1)).not.toBe(0n);
    expect(entryOf(k, VMALLOC + 3n * GIB + 0x1000n, 1)).toBe(0n);
  });

  it.each([
    ["the user half", 0x1000n, 1, "not-kernel-half"],
    ["a hole", 0x8000_0000_0000n, 1, "not-kernel-half"],
    ["nothing", VMALLOC, 0, "empty-range"],
    ["beyond the end", 0xffff_ffff_ffff_f000n, 2, "not-kernel-half"],
  ])("does nothing for %s", (_, address, pages, why) => {
    const k = kernel();
    expect(run(k, { kind: "vmalloc", address, pages, shift: 12 })).toBe(why);
    expect(k.memory.tablesAllocated).toBe(1);
  });

  it("reaches the last page of the kernel half", () => {
    const k = kernel({ levels: 5 });
    expect(run(k, { kind: "vmalloc", address: 0xffff_ffff_ffff_f000n, pages: 1, shift: 12 })).toBe("done");
    // Root and four tables below it.
    expect(k.memory.tablesAllocated).toBe(5);
    expect(entryOf(k, 0xffff_ffff_ffff_f000n, 1)).not.toBe(0n);
  });

  it("stops at a large leaf in its way; the direct map leaves it alone", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: DIRECT, pages: LARGE_PAGES, shift: 21 });
    const before = entryOf(k, DIRECT, 2);
    expect(run(k, { kind: "vmalloc", address: DIRECT, pages: 1, shift: 12 })).toBe("large-leaf-above");
    expect(run(k, { kind: "hot-add", address: DIRECT, blocks: 2, type: 2 })).toBe("done");
    expect(entryOf(k, DIRECT, 2)).toBe(before);
    expect(entryOf(k, DIRECT + MIB2, 1)).not.toBe(0n);
  });
});
