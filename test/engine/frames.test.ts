// assembly/paging/frames.ts and walk.ts: a sparse frame store, what happens when it is full, tables that are not there, tables
// that name themselves.

import { describe, expect, it } from "vitest";
import { Access, createMachineSync, createWalkerSync, InvalidOptionError } from "../../src/index.js";
import { runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { A, indexOf, P, pageAt, RW, Tables, US, USER_PAGE } from "../support/tables.js";

const MAX_FRAME = 2 ** 40 - 1;

describe("the frame store", () => {
  it("finds frames anywhere up to 2^40 - 1, as a map would, and nothing else", () => {
    // Neighbours, powers of two and multiples of the number of buckets, which collide if the hash is poor.
    const frame = fc.oneof(
      fc.integer({ min: 0, max: MAX_FRAME }),
      fc.nat(100),
      fc.nat(39).map((bit) => 2 ** bit),
      fc.nat(2 ** 20 - 1).map((i) => i * 2 ** 20),
      fc.constantFrom(MAX_FRAME, MAX_FRAME - 1, 2 ** 32, 2 ** 32 - 1),
    );
    fc.assert(
      fc.property(fc.uniqueArray(frame, { maxLength: 64, size: "max" }), fc.array(frame), (frames, others) => {
        const { frames: store } = createMachineSync({ tables: 64, workloadPages: 1 });
        for (const [i, it] of frames.entries()) {
          expect(store.has(it)).toBe(false);
          store.setTable(it, new BigUint64Array(512).fill(BigInt(i) + 1n), 1);
        }
        expect(store.size).toBe(frames.length);
        for (const [i, it] of frames.entries()) expect(store.readEntry(BigInt(it) << 12n)).toBe(BigInt(i) + 1n);
        for (const it of others) expect(store.has(it)).toBe(frames.includes(it));
      }),
      { numRuns: runs(100) },
    );
  });

  it("says when it is full, keeps what it has, and goes on taking new contents for old frames", () => {
    const walker = createWalkerSync({ tables: 3 });
    for (const frame of [5, 6, 7]) walker.setTable(frame);
    expect(() => walker.setTable(8)).toThrow(new RangeError("frame 0x8: the frame store is full (3 tables)"));
    expect(walker.frames.has(8)).toBe(false);
    expect(walker.frames.size).toBe(walker.frames.capacity);
    walker.setTable(6, new BigUint64Array(512).fill(9n));
    expect(walker.frames.readEntry(0x6ff8n)).toBe(9n);
    walker.setTable(6);
    expect(walker.frames.readEntry(0x6ff8n)).toBe(0n);
  });

  it("raises the generation of a frame with every new use, and keeps state and level", () => {
    const { frames } = createMachineSync({ tables: 2, workloadPages: 1 });
    frames.setTable(1, undefined, 4);
    expect(frames.describe(1)).toEqual({ state: "table", level: 4, generation: 1 });
    frames.writeEntry(0x1008n, 77n);
    frames.set(1, "free");
    expect(frames.describe(1)).toEqual({ state: "free", level: 0, generation: 2 });
    // A freed frame keeps its contents until someone writes them: that is the whole trouble.
    expect(frames.readEntry(0x1008n)).toBe(77n);
    frames.set(1, "data");
    expect(frames.describe(1)).toEqual({ state: "data", level: 0, generation: 3 });
    expect(frames.describe(2)).toBeUndefined();
    expect(frames.view(2)).toBeUndefined();
  });

  it("gives views that write through, takes bytes, and refuses addresses that it does not hold", () => {
    const { frames } = createMachineSync({ tables: 2, workloadPages: 1 });
    const bytes = new Uint8Array(4096);
    bytes.set([1, 2], 8);
    frames.setTable(3, bytes);
    expect(frames.readEntry(0x3008n)).toBe(0x201n);
    frames.view(3)![2] = 5n;
    expect(frames.readEntry(0x3010n)).toBe(5n);
    expect(() => frames.readEntry(0x4000n)).toThrow("physical address 0x4000: its frame is not in the frame store");
    expect(() => frames.writeEntry(1n << 60n, 0n)).toThrow("physical address 0x1000000000000000: its frame is not");
    expect(() => frames.writeEntry(0x3000n, 1n << 64n)).toThrow(InvalidOptionError);
  });
});

describe("walks through odd tables", () => {
  const levels = [4, 5] as const;

  it.each(levels)("a table that is not there is not a page fault (%i levels)", (count) => {
    for (let level = 1; level < count; level++) {
      const walker = createWalkerSync({ levels: count, tables: 16, maxPhyAddr: 52 });
      const tables = new Tables(walker.frames, count);
      walker.setRoot(tables.cr3);
      const va = 0x1234_5678_9000n;
      // The entry above names a frame that the store does not hold.
      walker.frames.writeEntry(tables.slot(va, level + 1), (BigInt(MAX_FRAME) << 12n) | USER_PAGE);
      expect(walker.translate(va, Access.userRead)).toEqual({ kind: "absent", level, frame: MAX_FRAME });
      expect(walker.probe(va, Access.userRead)).toEqual({ kind: "absent", level, frame: MAX_FRAME });
      expect(walker.explain(va, Access.userRead).chain).toHaveLength(count - level);
      // The same entry without P: now it is a fault, one level further up.
      walker.frames.writeEntry(tables.slot(va, level + 1), 0n);
      const fault = { kind: "fault", reason: "not-present", errorCode: 4, level: level + 1 };
      expect(walker.translate(va, Access.userRead)).toEqual(fault);
    }
  });

  it("an absent root, and an absent table on a CPU: no fault is counted and nothing is dropped", () => {
    const machine = createMachineSync({ tables: 16, workloadPages: 1, cpus: [{ l1: [{ entries: 4, ways: 4 }] }] });
    const cpu = machine.cpus[0]!;
    cpu.movToCr3(0x123_4000n);
    expect(cpu.translate(0n, Access.userRead)).toEqual({ kind: "absent", level: 4, frame: 0x1234 });
    const tables = new Tables(machine.frames);
    tables.map(0n, 0x99);
    const missing = tables.slot(1n << 39n, 4);
    machine.frames.writeEntry(missing, (0xabcden << 12n) | USER_PAGE);
    cpu.movToCr3(tables.cr3);
    cpu.translate(0n, Access.userRead);
    expect(cpu.translate(1n << 39n, Access.userRead)).toEqual({ kind: "absent", level: 3, frame: 0xabcde });
    expect(cpu.counters).toMatchObject({ translations: 3, faults: 0, walks: 3 });
    expect(cpu.l1[0]!.contents()).toHaveLength(1);
    // A was set in the entry that was read; it leads to the missing table.
    expect(machine.frames.readEntry(missing) & A).toBe(A);
  });

  it.each(levels)("a root that names itself is table and page at once (%i levels)", (count) => {
    const walker = createWalkerSync({ levels: count, tables: 4 });
    const slot = 0x1ff;
    const root = 0x4_2000n;
    walker.setTable(0x42);
    walker.frames.writeEntry(root + BigInt(slot * 8), root | P | RW | US);
    walker.setRoot(root);
    // All indices name the root again: the page is the root table itself.
    const va = 0xffff_ffff_ffff_f000n;
    expect(indexOf(va, count)).toBe(slot);
    const translated = walker.translate(va + 0xff8n, Access.userWrite);
    expect(translated).toMatchObject({ kind: "ok", physicalAddress: root + 0xff8n, level: 1 });
    // One slot, used at every level: A from the way down, A and D as a leaf.
    expect(walker.frames.readEntry(root + BigInt(slot * 8))).toBe(root | P | RW | US | A | (1n << 6n));
    expect(walker.explain(va, Access.userRead).chain).toHaveLength(count);
    expect(walker.translate(va - pageAt(1), Access.userRead)).toMatchObject({ kind: "fault", level: 1 });
  });

  it("the same tables under two roots at two places give the same pages", () => {
    const walker = createWalkerSync({ tables: 16 });
    const tables = new Tables(walker.frames);
    tables.map(pageAt(5), 0x55);
    const shared = walker.frames.readEntry(tables.slot(pageAt(5), 4));
    walker.setTable(0x900);
    walker.frames.writeEntry(0x90_0000n + 8n * 300n, shared);
    walker.setRoot(0x90_0000n);
    const high = BigInt.asUintN(64, BigInt.asIntN(48, 300n << 39n)) + pageAt(5);
    expect(walker.translate(high, Access.userRead)).toMatchObject({ kind: "ok", physicalAddress: 0x5_5000n });
    const found = [...walker.mappings()].flatMap(({ virtualAddress }) => [...virtualAddress]);
    expect(found).toEqual([high]);
  });

  it("two listings at once, each of many batches, do not disturb each other (named trap)", () => {
    const walker = createWalkerSync({ tables: 4 });
    const bits = P | RW | US | A;
    // One page table under all 512 entries of a PD: 262,144 leaves.
    for (const frame of [1, 2, 3]) walker.setTable(frame);
    walker.frames.writeEntry(0x1000n, 0x2000n | bits);
    walker.frames.writeEntry(0x2000n, 0x3000n | bits);
    walker.setTable(3, new BigUint64Array(512).fill(0x4000n | bits));
    walker.setTable(4, new BigUint64Array(512).fill(0x9000n | bits));
    walker.setRoot(0x1000n);
    const [one, other] = [walker.mappings(), walker.mappings()];
    const found: [number, number] = [0, 0];
    let batches = 0;
    for (let more = true; more; batches++) {
      more = false;
      for (const [i, listing] of [one, other].entries()) {
        const { value } = listing.next();
        if (!value) continue;
        const first = value.virtualAddress[0] as bigint;
        expect(first >> 12n).toBe(BigInt(found[i as 0 | 1]));
        found[i as 0 | 1] += value.count;
        more = true;
      }
    }
    expect(batches).toBeGreaterThan(2);
    expect(found).toEqual([512 * 512, 512 * 512]);
  });
});
