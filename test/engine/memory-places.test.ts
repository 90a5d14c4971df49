// Where guest memory may stand: arrays, shared arrays, the memory of another WebAssembly instance (rules.md section 18, from 18.11 on).
// Several threads over one memory: test/package/memory.test.ts.

import { describe, expect, it } from "vitest";
import { seeded } from "../../bench/random.js";
import {
  Access,
  createMachineSync,
  guestMemory,
  type MemorySource,
  type PlacedRange,
  ProgramBuilder,
  unpackOutcome,
} from "../../src/memory.js";
import { SEED } from "../support/seed.js";
import { A, D, USER_PAGE, XD } from "../support/tables.js";

const PAGE = 4096;
const VA = 0x40_3000n;
const okAt = (physicalAddress: bigint) => ({ kind: "ok", physicalAddress, level: 1, pageSize: 4096 });

const bufferOf = (source: MemorySource): ArrayBufferLike => ("buffer" in source ? source.buffer : source);

/** Memory of 128 KiB of every kind. */
const SOURCES: [string, () => MemorySource][] = [
  ["an ArrayBuffer", () => new ArrayBuffer(0x20000)],
  ["a Uint8Array inside one", () => new Uint8Array(new ArrayBuffer(0x20010), 8, 0x20000)],
  ["a SharedArrayBuffer", () => new SharedArrayBuffer(0x20000)],
  ["a Uint8Array of a SharedArrayBuffer", () => new Uint8Array(new SharedArrayBuffer(0x20008), 8)],
  ["a WebAssembly.Memory", () => new WebAssembly.Memory({ initial: 2 })],
  ["one without a limit below 4 GiB", () => new WebAssembly.Memory({ initial: 2, maximum: 65536 })],
  ["a shared one", () => new WebAssembly.Memory({ initial: 2, maximum: 3, shared: true })],
];

describe.each(SOURCES)("guest memory in %s", (_, make) => {
  it("is read and marked in place, in every range", () => {
    const source = make();
    const start = source instanceof Uint8Array ? source.byteOffset : 0;
    const words = new BigUint64Array(bufferOf(source), start, 0x20000 / 8);
    // The upper 64 KiB stand first, and end where 2^46 does.
    const top = (1n << 46n) - 0x10000n;
    const ranges: PlacedRange[] = [
      { base: top, bytes: 0x10000, offset: 8 },
      { base: 0x10_0000n, bytes: 0xf000, offset: 0x10008 },
    ];
    const memory = guestMemory(source, ranges);
    const machine = createMachineSync({ memory, tables: 1, workloadPages: 1, levels: 4, maxPhyAddr: 46 });
    const at = (address: bigint) => Number(address >= top ? address - top + 8n : address - 0x10_0000n + 0x10008n) / 8;
    words[at(0x10_0000n)] = top | USER_PAGE;
    words[at(top)] = 0x10_1000n | USER_PAGE;
    words[at(0x10_1010n)] = (top + 0xf000n) | USER_PAGE;
    words[at(top + 0xf018n)] = 0x8000n | USER_PAGE | XD;
    const cpu = machine.cpus[0]!;
    cpu.movToCr3(0x10_0000n);
    expect(cpu.translate(VA, Access.userWrite)).toMatchObject(okAt(0x8000n));
    expect(words[at(top + 0xf018n)]).toBe(0x8000n | USER_PAGE | XD | A | D);
    expect(words[at(0x10_0000n)]).toBe(top | USER_PAGE | A);
    expect(machine.frames.readEntry(top + 0xf018n)).toBe(0x8000n | USER_PAGE | XD | A | D);
    machine.frames.writeEntry(0x10_eff8n, 0xfedc_ba98_7654_3210n);
    expect(words[at(0x10_eff8n)]).toBe(0xfedc_ba98_7654_3210n);
    expect(machine.frames.size).toBe(31);
    // Nothing else has been written to.
    expect(words.filter((it) => it !== 0n)).toHaveLength(5);
  });

  it("is all of its whole pages without ranges, and nothing outside of them", () => {
    const source = make();
    const { ranges, load, compareExchange } = guestMemory(source);
    expect(ranges).toEqual([{ base: 0n, bytes: 0x20000 }]);
    expect(load(0x1fff8n)).toBe(0n);
    expect(BigInt.asUintN(64, compareExchange(8n, 0n, 1n << 63n))).toBe(0n);
    expect(BigInt.asUintN(64, compareExchange(8n, 5n, 6n))).toBe(1n << 63n);
    expect(BigInt.asUintN(64, load(8n))).toBe(1n << 63n);
    expect(() => load(0x20000n)).toThrow();
    expect(() => compareExchange(0x20000n, 0n, 1n)).toThrow();
  });

  it.each<[string, readonly PlacedRange[], string]>([
    ["none", [], "expected a list of ranges, at least one"],
    [
      "more than there is",
      [{ base: 0n, bytes: 0x20000, offset: 8 }],
      "ranges[0].offset is 8; expected a multiple of 8, with",
    ],
    ["a word in two", [{ base: 0n, bytes: PAGE, offset: 4 }], "ranges[0].offset is 4; expected a multiple of 8"],
  ])("is refused: %s", (_what, ranges, message) => {
    expect(() => guestMemory(make(), ranges)).toThrow(message);
  });
});

describe("guest memory", () => {
  it("of a WebAssembly.Memory is found again when that has grown", () => {
    const source = new WebAssembly.Memory({ initial: 1 });
    const machine = createMachineSync({ memory: guestMemory(source), tables: 1, workloadPages: 1 });
    source.grow(10);
    new BigUint64Array(source.buffer)[512] = 0x77n;
    expect(machine.frames.readEntry(0x1000n)).toBe(0x77n);
    machine.frames.writeEntry(0x1008n, 9n);
    expect(new BigUint64Array(source.buffer)[513]).toBe(9n);
  });

  it("is refused in anything else", () => {
    expect(() => guestMemory(new Uint8Array(new ArrayBuffer(8192), 4))).toThrow(
      "source.byteOffset is 4; expected a multiple of 8",
    );
    for (const source of [undefined, 5, {}, new Uint16Array(4096), "x"]) {
      expect(() => guestMemory(source as never)).toThrow("expected a Uint8Array, an ArrayBuffer");
    }
    expect(() => guestMemory(new ArrayBuffer(100))).toThrow("ranges[0].bytes is 0; expected a multiple of 4096");
  });

  it("may be functions that another WebAssembly instance exports; other types of theirs are refused", () => {
    const source = new WebAssembly.Memory({ initial: 1 });
    const { load, compareExchange, ranges } = guestMemory(source);
    expect(() => createMachineSync({ memory: { load: compareExchange as never, compareExchange, ranges } })).toThrow();
    const machine = createMachineSync({ memory: { load, compareExchange, ranges }, tables: 1, workloadPages: 1 });
    new BigUint64Array(source.buffer)[0] = 0x1000n | USER_PAGE;
    expect(machine.cpus[0]!.translate(0n, Access.userRead)).toMatchObject({ kind: "fault", level: 3 });
    expect(new BigUint64Array(source.buffer)[0]).toBe(0x1000n | USER_PAGE | A);
    expect(machine.frames.readEntry(0n)).toBe(0x1000n | USER_PAGE | A);
  });
});

it("is walked by runs of accesses as by single ones, whatever level of paths is cached", () => {
  const made = () => {
    const memory = guestMemory(new ArrayBuffer(0x20000));
    const paths = { 2: { entries: 2, ways: 1 }, 3: { entries: 2, ways: 1 }, 4: { entries: 2, ways: 2 } };
    const cpus = [{ l1: [{ entries: 8, ways: 4 }], psc: paths, root: 0x1000n }];
    const machine = createMachineSync({ memory, tables: 1, workloadPages: 1, levels: 4, cpus });
    const { frames } = machine;
    // Two regions of 512 GiB; each has four of 1 GiB, and these a table of their own.
    for (let wide = 0n; wide < 2n; wide++) {
      frames.writeEntry(0x1000n + 8n * wide, ((2n + wide) << 12n) | USER_PAGE);
      for (let gib = 0n; gib < 4n; gib++) {
        const pd = 4n + 4n * wide + gib;
        frames.writeEntry(((2n + wide) << 12n) + 8n * gib, (pd << 12n) | USER_PAGE);
        frames.writeEntry(pd << 12n, ((pd + 8n) << 12n) | USER_PAGE);
        for (let i = 0n; i < 8n; i++)
          frames.writeEntry(((pd + 8n) << 12n) + 8n * i, ((0x100n * pd + i) << 12n) | USER_PAGE);
      }
    }
    return machine;
  };
  const [lane, single] = [made(), made()];
  const below = seeded(SEED);
  const builder = new ProgramBuilder();
  const addresses = Array.from({ length: 3000 }, (_, i) => {
    const far = (BigInt(below(2)) << 39n) | (BigInt(below(4)) << 30n);
    return (i % 3 === 0 ? far : 0n) | (BigInt(below(8)) << 12n);
  });
  for (const va of addresses) builder.access(0, va, Access.userRead);
  const outcomes = lane.play(builder.build());
  expect([...outcomes].map(unpackOutcome)).toEqual(
    addresses.map((va) => single.cpus[0]!.translate(va, Access.userRead)),
  );
  for (const [i, cache] of lane.cpus[0]!.caches.entries()) {
    const other = single.cpus[0]!.caches[i]!;
    expect([cache.counters, cache.contents()]).toEqual([other.counters, other.contents()]);
  }
  expect(lane.cpus[0]!.counters).toEqual(single.cpus[0]!.counters);
});
