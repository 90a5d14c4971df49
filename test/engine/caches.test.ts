// assembly/cache/: geometries that the small worlds of agreement.test.ts do not reach, and traps that were met.

import { describe, expect, it } from "vitest";
import { Access, type Cpu, type CpuConfig, createMachineSync, type Replacement } from "../../src/index.js";
import type { CpuConfig as ModelCpu } from "../model/cpu.js";
import type { MachineConfig } from "../model/machine.js";
import type { Operation } from "../model/operations.js";
import { expectAgreement } from "../support/agreement.js";
import { runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { seedAt } from "../support/seed.js";
import { A, D, G, PS, pageAt, Tables, USER_PAGE } from "../support/tables.js";

const REPLACEMENTS: readonly Replacement[] = ["lru", "fifo", "random"];

/** 4096 pages of 4 KiB and 64 of 2 MiB, some of them global, in one address space. */
const PAGES = 4096;
const LARGE = 64;
const LARGE_BASE = 1n << 30n;

function world(cpu: Pick<ModelCpu, "l1" | "l2" | "psc">): MachineConfig {
  const bits = USER_PAGE | A | D;
  const entry = (frame: number, more = 0n): bigint => (BigInt(frame) << 12n) | bits | more;
  const tables = Array.from({ length: PAGES / 512 }, (_, table) => ({
    frame: 0x20 + table,
    state: "table" as const,
    entries: Array.from({ length: 512 }, (_, i): [number, bigint] => [
      i,
      entry(0x10000 + 512 * table + i, i % 16 === 5 ? G : 0n),
    ]),
  }));
  const large = Array.from({ length: LARGE }, (_, i): [number, bigint] => [i, entry(0x40000 + 512 * i, PS)]);
  return {
    levels: 4,
    maxPhyAddr: 46,
    pages1G: true,
    frames: [
      { frame: 0x10, state: "table", entries: [[0, entry(0x11)]] },
      {
        frame: 0x11,
        state: "table",
        entries: [
          [0, entry(0x12)],
          [1, entry(0x13)],
        ],
      },
      { frame: 0x12, state: "table", entries: tables.map(({ frame }, i) => [i, entry(frame)]) },
      { frame: 0x13, state: "table", entries: large },
      ...tables,
    ],
    cpus: [
      {
        root: 0x10,
        pcid: 1,
        controls: {
          wp: true,
          smep: false,
          smap: false,
          pke: false,
          pge: true,
          pcide: true,
          nxe: true,
          ac: false,
          pkru: 0,
        },
        invlpgScope: "pcid",
        ...cpu,
      },
    ],
    iommus: [],
  };
}

const page = fc.oneof(
  { weight: 6, arbitrary: fc.nat(PAGES - 1).map(pageAt) },
  // A few pages often, so that there are hits.
  { weight: 6, arbitrary: fc.nat(40).map((i) => pageAt(i * 97)) },
  { weight: 2, arbitrary: fc.nat(LARGE * 512 - 1).map((i) => LARGE_BASE + pageAt(i)) },
);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 400, arbitrary: page.map((address): Operation => ({ kind: "access", cpu: 0, address, access: 4 })) },
  { weight: 8, arbitrary: page.map((address): Operation => ({ kind: "invlpg", cpu: 0, address })) },
  {
    weight: 4,
    arbitrary: fc.tuple(page, fc.integer({ min: 1, max: 3000 })).map(([start, pages]): Operation => {
      return { kind: "flush-range", cpu: 0, start, end: start + pageAt(pages) };
    }),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 1, 1, 3), fc.constantFrom(0, 1, 2), page)
      .map(([type, pcid, address]): Operation => {
        return { kind: "invpcid", cpu: 0, type: type as 0 | 1 | 3, pcid, address };
      }),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(0, 1, 2)
      .map((pcid): Operation => ({ kind: "mov-cr3", cpu: 0, root: 0x10, pcid, noFlush: true })),
  },
);

const off = { l1: [], l2: [], psc: {} };
const all = ["4K", "2M", "1G"] as const;

describe("large and odd geometries agree with the model", () => {
  const geometries: [string, number, number][] = [
    ["1536 entries of 12 ways", 1536, 12],
    ["fully associative, 64 ways", 64, 64],
    ["7 sets of 12 ways", 84, 12],
    ["13 sets of 5 ways", 65, 5],
    ["96 sets of one way", 96, 1],
    ["3 sets of 17 ways", 51, 17],
    ["2 sets of 33 ways", 66, 33],
    ["one set of 200 ways", 200, 200],
  ];
  it.each(
    geometries.flatMap(([name, entries, ways]) =>
      REPLACEMENTS.map((replacement) => ({ name, entries, ways, replacement })),
    ),
  )("$name, $replacement", ({ entries, ways, replacement }) => {
    const cache = { entries, ways, replacement, enabled: true };
    const structures = { entries: 9, ways: 3, replacement, enabled: true };
    const config = world({
      ...off,
      l2: [{ ...cache, pageSizes: [...all] }],
      psc: { 2: structures, 3: structures, 4: structures },
    });
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1200, maxLength: 1200 }), (operations) => {
        expectAgreement({ config, operations }, { every: 300 });
      }),
      { seed: seedAt(entries), numRuns: runs(1) },
    );
  });
});

function cpuWith(config: CpuConfig, levels: 4 | 5 = 4): { cpu: Cpu; tables: Tables } {
  const machine = createMachineSync({ levels, tables: 64, workloadPages: 1, cpus: [config] });
  const tables = new Tables(machine.frames, levels);
  machine.cpus[0]!.movToCr3(tables.cr3, config.pcid ?? 0);
  return { cpu: machine.cpus[0]!, tables };
}

describe("ways that only pad a set to a whole vector", () => {
  it("never match: a paging-structure cache of one entry, PCID 1, address 0", () => {
    const one = { entries: 1, ways: 1 };
    const { cpu, tables } = cpuWith({ pcid: 1, psc: { 2: one, 3: one, 4: one } });
    for (let i = 0; i < 3; i++) tables.map(pageAt(i), 0x100 + i);
    cpu.translate(0n, Access.userRead);
    for (const level of [2, 3, 4]) {
      expect(cpu.psc.get(level)!.contents()).toMatchObject([{ set: 0, way: 0, tag: 1, pageNumber: 0n }]);
    }
    expect(cpu.counters.entryReads).toBe(4);
    cpu.translate(pageAt(1), Access.userRead);
    expect(cpu.counters.entryReads).toBe(5);
    expect(cpu.psc.get(2)!.counters).toEqual({ lookups: 2, hits: 1, fills: 1, evictions: 0, invalidated: 0 });
  });

  it.each([0, 1, 4095])("never match and are never filled, for 1 to 40 ways, PCID %i", (pcid) => {
    for (let ways = 1; ways <= 40; ways++) {
      const { cpu, tables } = cpuWith({ pcid, l1: [{ entries: ways, ways }] });
      for (let i = 0; i <= ways; i++) tables.map(pageAt(i), 0x100 + i);
      const touch = (i: number) => cpu.translate(pageAt(i), Access.userRead);
      for (let i = 0; i < ways; i++) touch(i);
      for (let i = 0; i < ways; i++) touch(i);
      expect(cpu.l1[0]!.counters).toMatchObject({ lookups: 2 * ways, hits: ways, fills: ways, evictions: 0 });
      touch(ways);
      expect(cpu.l1[0]!.counters).toMatchObject({ fills: ways + 1, evictions: 1 });
      expect(cpu.l1[0]!.contents().map(({ way }) => way)).toEqual(Array.from({ length: ways }, (_, i) => i));
    }
  });
});

describe("five levels", () => {
  it("have a paging-structure cache of level 5 of their own, and addresses of 57 bits", () => {
    const psc = { 2: { entries: 2, ways: 2 }, 5: { entries: 2, ways: 2 } };
    const { cpu, tables } = cpuWith({ psc }, 5);
    const low = 0x00ff_ffff_ffff_f000n;
    const high = 0xff00_0000_0000_0000n;
    tables.map(low, 0x777);
    tables.map(high, 0x888);
    expect(cpu.translate(low + 8n, Access.userRead)).toMatchObject({ kind: "ok", physicalAddress: 0x77_7008n });
    expect(cpu.translate(high, Access.userRead)).toMatchObject({ kind: "ok", physicalAddress: 0x88_8000n });
    expect(cpu.translate(1n << 56n, Access.userRead)).toEqual({ kind: "non-canonical" });
    expect(cpu.counters).toMatchObject({ walks: 2, entryReads: 10 });
    expect(
      cpu.psc
        .get(5)!
        .contents()
        .map(({ pageShift, pageNumber }) => [pageShift, pageNumber]),
    ).toEqual([
      [48, 0xffn],
      [48, 0x100n],
    ]);
  });
});
