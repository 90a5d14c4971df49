// The model's caches against cases worked out by hand: replacement (rules.md 4) and what translations leave behind and use
// (SDM 4.10.2, 4.10.3).

import { describe, expect, it } from "vitest";
import {
  ALL,
  cache,
  FETCH,
  held,
  IMPLICIT_READ,
  KERNEL_READ,
  PLAIN,
  PSC,
  READ,
  SPECULATIVE_READ,
  tlb,
  World,
  WRITE,
} from "./builder.js";
import { Cache, type Replacement } from "./cache.js";
import { ACCESSED, DIRTY, EXECUTE_DISABLE, GLOBAL, PRESENT, USER, WRITABLE } from "./entry.js";

const VA = 0x7f12_3456_7000n;
const PAGE = 0x1000n;

/** A cache of 4 KiB entries, filled with these page numbers. */
function filled(entries: number, ways: number, replacement: Replacement, pages: number[]): Cache {
  const it = new Cache({ entries, ways, replacement, enabled: true }, [12]);
  for (const page of pages) fill(it, page);
  return it;
}

function fill(it: Cache, page: number, tag: number | "global" = 0): void {
  it.fill({ pageShift: 12, pageNumber: BigInt(page), tag, data: BigInt(page) << 12n, generation: 0 });
}

function touch(it: Cache, page: number): void {
  const way = it.match(BigInt(page) << 12n, 0);
  if (way === undefined) throw new Error(`page ${page} is not cached`);
  it.hit(way);
}

const places = (it: Cache): string[] =>
  it.dump().ways.map((way) => `${way.set}.${way.way}: ${way.pageNumber} (${way.rank})`);

describe("replacement (rules.md 4)", () => {
  it("LRU: the oldest hit or fill goes", () => {
    const it = filled(3, 3, "lru", [10, 11, 12]);
    touch(it, 10);
    expect(places(it)).toEqual(["0.0: 10 (2)", "0.1: 11 (0)", "0.2: 12 (1)"]);
    fill(it, 13);
    expect(places(it)).toEqual(["0.0: 10 (1)", "0.1: 13 (2)", "0.2: 12 (0)"]);
  });

  it("FIFO: hits do not matter, an overwrite in place does", () => {
    const it = filled(3, 3, "fifo", [10, 11, 12]);
    touch(it, 10);
    expect(places(it)).toEqual(["0.0: 10 (0)", "0.1: 11 (1)", "0.2: 12 (2)"]);
    fill(it, 10);
    fill(it, 13);
    expect(places(it)).toEqual(["0.0: 10 (1)", "0.1: 13 (2)", "0.2: 12 (0)"]);
    expect(it.counters).toMatchObject({ fills: 5, evictions: 1, hits: 1 });
  });

  it("random: way x mod ways, x stepped only for a victim", () => {
    // xorshift32 from 0x9e3779b9 (worked out apart): 0x510c4619, then 0xe02e553e; modulo 3: 2, then 0.
    const it = filled(3, 3, "random", [10, 11, 12]);
    expect(places(it)).toEqual(["0.0: 10 (0)", "0.1: 11 (0)", "0.2: 12 (0)"]);
    fill(it, 20);
    fill(it, 21);
    expect(it.dump().ways.map((way) => Number(way.pageNumber))).toEqual([21, 11, 20]);
  });

  it("any number of sets: page number modulo sets", () => {
    const it = filled(6, 2, "lru", [0, 1, 2, 3, 6, 7]);
    expect(places(it)).toEqual(["0.0: 6 (1)", "0.1: 3 (0)", "1.0: 1 (0)", "1.1: 7 (1)", "2.0: 2 (0)"]);
    const high = new Cache(cache(3, 1), [12]);
    fill(high, 2 ** 45 - 1);
    expect(high.dump().ways[0]).toMatchObject({ set: (2 ** 45 - 1) % 3, way: 0 });
  });

  it("the lowest empty way is filled first, also a hole", () => {
    const it = filled(4, 4, "lru", [1, 2, 3, 4]);
    it.invalidate(({ pageNumber }) => pageNumber === 2n || pageNumber === 4n);
    fill(it, 5);
    expect(places(it)).toEqual(["0.0: 1 (0)", "0.1: 5 (2)", "0.2: 3 (1)"]);
    expect(it.counters).toEqual({ lookups: 0, hits: 0, fills: 5, evictions: 0, invalidated: 2 });
  });

  it("a global and a tagged entry of one page live side by side; the lower way answers", () => {
    const it = new Cache(cache(2, 2), [12]);
    fill(it, 1, "global");
    fill(it, 1, 7);
    expect(it.match(PAGE, 7)?.tag).toBe("global");
    expect(it.match(PAGE, 8)?.tag).toBe("global");
    it.invalidate(({ tag }) => tag === "global");
    expect(it.match(PAGE, 7)?.tag).toBe(7);
    expect(it.match(PAGE, 8)).toBeUndefined();
  });

  it("needs whole sets", () => {
    expect(() => new Cache(cache(5, 2), [12])).toThrow("cache of 5 entries and 2 ways: expected");
    expect(() => new Cache(cache(0, 1), [12])).toThrow("expected a positive multiple");
  });
});

function oneCpu(page: { frame: number; level?: 1 | 2 | 3; leaf?: bigint; upper?: bigint }, config = {}) {
  const world = new World();
  const root = world.table();
  world.map(root, VA, page);
  return { world, root, cpu: world.cpu(root, config) };
}

describe("translation caches (SDM 4.10.2)", () => {
  it("hold the combined rights, D and frame of the page, and nothing else", () => {
    const leaf = ALL | EXECUTE_DISABLE | GLOBAL | (5n << 59n) | 0x18n | (0x7fn << 52n);
    const { cpu } = oneCpu(
      { frame: 0x201, level: 2, leaf, upper: PRESENT | USER },
      { controls: { ...PLAIN, pge: false } },
    );
    cpu.access(VA, READ);
    expect(cpu.agent.dump().l1[0]?.ways).toEqual([
      {
        ...{ set: 0, way: 0, rank: 0, pageShift: 21, pageNumber: VA >> 21n, tag: 1 },
        data: PRESENT | USER | ACCESSED | EXECUTE_DISABLE | (5n << 59n) | 0x20_0000n,
      },
    ]);
  });

  it("serve without reading tables, as long as the entry lives: a stale translation", () => {
    const { world, root, cpu } = oneCpu({ frame: 9 });
    cpu.access(VA, READ);
    world.change(root, VA, 1, () => 0n);
    expect(cpu.access(VA + 5n, READ)).toEqual({ kind: "ok", level: 1, physicalAddress: 0x9005n });
    expect(cpu.probe(VA, READ)).toMatchObject({ reason: "not-present" });
    expect(cpu.agent.counters).toMatchObject({ translations: 2, walks: 1, entryReads: 4 });
  });

  it("G pages hit under every PCID, others under their own (4.10.2.4); G counts only with PGE", () => {
    const global = oneCpu({ frame: 9, leaf: ALL | GLOBAL });
    global.cpu.access(VA, READ);
    expect(global.cpu.agent.dump().l1[0]?.ways[0]).toMatchObject({
      tag: "global",
      data: ALL | ACCESSED | GLOBAL | 0x9000n,
    });
    const other = global.world.table();
    global.cpu.movCr3(other, 2, false);
    expect(global.cpu.access(VA, READ)).toMatchObject({ kind: "ok" });

    const tagged = oneCpu({ frame: 9 });
    tagged.cpu.access(VA, READ);
    tagged.cpu.movCr3(tagged.world.table(), 2, true);
    expect(tagged.cpu.access(VA, READ)).toMatchObject({ reason: "not-present", level: 4 });

    const off = oneCpu({ frame: 9, leaf: ALL | GLOBAL }, { controls: { ...PLAIN, pge: false } });
    off.cpu.access(VA, READ);
    expect(off.cpu.agent.dump().l1[0]?.ways[0]).toMatchObject({ tag: 1, data: ALL | ACCESSED | 0x9000n });
  });

  it("a write misses an entry with D = 0, walks from the lowest cached table, sets D and overwrites (4.8, 4.10.2.3)", () => {
    const { world, root, cpu } = oneCpu({ frame: 9 });
    cpu.access(VA, READ);
    expect(cpu.access(VA, WRITE).kind).toBe("ok");
    expect(world.entry(root, VA, 1).value & DIRTY).toBe(DIRTY);
    expect(cpu.agent.counters).toMatchObject({ walks: 2, entryReads: 5, adWrites: 5 });
    const [l1] = cpu.agent.dump().l1;
    expect(l1?.counters).toEqual({ lookups: 2, hits: 0, fills: 2, evictions: 0, invalidated: 0 });
    expect(l1?.ways.map((way) => way.data)).toEqual([ALL | ACCESSED | DIRTY | 0x9000n]);
    cpu.access(VA, WRITE);
    expect(cpu.agent.counters.walks).toBe(2);
  });

  it("a hit whose rights refuse faults with the cached rights and key, and the fault drops it (4.10.4.1)", () => {
    const { world, root, cpu } = oneCpu({ frame: 9, leaf: PRESENT | USER });
    cpu.access(VA, READ);
    world.change(root, VA, 1, (entry) => entry | WRITABLE);
    expect(cpu.access(VA, WRITE)).toEqual({ kind: "fault", reason: "write", errorCode: 7, level: 1 });
    expect(cpu.agent.dump().l1[0]?.counters).toEqual({ lookups: 2, hits: 1, fills: 1, evictions: 0, invalidated: 1 });
    expect(cpu.access(VA, WRITE)).toMatchObject({ kind: "ok" });
  });

  it("L2 answers an L1 miss and fills the L1 cache of that size; a walk fills L2 and L1", () => {
    const world = new World();
    const root = world.table();
    for (const page of [0n, 1n]) world.map(root, VA + page * PAGE, { frame: 9 });
    const small = { ...tlb(1, 1), pageSizes: ["4K" as const] };
    const large = { ...tlb(1, 1), pageSizes: ["2M" as const, "1G" as const] };
    const cpu = world.cpu(root, { l1: [large, small], l2: [tlb(4, 4)] });
    for (const page of [0n, 1n, 0n]) cpu.access(VA + page * PAGE, READ);
    const { l1, l2 } = cpu.agent.dump();
    expect(l1.map((it) => it.counters)).toEqual([
      { lookups: 3, hits: 0, fills: 0, evictions: 0, invalidated: 0 },
      { lookups: 3, hits: 0, fills: 3, evictions: 2, invalidated: 0 },
    ]);
    expect(l2[0]?.counters).toEqual({ lookups: 3, hits: 1, fills: 2, evictions: 0, invalidated: 0 });
    expect(held(l1[1])).toEqual([`${(VA >> 12n).toString(16)} 1`]);
  });

  it("a refused L2 hit faults at once: it does not fill L1 (rules.md 4)", () => {
    const config = { l1: [tlb(1, 1)], l2: [tlb(4, 4)] };
    const { world, root, cpu } = oneCpu({ frame: 9, leaf: PRESENT | USER }, config);
    world.map(root, VA + PAGE, { frame: 10 });
    cpu.access(VA, READ);
    cpu.access(VA + PAGE, READ);
    expect(cpu.access(VA, WRITE)).toMatchObject({ reason: "write", level: 1 });
    const { l1, l2 } = cpu.agent.dump();
    expect(held(l1[0])).toEqual([`${((VA + PAGE) >> 12n).toString(16)} 1`]);
    expect(l1[0]?.counters).toEqual({ lookups: 3, hits: 0, fills: 2, evictions: 1, invalidated: 0 });
    expect(l2[0]?.counters).toEqual({ lookups: 3, hits: 1, fills: 2, evictions: 0, invalidated: 1 });
  });

  it("a stale small page answers before a large page of the same address (rules.md 4: 4 KiB first)", () => {
    const { world, root, cpu } = oneCpu({ frame: 9 });
    cpu.access(VA, READ);
    world.change(root, VA, 2, () => ALL | ACCESSED | 0x80n | 0x40_0000n);
    cpu.invpcid(0, VA + PAGE, 1);
    expect(cpu.access(VA + PAGE, READ)).toMatchObject({ level: 2 });
    expect(cpu.access(VA, READ)).toEqual({ kind: "ok", level: 1, physicalAddress: 0x9000n });
    cpu.invlpg(VA);
    expect(cpu.access(VA, READ)).toMatchObject({ level: 2 });
    expect(held(cpu.agent.dump().l1[0])).toEqual([`${(VA >> 21n).toString(16)} 1`]);
  });

  it("a disabled cache is neither looked up nor filled", () => {
    const { cpu } = oneCpu(
      { frame: 9 },
      { l1: [{ ...tlb(4, 4), enabled: false }], psc: { 2: { ...cache(4, 4), enabled: false } } },
    );
    cpu.access(VA, READ);
    cpu.access(VA, READ);
    const { l1, psc, counters } = cpu.agent.dump();
    for (const it of [l1[0], psc[2]]) {
      expect(it).toEqual({ ways: [], counters: { lookups: 0, hits: 0, fills: 0, evictions: 0, invalidated: 0 } });
    }
    expect(counters).toMatchObject({ walks: 2, entryReads: 8 });
  });

  it("a size in two caches of a list, or a paging-structure cache above the root, is a mistake", () => {
    expect(() => oneCpu({ frame: 9 }, { l1: [tlb(1, 1), tlb(1, 1)] })).toThrow(
      "expected each page size in at most one cache",
    );
    expect(() => oneCpu({ frame: 9 }, { psc: { 5: cache(1, 1) } })).toThrow("psc level 5: expected at most 4");
  });
});

describe("paging-structure caches (SDM 4.10.3)", () => {
  it("hold non-leaf entries with the combined rights of their path and the generation of the next table", () => {
    const { world, root, cpu } = oneCpu({ frame: 9, upper: PRESENT | USER | GLOBAL });
    const pd = world.entry(root, VA, 2).table;
    world.memory.setState(pd, "table");
    cpu.access(VA, READ);
    const [, pdpteCache] = cpu.agent.psc;
    const data = PRESENT | USER | ACCESSED | (BigInt(pd) << 12n);
    expect(pdpteCache?.cache.dump().ways).toEqual([
      { set: 0, way: 0, rank: 0, pageShift: 30, pageNumber: VA >> 30n, tag: 1, data },
    ]);
    expect(pdpteCache?.cache.match(VA, 1)?.generation).toBe(1);
  });

  it("are searched from level 2 upwards, and nothing above the hit is read or looked up", () => {
    const { world, root, cpu } = oneCpu({ frame: 9 }, { l1: [] });
    world.map(root, VA + PAGE, { frame: 10 });
    world.map(root, VA + 0x4000_0000n, { frame: 11 });
    for (const address of [VA, VA + PAGE, VA + 0x4000_0000n]) cpu.access(address, READ);
    const lookups = Object.values(cpu.agent.dump().psc).map((it) => [
      it.counters.lookups,
      it.counters.hits,
      it.counters.fills,
    ]);
    expect(lookups).toEqual([
      [3, 1, 2],
      [2, 0, 2],
      [2, 1, 1],
    ]);
    expect(cpu.agent.counters.entryReads).toBe(4 + 1 + 3);
  });

  it("keep a path whose upper entries were changed: rights of the fill, table of the fill", () => {
    const { world, root, cpu } = oneCpu({ frame: 9 }, { l1: [] });
    cpu.access(VA, READ);
    world.change(root, VA, 4, () => 0n);
    expect(cpu.access(VA, READ)).toMatchObject({ kind: "ok" });
    cpu.invpcid(2, 0n, 0);
    expect(cpu.access(VA, READ)).toMatchObject({ reason: "not-present", level: 4 });
  });

  it("are filled by a speculative walk that ends in a fault, which faults nobody and drops nothing", () => {
    const { cpu } = oneCpu({ frame: 9, leaf: 0n });
    expect(cpu.access(VA, SPECULATIVE_READ)).toMatchObject({ reason: "not-present", level: 1 });
    expect(cpu.agent.counters.faults).toBe(0);
    expect(Object.values(cpu.agent.dump().psc).map((it) => held(it).length)).toEqual([1, 1, 1]);
    cpu.access(VA, READ);
    expect(cpu.agent.counters.faults).toBe(1);
    expect(Object.values(cpu.agent.dump().psc).map((it) => [held(it).length, it.counters.invalidated])).toEqual([
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
  });

  it("take the rights of the path into the leaf check", () => {
    const { cpu } = oneCpu({ frame: 9, upper: PRESENT | WRITABLE | EXECUTE_DISABLE }, { l1: [] });
    expect(cpu.access(VA, KERNEL_READ).kind).toBe("ok");
    expect(cpu.access(VA, IMPLICIT_READ).kind).toBe("ok");
    expect(cpu.access(VA, READ)).toMatchObject({ reason: "supervisor-page", errorCode: 5 });
    cpu.access(VA, KERNEL_READ);
    expect(cpu.access(VA, FETCH)).toMatchObject({ reason: "supervisor-page", errorCode: 0x15 });
  });

  it("of five levels include the PML5E", () => {
    const world = new World({ levels: 5 });
    const root = world.table();
    world.map(root, VA, { frame: 9 });
    const cpu = world.cpu(root, { l1: [], psc: { ...PSC, 5: cache(2, 1) } });
    cpu.access(VA, READ);
    expect(cpu.agent.dump().psc[5]?.ways[0]).toMatchObject({ pageShift: 48, pageNumber: VA >> 48n });
    expect(cpu.agent.counters.entryReads).toBe(5);
  });
});
