// assembly/cache/flush.ts, living.ts: flushes that touch no entry. They must leave what an eager flush, entry by entry,
// leaves behind: contents, victims, order of replacement, counters.

import { describe, expect, it } from "vitest";
import { Access, type Cpu, createMachineSync, type Replacement } from "../../src/index.js";
import { runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { G, pageAt, Tables, USER_PAGE } from "../support/tables.js";

const PAGES = 24;

function cpuOf(entries: number, ways: number, replacement: Replacement): Cpu {
  const cache = { entries, ways, replacement };
  const machine = createMachineSync({
    tables: 8,
    workloadPages: 1,
    cpus: [{ l1: [cache], psc: { 2: { ...cache, entries: ways, ways } } }],
  });
  const tables = new Tables(machine.frames);
  for (let page = 0; page < PAGES; page++)
    tables.map(pageAt(page), 0x100 + page, USER_PAGE | (page % 8 === 7 ? G : 0n));
  const cpu = machine.cpus[0]!;
  cpu.movToCr3(tables.cr3, 1);
  return cpu;
}

describe("a flush of one tag by epoch", () => {
  it("counts its dead as empty ways: no other tag's entry is displaced while there are any (named trap)", () => {
    const cpu = cpuOf(4, 4, "lru");
    const l1 = cpu.l1[0]!;
    const touch = (page: number) => cpu.translate(pageAt(page), Access.userRead);
    const { root } = cpu;
    touch(0);
    touch(1);
    cpu.movToCr3(root, 2, true);
    // Younger than the entries of PCID 1, and dead in a moment.
    touch(2);
    touch(3);
    cpu.invpcid(1, 2);
    expect(l1.counters).toMatchObject({ fills: 4, evictions: 0, invalidated: 2 });
    cpu.movToCr3(root, 1, true);
    touch(4);
    touch(5);
    expect(l1.counters).toMatchObject({ fills: 6, evictions: 0 });
    expect(l1.contents().map(({ way, pageNumber, rank }) => [way, pageNumber, rank])).toEqual([
      [0, 0n, 0],
      [1, 1n, 1],
      [2, 4n, 2],
      [3, 5n, 3],
    ]);
    touch(6);
    expect(l1.counters).toMatchObject({ fills: 7, evictions: 1 });
    expect(l1.contents().map(({ pageNumber }) => pageNumber)).toEqual([6n, 1n, 4n, 5n]);
  });

  it("does not bring an entry back when its tag is used again", () => {
    const cpu = cpuOf(4, 4, "lru");
    cpu.translate(0n, Access.userRead);
    cpu.invpcid(1, 1);
    expect(cpu.l1[0]!.contents()).toEqual([]);
    cpu.translate(pageAt(1), Access.userRead);
    cpu.translate(0n, Access.userRead);
    expect(cpu.l1[0]!.counters).toEqual({ lookups: 3, hits: 0, fills: 3, evictions: 0, invalidated: 1 });
    cpu.invpcid(1, 1);
    cpu.invpcid(1, 1);
    expect(cpu.l1[0]!.counters.invalidated).toBe(3);
  });
});

type Step =
  | { kind: "touch"; page: number }
  | { kind: "switch"; pcid: number }
  | { kind: "flush"; pcid: number | "all" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.nat(PAGES - 1).map((page): Step => ({ kind: "touch", page })) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }).map((pcid): Step => ({ kind: "switch", pcid })) },
  { weight: 2, arbitrary: fc.constantFrom(1, 2, 3, "all" as const).map((pcid): Step => ({ kind: "flush", pcid })) },
);

/** Everything to be seen of a CPU's caches. */
const cachesOf = (cpu: Cpu) => cpu.caches.map((cache) => ({ contents: cache.contents(), counters: cache.counters }));

/** INVPCID type 0 of every page: the same, one entry at a time. */
function flushEagerly(cpu: Cpu, pcid: number): void {
  for (let page = 0; page < PAGES; page++) cpu.invpcid(0, pcid, pageAt(page));
}

describe("flushes by epoch and entry by entry", () => {
  it.each(["lru", "fifo", "random"] as const)("leave the same behind after every step, %s", (replacement) => {
    const shape = fc.constantFrom([4, 4], [8, 2], [6, 2], [3, 1], [12, 4], [20, 20]);
    fc.assert(
      fc.property(shape, fc.array(step, { maxLength: 150, size: "max" }), ([entries, ways], steps) => {
        const epoch = cpuOf(entries!, ways!, replacement);
        const eager = cpuOf(entries!, ways!, replacement);
        const { root } = epoch;
        for (const it of steps) {
          for (const cpu of [epoch, eager]) {
            if (it.kind === "touch") cpu.translate(pageAt(it.page), Access.userRead);
            else if (it.kind === "switch") cpu.movToCr3(root, it.pcid, true);
          }
          if (it.kind === "flush") {
            if (it.pcid === "all") {
              epoch.invpcid(3);
              for (const pcid of [1, 2, 3]) flushEagerly(eager, pcid);
            } else {
              epoch.invpcid(1, it.pcid);
              flushEagerly(eager, it.pcid);
            }
          }
          expect(cachesOf(epoch)).toEqual(cachesOf(eager));
        }
      }),
      { numRuns: runs(150) },
    );
  });

  it("global entries outlive all but a flush of everything", () => {
    const cpu = cpuOf(8, 8, "lru");
    const global = pageAt(7);
    cpu.translate(global, Access.userRead);
    cpu.translate(0n, Access.userRead);
    cpu.invpcid(1, 1);
    cpu.invpcid(3);
    cpu.movToCr3(cpu.root, 2);
    expect(cpu.l1[0]!.contents()).toMatchObject([{ pageNumber: 7n, tag: "global" }]);
    cpu.translate(global, Access.userRead);
    expect(cpu.l1[0]!.counters.hits).toBe(1);
    cpu.flushAll();
    expect(cpu.l1[0]!.contents()).toEqual([]);
    expect(cpu.l1[0]!.counters.invalidated).toBe(2);
  });
});
