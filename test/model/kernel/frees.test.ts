// The sites that free tables (rules.md 10.2 to 10.4, 10.9): the order of their steps, looked at from the points.

import { describe, expect, it } from "vitest";
import {
  atPoints,
  DIRECT,
  entryOf,
  GIB,
  HUGE_PAGES,
  isPresent,
  kernel,
  LARGE_PAGES,
  MIB2,
  run,
  tableOf,
  VMALLOC,
} from "./builder.js";
import type { Kernel } from "./kernel.js";
import { stepKernel } from "./operations.js";
import { PRESETS } from "./policy.js";
import { SITE } from "./sites.js";

/** At each point: is the entry present, how many invalidations had CPU 0, what are the frames used as. */
function watch(k: Kernel, address: bigint, level: 2 | 3, frames: number[]): string[] {
  return atPoints(k, () => {
    const entry = isPresent(entryOf(k, address, level)) ? "linked" : "clear";
    return [entry, k.cpu(0).invalidations, ...frames.map((frame) => k.memory.state(frame))].join(" ");
  });
}

describe("pmd_free_pte_page", () => {
  it("clears, flushes one page, frees", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 3, shift: 12 });
    const pt = tableOf(k, VMALLOC, 2);
    const seen = watch(k, VMALLOC, 2, [pt]);
    expect(run(k, { kind: "vmalloc", address: VMALLOC, pages: LARGE_PAGES, shift: 21 })).toBe("done");
    expect(seen).toEqual(["clear 0 table", "clear 1 table", "clear 1 free"]);
    expect(k.memory.info(pt)).toMatchObject({ site: SITE.pmdFreePtePage });
    expect(entryOf(k, VMALLOC, 2) & 0x80n).toBe(0x80n);
    expect(k.counters.kernelRangeFlushes).toBe(1);
  });
});

describe("pud_free_pmd_page", () => {
  it("clears the PD and its entry, flushes one page, frees the PTs in order and the PD last", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: VMALLOC + 3n * MIB2, pages: 1, shift: 12 });
    run(k, { kind: "vmalloc", address: VMALLOC + MIB2, pages: 1, shift: 12 });
    run(k, { kind: "vmalloc", address: VMALLOC + 2n * MIB2, pages: LARGE_PAGES, shift: 21 });
    const pd = tableOf(k, VMALLOC, 3);
    const low = tableOf(k, VMALLOC + MIB2, 2);
    const high = tableOf(k, VMALLOC + 3n * MIB2, 2);
    const seen = watch(k, VMALLOC, 3, [low, high, pd]);
    run(k, { kind: "vmalloc", address: VMALLOC, pages: HUGE_PAGES, shift: 30 });
    expect(seen).toEqual([
      "clear 0 table table table",
      "clear 1 table table table",
      "clear 1 free table table",
      "clear 1 free free table",
      "clear 1 free free free",
    ]);
    expect(k.memory.isEmpty(pd)).toBe(true);
    expect(k.memory.isEmpty(low)).toBe(false);
    expect(k.memory.freeStack().slice(-3)).toEqual([low, high, pd]);
    expect(k.memory.info(low)).toMatchObject({ site: SITE.pudFreePmdPage });
  });
});

describe("hotRemove", () => {
  it("flushes, frees the PT, then clears; frees the PD before it clears the PDPT entry; flushes at the end", () => {
    const k = kernel();
    run(k, { kind: "hot-add", address: DIRECT, blocks: 2, type: 2 });
    const pts = [tableOf(k, DIRECT, 2), tableOf(k, DIRECT + MIB2, 2)];
    const pd = tableOf(k, DIRECT, 3);
    const pdpt = tableOf(k, DIRECT, 4);
    const seen = watch(k, DIRECT, 3, [...pts, pd]);
    run(k, { kind: "hot-remove", address: DIRECT, blocks: 2, type: 0 });
    expect(seen).toEqual([
      "linked 1 table table table",
      "linked 1 free table table",
      "linked 1 free table table",
      "linked 2 free table table",
      "linked 2 free free table",
      "linked 2 free free table",
      "linked 2 free free free",
      "clear 2 free free free",
      "clear 3 free free free",
    ]);
    expect(k.memory.state(pdpt)).toBe("table");
    expect(k.counters.flushAlls).toBe(3);
    expect(k.memory.info(pd)).toMatchObject({ site: SITE.removePagetable });
  });

  it("leaves the PD entry of the first PT for the window between free and clear", () => {
    const k = kernel();
    run(k, { kind: "hot-add", address: DIRECT, blocks: 1, type: 2 });
    const pt = tableOf(k, DIRECT, 2);
    const seen = watch(k, DIRECT, 2, [pt]);
    run(k, { kind: "hot-remove", address: DIRECT, blocks: 1, type: 0 });
    expect(seen.slice(0, 3)).toEqual(["linked 1 table", "linked 1 free", "clear 1 free"]);
  });

  it("clears 2 MiB leaves without a flush of their own; a PD that is not empty stays", () => {
    const k = kernel();
    run(k, { kind: "hot-add", address: DIRECT, blocks: 3, type: 0 });
    const pd = tableOf(k, DIRECT, 3);
    expect(run(k, { kind: "hot-remove", address: DIRECT, blocks: 2, type: 0 })).toBe("done");
    expect([k.memory.state(pd), k.counters.flushAlls, k.points.reached]).toEqual(["table", 1, 1]);
    expect(isPresent(entryOf(k, DIRECT + 2n * MIB2, 2))).toBe(true);
  });

  it("frees each PD at its own last block", () => {
    const k = kernel();
    const start = DIRECT + GIB - MIB2;
    run(k, { kind: "hot-add", address: start, blocks: 2, type: 0 });
    const pds = [tableOf(k, start, 3), tableOf(k, DIRECT + GIB, 3)];
    const seen = watch(k, start, 3, pds);
    run(k, { kind: "hot-remove", address: start, blocks: 2, type: 0 });
    expect(seen).toEqual([
      "linked 0 free table",
      "clear 0 free table",
      "clear 0 free free",
      "clear 0 free free",
      "clear 1 free free",
    ]);
  });

  it("never flushes for KASAN's shadow, and counts as its site", () => {
    const k = kernel();
    run(k, { kind: "hot-add", address: DIRECT, blocks: 1, type: 6 });
    expect(entryOf(k, DIRECT, 2) & 0xfffn).toBe(0x67n);
    const pt = tableOf(k, DIRECT, 2);
    const seen = watch(k, DIRECT, 2, [pt]);
    run(k, { kind: "hot-remove", address: DIRECT, blocks: 1, type: 4 });
    // PT, PD, PDPT, each freed before its entry is cleared.
    expect(seen).toEqual(["linked 0 free", ...Array(5).fill("clear 0 free")]);
    expect(k.counters.flushAlls).toBe(0);
    expect(k.memory.info(pt)).toMatchObject({ site: SITE.kasanRemoveZeroShadow });
  });
});

describe("changes of attributes", () => {
  it("split a large page into a table of the same frames, under an entry with U/S = 0", () => {
    const k = kernel();
    run(k, { kind: "hot-add", address: DIRECT, blocks: 1, type: 0 });
    const leaf = entryOf(k, DIRECT, 2);
    const seen = watch(k, DIRECT, 2, []);
    expect(run(k, { kind: "cpa-split", address: DIRECT + 0x5000n })).toBe("done");
    expect(seen).toEqual(["linked 0", "linked 1"]);
    expect(entryOf(k, DIRECT, 2) & 0xfffn).toBe(0x63n);
    expect(entryOf(k, DIRECT + 0x5000n, 1)).toBe((leaf & ~0x80n) + 0x5000n);
    expect(k.memory.info(tableOf(k, DIRECT, 2))).toMatchObject({ mark: "none", level: 1 });
    expect(run(k, { kind: "cpa-split", address: DIRECT })).toBe("no-large-leaf");
  });

  it("collapse: the leaf first, then the flush, then the free", () => {
    const k = kernel();
    run(k, { kind: "hot-add", address: DIRECT, blocks: 1, type: 0 });
    const leaf = entryOf(k, DIRECT, 2);
    run(k, { kind: "cpa-split", address: DIRECT });
    const pt = tableOf(k, DIRECT, 2);
    const seen = watch(k, DIRECT, 2, [pt]);
    expect(run(k, { kind: "cpa-collapse", address: DIRECT })).toBe("done");
    expect(seen).toEqual(["linked 1 table", "linked 2 table", "linked 2 free"]);
    expect(entryOf(k, DIRECT, 2)).toBe(leaf);
    expect(k.memory.info(pt)).toMatchObject({ site: SITE.cpaCollapse });
    expect(run(k, { kind: "cpa-collapse", address: DIRECT })).toBe("no-page-table");
    expect(run(k, { kind: "cpa-collapse", address: VMALLOC })).toBe("no-page-table");
  });
});

describe("steps for traces", () => {
  it("clear makes what is not there and remembers it; free frees what was remembered", () => {
    const k = kernel();
    expect(run(k, { kind: "table-clear", site: 0, address: VMALLOC })).toBe("done");
    // Root, PDPT, PD, PT: the PT is unlinked and still a table.
    const pt = k.memory.frames()[3] ?? 0;
    expect([k.memory.state(pt), entryOf(k, VMALLOC, 2)]).toEqual(["table", 0n]);
    expect(run(k, { kind: "table-free", site: 0, address: VMALLOC })).toBe("done");
    expect([k.memory.state(pt), k.memory.info(pt)?.site]).toEqual(["free", 0]);
    expect([k.counters.kernelRangeFlushes, k.counters.flushAlls, k.points.reached]).toEqual([0, 0, 2]);
  });

  it("free takes what the entry names, else a table of its own; a clear after it does not free it twice", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 });
    const pt = tableOf(k, VMALLOC, 2);
    run(k, { kind: "table-free", site: 2, address: VMALLOC });
    expect([k.memory.state(pt), tableOf(k, VMALLOC, 2)]).toEqual(["free", pt]);
    run(k, { kind: "table-clear", site: 2, address: VMALLOC });
    expect(entryOf(k, VMALLOC, 2)).toBe(0n);
    const allocated = k.memory.tablesAllocated;
    run(k, { kind: "table-free", site: 2, address: VMALLOC });
    expect([k.memory.tablesAllocated - allocated, k.memory.tablesReleased]).toEqual([1, 2]);
    expect(k.memory.freeStack().filter((frame) => frame === pt)).toEqual([pt]);
  });

  it.each([
    ["a table of vmalloc", { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 }, undefined, 1],
    ["a table of vmalloc", { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 }, "none", 0],
    ["a table of vmalloc", { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 }, "kernel", 1],
    ["a table that is made for the step", undefined, "none", 0],
    ["a table that is made for the step", undefined, "kernel", 1],
    ["boot memory", { kind: "hot-add", address: VMALLOC, blocks: 1, type: 3 }, "kernel", 0],
  ] as const)("%s, %#: free may say which mark it has", (_, made, mark, held) => {
    const k = kernel({ policy: PRESETS["deferred-free"] });
    if (made) run(k, made);
    run(k, { kind: "table-clear", site: 2, address: VMALLOC });
    run(k, { kind: "table-free", site: 2, address: VMALLOC, ...(mark && { mark }) });
    expect([k.deferred.length, k.memory.tablesReleased]).toEqual([held, 1 - held]);
  });

  it("of a table in the worker's hands does nothing (rule 8.6)", () => {
    const play = (interleaved: Parameters<Kernel["points"]["carry"]>[0]) => {
      const k = kernel({ policy: PRESETS["deferred-free"] });
      run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 });
      run(k, { kind: "hot-add", address: VMALLOC, blocks: 1, type: 2 });
      k.points.carry(interleaved, (operation) => void stepKernel(k, operation));
      k.points.reached = 0;
      k.points.trail = [];
      run(k, { kind: "hot-remove", address: VMALLOC, blocks: 1, type: 2 });
      return k;
    };
    const placeOf = (name: string, k: Kernel) => k.points.trail.findIndex((point) => point.name === name);
    const freed = { point: placeOf("UNPLUG_PT_FREED", play([])), operation: { kind: "run-work" } } as const;
    const over = { kind: "vmalloc", address: VMALLOC, pages: 262_144, shift: 30 } as const;
    const k = play([freed, { point: placeOf("LIST_TAKEN", play([freed])), operation: over }]);
    expect([k.counters.framesDeferred, k.memory.tablesReleased, k.held()]).toEqual([2, 1, 1]);
  });

  it("work on the PD for pud_free_pmd_page", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 });
    const pd = tableOf(k, VMALLOC, 3);
    run(k, { kind: "table-clear", site: 1, address: VMALLOC }, { kind: "table-free", site: 1, address: VMALLOC });
    expect([k.memory.state(pd), k.memory.info(pd)?.site, entryOf(k, VMALLOC, 3)]).toEqual(["free", 1, 0n]);
  });
});
