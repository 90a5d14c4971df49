// Guest memory that the host keeps (rules.md section 18, from 18.11 on): what `stalewalk/memory` promises to a host.

import { describe, expect, it } from "vitest";
import { createMachineSync as createUsual } from "../../src/index.js";
import {
  Access,
  createMachine,
  createMachineSync,
  type GuestMemory,
  guestMemory,
  InvalidOptionError,
  type MemoryMachineConfig,
  ProgramBuilder,
} from "../../src/memory.js";
import { A, D, P, RW, US, USER_PAGE, XD } from "../support/tables.js";

const PAGE = 4096;
const GIB4 = 1n << 32n;
const VA = 0x40_3000n;
const PTE = 0x4018n;
const tlb = { l1: [{ entries: 16, ways: 4 }], psc: { 2: { entries: 4, ways: 4 } } };

/** Tables at 0x1000 to 0x4000, which map VA to a page at 0x8000. */
function map(words: BigUint64Array, at: (address: bigint) => number = (address) => Number(address / 8n)): void {
  words[at(0x1000n)] = 0x2000n | USER_PAGE;
  words[at(0x2000n)] = 0x3000n | USER_PAGE;
  words[at(0x3010n)] = 0x4000n | USER_PAGE;
  words[at(PTE)] = 0x8000n | USER_PAGE;
}

/** A guest in 64 KiB of plain memory; `also` may wrap what reaches it. */
function guest(options: Partial<MemoryMachineConfig> = {}, also = (memory: GuestMemory): GuestMemory => memory) {
  const words = new BigUint64Array(0x10000 / 8);
  map(words);
  const memory = also(guestMemory(words.buffer));
  const machine = createMachineSync({ workloadPages: 1, tables: 4, cpus: [tlb], memory, ...options });
  const cpu = machine.cpus[0]!;
  cpu.movToCr3(0x1000n);
  const entry = (at: bigint) => words[Number(at / 8n)] as bigint;
  return { machine, words, cpu, entry };
}

const okAt = (physicalAddress: bigint) => ({ kind: "ok", physicalAddress, level: 1, pageSize: 4096 });

describe("memory of the host's", () => {
  it("18.12: is where walks read entries and set A and D, by an exchange with what they have read", () => {
    const calls: string[] = [];
    const hex = (...values: bigint[]) => values.map((it) => it.toString(16)).join(" ");
    const { cpu, entry } = guest({}, (memory) => ({
      ...memory,
      load(address) {
        calls.push(`load ${hex(address)}`);
        return memory.load(address);
      },
      compareExchange(address, expected, replacement) {
        calls.push(`exchange ${hex(address, expected, replacement)}`);
        return memory.compareExchange(address, expected, replacement);
      },
    }));
    calls.length = 0;
    expect(cpu.translate(VA, Access.userWrite)).toMatchObject(okAt(0x8000n));
    expect(calls).toEqual([
      ...["load 1000", "load 1000", "exchange 1000 2007 2027"],
      ...["load 2000", "exchange 2000 3007 3027"],
      ...["load 3010", "exchange 3010 4007 4027"],
      ...["load 4018", "exchange 4018 8007 8067"],
    ]);
    expect(entry(PTE) & (A | D)).toBe(A | D);
    expect(cpu.counters).toMatchObject({ walks: 1, entryReads: 4, adWrites: 4 });
    // All marks are there: nothing is written, and a hit asks for nothing.
    calls.length = 0;
    cpu.translate(VA, Access.userWrite);
    cpu.flushAll();
    cpu.translate(VA, Access.userWrite);
    expect(calls).toEqual(["load 1000", "load 2000", "load 3010", "load 4018"]);
  });

  it("18.4: shows a store to the next walk, and to no cache before it is invalidated", () => {
    const { cpu, words } = guest();
    cpu.translate(VA, Access.userRead);
    words[Number(PTE / 8n)] = 0x9000n | USER_PAGE;
    expect(cpu.translate(VA, Access.userRead)).toMatchObject(okAt(0x8000n));
    expect(cpu.explain(VA, Access.userRead).outcome).toMatchObject(okAt(0x9000n));
    cpu.invlpg(VA);
    expect(cpu.translate(VA, Access.userRead)).toMatchObject(okAt(0x9000n));
  });

  it("18.13: an entry that has changed since it was read is not written, and read again", () => {
    // Somebody takes the write right away just before D would be set, once; and makes the PD entry no entry, once.
    const before = new Map([
      [PTE, 0x9000n | P | US],
      [0x2000n, 0n],
    ]);
    let words: BigUint64Array | undefined;
    const made = guest({}, (memory) => ({
      ...memory,
      compareExchange(address, expected, replacement) {
        const changed = before.get(address);
        if (words && changed !== undefined) {
          before.delete(address);
          words[Number(address / 8n)] = changed;
        }
        return memory.compareExchange(address, expected, replacement);
      },
    }));
    words = made.words;
    const { cpu, entry } = made;
    expect(cpu.translate(VA, Access.userWrite)).toMatchObject({ kind: "fault", reason: "not-present", level: 3 });
    expect(entry(0x2000n)).toBe(0n);
    expect(cpu.counters).toMatchObject({ walks: 1, entryReads: 3, adWrites: 1 });
    words[0x2000 / 8] = 0x3000n | USER_PAGE;
    expect(cpu.translate(VA, Access.userWrite)).toMatchObject({ kind: "fault", reason: "write", level: 1 });
    expect(entry(PTE)).toBe(0x9000n | P | US);
    expect(cpu.counters).toMatchObject({ walks: 2, entryReads: 8, adWrites: 3 });
  });

  it("18.13: a walk made step by step sets a mark in one step, and only in what it has read", () => {
    const { machine, cpu, words, entry } = guest({ cpus: [{ walks: "stepwise" }] });
    machine.walks.begin(0, cpu.requester, VA, Access.userRead);
    for (let step = 0; step < 7; step++) machine.walks.step(0);
    words[Number(PTE / 8n)] = 0x9000n | USER_PAGE;
    expect(machine.walks.step(0)).toMatchObject({ kind: "under-way", level: 1 });
    expect(entry(PTE)).toBe(0x9000n | USER_PAGE);
    expect(machine.walks.finish(0)).toMatchObject(okAt(0x9000n));
    expect(entry(PTE)).toBe(0x9000n | USER_PAGE | A);
  });

  it("18.11: is of several ranges; between them is nothing, not even for a root", () => {
    const words = new BigUint64Array((4 * PAGE) / 8);
    // 0x1000 and 0x2000 stand in the second half, 4 GiB and the page behind it in the first.
    const ranges = [
      { base: GIB4, bytes: 2 * PAGE, offset: 0 },
      { base: 0x1000n, bytes: 2 * PAGE, offset: 2 * PAGE },
    ];
    const machine = createMachineSync({ memory: guestMemory(words.buffer, ranges), tables: 1, workloadPages: 1 });
    const cpu = machine.cpus[0]!;
    const { frames } = machine;
    expect(frames).toMatchObject({ size: 4, capacity: 5 });
    frames.writeEntry(0x1000n, 0x2000n | USER_PAGE);
    frames.writeEntry(0x2000n, GIB4 | USER_PAGE);
    frames.writeEntry(GIB4 + 8n, (GIB4 + 0x1000n) | USER_PAGE);
    frames.writeEntry(GIB4 + 0x1000n, 0x7000n | USER_PAGE | XD);
    frames.writeEntry(GIB4 + 0x1008n, 0x7000n | USER_PAGE);
    expect([words[1], words[512], words[1024], words[1536]]).toEqual([
      (GIB4 + 0x1000n) | USER_PAGE,
      0x7000n | USER_PAGE | XD,
      0x2000n | USER_PAGE,
      GIB4 | USER_PAGE,
    ]);
    cpu.movToCr3(0x1000n);
    expect(cpu.translate(0x20_0000n, Access.userRead)).toMatchObject(okAt(0x7000n));
    expect(words[512]).toBe(0x7000n | USER_PAGE | XD | A);
    frames.writeEntry(GIB4 + 8n, 0x3000n | USER_PAGE);
    expect(cpu.translate(0x20_0000n, Access.userRead)).toEqual({ kind: "absent", level: 1, frame: 3 });
    frames.setTable(3, new BigUint64Array(512).fill(0x5000n | USER_PAGE));
    expect(cpu.translate(0x20_0000n, Access.userRead)).toMatchObject(okAt(0x5000n));
    expect(frames.readEntry(0x3000n)).toBe(0x5000n | USER_PAGE | A);
    cpu.movToCr3(GIB4 + 0x2000n);
    expect(cpu.translate(0n, Access.userRead)).toMatchObject({ kind: "absent", level: 4 });
  });

  it("holds frame 0 as any other", () => {
    const words = new BigUint64Array(512).fill(P | RW | US);
    const machine = createMachineSync({ memory: guestMemory(words.buffer), tables: 1, cpus: [{}], workloadPages: 1 });
    expect(machine.cpus[0]!.translate(0x1000n, Access.userWrite)).toMatchObject(okAt(0n));
    expect(words[0]).toBe(P | RW | US | A);
    expect(words[1]).toBe(P | RW | US | A | D);
    machine.play(new ProgramBuilder().writeEntry(8n, 0n).build());
    expect(words[1]).toBe(0n);
  });

  it("may hold a kernel's pool, also from physical address 0 on", () => {
    const { machine, words, cpu } = guest({ kernel: { poolBase: 8, pool: 8 }, cpus: [{}] });
    const kernel = machine.kernel!;
    const va = 0xffff_c900_0000_0000n;
    expect(machine.frames.describe(8)).toMatchObject({ state: "table", level: 4 });
    kernel.run((p) => p.vmalloc(va, 1));
    cpu.movToCr3(0x8000n);
    expect(words[8 * 512 + Number((va >> 39n) & 511n)]! & P).toBe(P);
    expect(cpu.translate(va, Access.supervisorWrite)).toMatchObject({ kind: "ok" });
    kernel.run((p) => p.vfree(va, 1));
    expect(words[8 * 512 + Number((va >> 39n) & 511n)]! & P).toBe(P);
    expect(kernel.freeFrames()).toHaveLength(4);
  });

  it("12.2: makes a hazard of a frame that is said to be freed, with the write after the free", () => {
    const { machine, cpu, words } = guest({ kernel: { poolBase: 0x100, pool: 2 }, cpus: [tlb] });
    cpu.movToCr3(0x1000n);
    words[Number(PTE / 8n) + 1] = 0x9000n | USER_PAGE;
    cpu.translate(VA, Access.userRead);
    machine.frames.set(4, "free");
    cpu.translate(VA + 0x1000n, Access.userRead);
    const [hazard] = machine.kernel!.hazards();
    expect(hazard).toMatchObject({ frame: 4, level: 1, generations: { cached: 0, now: 1 } });
    expect(hazard!.kinds).toEqual(["walk-after-free", "write-after-free", "forged-translation"]);
  });

  it("18.14: is in no snapshot; frames' states are, and what walks have marked is told", () => {
    const { machine, cpu, words, entry } = guest();
    machine.changedFrames();
    const before = machine.snapshot();
    cpu.translate(VA, Access.userRead);
    expect(machine.changedFrames()).toEqual([1, 2, 3, 4]);
    machine.frames.set(9, "data");
    words[0] = 0x1234n;
    machine.restore(before);
    expect(entry(PTE) & A).toBe(A);
    expect(words[0]).toBe(0x1234n);
    expect(machine.frames.describe(9)).toMatchObject({ state: "table", generation: 0 });
    expect(() => machine.snapshot({ ram: true })).toThrow("options.ram is true; expected false: the host keeps");
    expect(machine.ram).toBeUndefined();
  });

  it("has no view in the engine, and its frames are never deleted; tables are filled through the host", () => {
    const { machine, words, entry } = guest();
    expect(() => machine.frames.view(4)).toThrow("frame is 4; expected a frame outside of the ranges of `memory`");
    expect(() => machine.frames.delete(4)).toThrow(
      "expected a frame that belongs neither to RAM or memory of the host's",
    );
    machine.frames.setTable(5, new BigUint64Array(512).fill(7n | XD));
    expect(words.subarray(5 * 512, 6 * 512).every((it) => it === (7n | XD))).toBe(true);
    machine.frames.setTable(5, new Uint8Array(PAGE).fill(1));
    expect(entry(0x5ff8n)).toBe(0x0101_0101_0101_0101n);
    machine.frames.setTable(5);
    expect(words.subarray(5 * 512, 6 * 512).every((it) => it === 0n)).toBe(true);
    expect(machine.frames.view(0x77)).toBeUndefined();
  });
});

describe("functions of the host's", () => {
  it("may be methods, of which `this` is the object that was given; values have no sign", async () => {
    class Ram implements GuestMemory {
      readonly words = new Map<bigint, bigint>();
      readonly ranges = [{ base: 0n, bytes: 0x10000 }];
      load(address: bigint): bigint {
        return BigInt.asIntN(64, this.words.get(address) ?? 0n);
      }
      compareExchange(address: bigint, expected: bigint, replacement: bigint): bigint {
        expect([expected, replacement].every((it) => it >= 0n)).toBe(true);
        const stood = this.words.get(address) ?? 0n;
        if (stood === expected) this.words.set(address, replacement);
        return BigInt.asIntN(64, stood);
      }
    }
    const memory = new Ram();
    for (const [at, entry] of [
      ...[[0x1000n, 0x2000n] as const, [0x2000n, 0x3000n] as const, [0x3010n, 0x4000n] as const],
      [PTE, 0x8000n | XD] as const,
    ]) {
      memory.words.set(at, entry | USER_PAGE);
    }
    const machine = await createMachine({ memory, tables: 1 });
    machine.cpus[0]!.movToCr3(0x1000n);
    expect(machine.cpus[0]!.translate(VA, Access.userWrite)).toMatchObject(okAt(0x8000n));
    expect(memory.words.get(PTE)).toBe(0x8000n | USER_PAGE | XD | A | D);
    expect(machine.frames.readEntry(PTE)).toBe(0x8000n | USER_PAGE | XD | A | D);
  });

  it("throw out of the access that called them, and the next access goes on", () => {
    let broken = false;
    const { cpu } = guest({}, (memory) => ({
      ...memory,
      load(address) {
        if (broken && address === PTE) throw new Error("a machine check");
        return memory.load(address);
      },
    }));
    broken = true;
    expect(() => cpu.translate(VA, Access.userRead)).toThrow("a machine check");
    broken = false;
    expect(cpu.translate(VA, Access.userRead)).toMatchObject(okAt(0x8000n));
  });

  it.each<[string, (memory: GuestMemory) => GuestMemory, string]>([
    [
      "a load that gives a number",
      (it) => ({ ...it, load: () => 0 as never }),
      "memory.load(0x0) is 0; expected a 64-bit word as bigint",
    ],
    [
      "an exchange that says whether it was done",
      (it) => ({ ...it, compareExchange: () => true as never }),
      "memory.compareExchange(0x0, …) is true; expected what stood at the address",
    ],
    [
      "an exchange that gives another word",
      (it) => ({ ...it, compareExchange: () => 1n }),
      "memory.compareExchange(0x0, …) is 0x1; expected what stood at the address",
    ],
    ["a load that is none", (it) => ({ ...it, load: 5 as never }), "memory.load is 5; expected a function"],
    ["no ranges", ({ load, compareExchange }) => ({ load, compareExchange }) as never, "memory.ranges is undefined"],
    ["an empty list of them", (it) => ({ ...it, ranges: [] }), "expected a list of ranges of memory, at least one"],
    [
      "half a page",
      (it) => ({ ...it, ranges: [{ base: 0n, bytes: 6144 }] }),
      "memory.ranges[0].bytes is 6144; expected a multiple of 4096 up to 2^52",
    ],
    [
      "a page that begins inside another",
      (it) => ({ ...it, ranges: [{ base: 0x800n, bytes: PAGE }] }),
      "memory.ranges[0].base is 0x800; expected a physical address as bigint",
    ],
    [
      "more than an address can say",
      (it) => ({ ...it, ranges: [{ base: (1n << 46n) - 4096n, bytes: 8192 }] }),
      "memory.ranges[0].base is 0x3ffffffff000; expected memory that ends at 2^46, the widest physical address, at most",
    ],
    [
      "a range over another",
      (it) => ({
        ...it,
        ranges: [
          { base: 0x8000n, bytes: 2 * PAGE },
          { base: 0n, bytes: 9 * PAGE },
        ],
      }),
      "memory.ranges[1].base is 0x0; expected memory beside that of ranges[0]",
    ],
    [
      "more frames than there are slots",
      (it) => ({ ...it, ranges: [{ base: 0n, bytes: 2 ** 37 }] }),
      'memory.ranges is "33554432 frames"; expected at most 16777210 in all',
    ],
    ["nothing at all", () => undefined as never, "memory is undefined; expected an object with `load`"],
  ])("are refused: %s", (_, also, message) => {
    expect(() => guest({}, also)).toThrow(InvalidOptionError);
    expect(() => guest({}, also)).toThrow(message);
  });

  it("an exchange that never gives what `load` gave ends in an error, not in a loop", () => {
    let lies = false;
    const { cpu } = guest({}, (memory) => ({
      ...memory,
      compareExchange: (address, expected, replacement) =>
        lies ? 1n : memory.compareExchange(address, expected, replacement),
    }));
    lies = true;
    expect(() => cpu.translate(VA, Access.userRead)).toThrow(
      "memory.compareExchange() is 0x1; expected what stood at the address, which `load` has just given",
    );
  });

  it("are no option of the usual machine, nor `ram` of this one", () => {
    const memory = guestMemory(new ArrayBuffer(PAGE));
    expect(() => createUsual({ memory } as never)).toThrow("memory is");
    expect(() => createMachineSync({ memory, ram: { bytes: PAGE } } as never)).toThrow("ram is");
    expect(() => createMachineSync({} as never)).toThrow("memory is undefined; expected an object");
  });
});
