// assembly/program/play.ts and program-check.ts: what `play` does is what the calls of the API do one by one; and a program that
// cannot be played is refused before anything of it has been played.

import { describe, expect, it } from "vitest";
import {
  Access,
  createMachineSync,
  everyCpu,
  InvalidOptionError,
  type Machine,
  Operation,
  operationBytes,
  ProgramBuilder,
  refusalOf,
  unpackWalk,
  type WalkOutcome,
} from "../../src/index.js";
import type { MachineConfig } from "../model/machine.js";
import { type Operation as ModelOperation, programs } from "../model/programs.js";
import { runs } from "../support/effort.js";
import { dumpEngine, engineMachine, everyPlace, stepEngine, tablesOf } from "../support/engine-player.js";
import fc from "../support/fast-check.js";
import { joinRecords, pack, record } from "../support/pack.js";
import { pageAt, Tables } from "../support/tables.js";

/** Programs have no PASID-cache invalidation of all PASIDs: one for each stands for it. */
function apart(operation: ModelOperation, config: MachineConfig): ModelOperation[] {
  if (operation.kind !== "invalidate-pasid-cache" || operation.pasid !== undefined) return [operation];
  return (config.iommus[operation.iommu]?.pasids ?? []).map(({ pasid }) => ({ ...operation, pasid }));
}

describe("play", () => {
  it("gives the outcomes, counters, caches and tables of the same operations called one by one", () => {
    fc.assert(
      fc.property(programs(150), ({ config, operations }) => {
        const called = engineMachine(config, operations);
        const played = engineMachine(config, operations);
        const expected: (WalkOutcome | undefined)[] = [];
        const records: Uint8Array[] = [];
        /** Which results are outcomes. */
        const places: number[] = [];
        let count = 0;
        for (const operation of operations.flatMap((it) => apart(it, config))) {
          if (operation.kind === "probe" || operation.kind === "request-probe" || operation.kind === "submit") continue;
          const outcome = stepEngine(called, config, operation);
          if (outcome?.kind === "refused") throw new Error("a program has no descriptors");
          if (outcome || ["begin", "step", "finish"].includes(operation.kind)) {
            expected.push(outcome);
            places.push(count);
          }
          for (const bytes of pack(played, operation)) {
            records.push(bytes);
            count += bytes.length / operationBytes;
          }
        }
        const results = played.play(joinRecords(records));
        expect(results).toHaveLength(count);
        expect(places.map((place) => unpackWalk(results[place]!))).toEqual(expected);
        expect(dumpEngine(played, config)).toEqual(dumpEngine(called, config));
        const invalidations = (machine: Machine) => machine.iommus.map((iommu) => iommu.counters.invalidations);
        expect(invalidations(played)).toEqual(invalidations(called));
        const entries = (machine: Machine) =>
          tablesOf(everyPlace(config), (frame, index) => machine.frames.view(frame)?.[index]);
        expect(entries(played)).toEqual(entries(called));
      }),
      { numRuns: runs(200) },
    );
  });

  it("is the same however the program is cut, also where a chunk would part an operation from its second record", () => {
    const build = () => {
      const machine = createMachineSync({ tables: 8, workloadPages: 1, cpus: [{ l1: [{ entries: 4, ways: 2 }] }] });
      const tables = new Tables(machine.frames);
      for (let page = 0; page < 8; page++) tables.map(pageAt(page), 0x100 + page);
      machine.cpus[0]!.movToCr3(tables.cr3);
      return { machine, tables };
    };
    const { machine, tables } = build();
    const program = new ProgramBuilder();
    // An odd start puts a write's first record at the end of every chunk of an even number of records.
    program.access(0, 0n, Access.userRead);
    const leaf = tables.slot(pageAt(3), 1);
    while (program.count < 200_001)
      program
        .writeEntry(leaf, BigInt(program.count) << 12n)
        .access(0, 0n, Access.userRead)
        .flushAll(0);
    const bytes = program.build();
    const whole = machine.play(bytes);
    expect(whole).toHaveLength(program.count);
    const other = build().machine;
    const middle = 100_001 * operationBytes;
    const halves = [...other.play(bytes.subarray(0, middle)), ...other.play(bytes.subarray(middle))];
    const first = (index: number) => index === 0 || index % 4 !== 2;
    // Results of first records, and of operations of one record.
    expect(halves.findIndex((result, i) => first(i) && result !== whole[i])).toBe(-1);
    expect(other.cpus[0]!.counters).toEqual(machine.cpus[0]!.counters);
    expect(machine.cpus[0]!.counters.translations).toBe(50_001);
    expect(machine.frames.readEntry(leaf)).toBe(199_997n << 12n);
  });

  // Known: a second record's result is whatever the chunk before left in its place.
  it("gives 0 for the second record of an operation, in every chunk", () => {
    const machine = createMachineSync({ tables: 1, workloadPages: 1 });
    const program = new ProgramBuilder();
    for (let i = 0; i < 65_536; i++) program.access(0, 0n, Access.userRead);
    for (let i = 0; i < 100; i++) program.writeEntry(0x5000n, 1n);
    const results = machine.play(program.build());
    const [first, second] = [results[65_536]!, results[65_537]];
    expect([refusalOf(first), second]).toEqual(["table-absent", 0n]);
    expect(results.subarray(65_536).every((result, i) => result === (i % 2 === 0 ? first : 0n))).toBe(true);
  });

  it("plays nothing, without a result, for an empty program", () => {
    expect(createMachineSync({ tables: 1, workloadPages: 1 }).play(new Uint8Array(0))).toHaveLength(0);
  });

  it("says 1 for an entry that was written and the reason for one whose frame is not there", () => {
    const machine = createMachineSync({ tables: 1, workloadPages: 1 });
    machine.frames.setTable(7);
    const program = new ProgramBuilder().writeEntry(0x7008n, 5n).writeEntry(0x8008n, 5n).build();
    const results = machine.play(program);
    expect([results[0], refusalOf(results[0]!), refusalOf(results[2]!)]).toEqual([1n, undefined, "table-absent"]);
    expect(machine.frames.readEntry(0x7008n)).toBe(5n);
  });

  it("range or all: drops up to 33 pages one by one, and everything above", () => {
    const machine = createMachineSync({ tables: 8, workloadPages: 1, cpus: [{ l1: [{ entries: 64, ways: 64 }] }] });
    const tables = new Tables(machine.frames);
    for (let page = 0; page < 50; page++) tables.map(pageAt(page), 0x100 + page);
    const cpu = machine.cpus[0]!;
    cpu.movToCr3(tables.cr3);
    const touchAll = (): void => {
      for (let page = 0; page < 50; page++) cpu.translate(pageAt(page), Access.userRead);
    };
    touchAll();
    machine.play(new ProgramBuilder().invlpgRangeOrAll(0, 0n, 33).build());
    expect(cpu.l1[0]!.contents()).toHaveLength(50 - 33);
    expect(cpu.counters.invalidations).toBe(1 + 33);
    touchAll();
    machine.play(new ProgramBuilder().invlpgRangeOrAll(everyCpu, 0n, 34).build());
    expect(cpu.l1[0]!.contents()).toHaveLength(0);
    expect(cpu.counters.invalidations).toBe(1 + 33 + 1);
  });
});

describe("a program that cannot be played", () => {
  const machineOf = () =>
    createMachineSync({
      tables: 8,
      workloadPages: 1,
      cpus: [{}, {}],
      iommus: [{ pasids: [1, 2], devices: [{}, { deviceTlb: { entries: 4, ways: 4 } }] }],
    });
  const machine = machineOf();
  const pasid = machine.iommus[0]!.requester(1);
  const device = machine.iommus[0]!.requester(1, 1);
  const requesters = 2 + 2 + 2;

  it.each([
    ["an unknown operation", record(17 + 100, 0, 0, 0, 0n), "code is 117; expected a code of Operation"],
    [
      "a kernel's operation",
      record(Operation.svaBind, 0, pasid, 0, 0n),
      "expected an operation that needs no kernel (svaBind",
    ],
    [
      "a requester too many",
      record(Operation.access, 4, requesters, 0, 0n),
      "access.requester is 6; expected a requester",
    ],
    ["an access of every CPU", record(Operation.access, 4, everyCpu, 0, 0n), "access.requester is 65535; expected"],
    [
      "an access of type 3",
      record(Operation.access, 3, 0, 0, 0n),
      "access.access is 3; expected one of the values of Access",
    ],
    [
      "an access of type 32",
      record(Operation.access, 32, 0, 0, 0n),
      "access.access is 32; expected one of the values of Access",
    ],
    [
      "INVLPG by an IOMMU",
      record(Operation.invlpg, 0, pasid, 0, 0n),
      "invlpg.cpu is 2; expected a CPU of this machine, 0 to 1, or everyCpu",
    ],
    ["a range or all by an IOMMU", record(Operation.invlpgRangeOrAll, 0, pasid, 1, 0n), "invlpgRangeOrAll.cpu is 2"],
    [
      "a PASID invalidation by a CPU",
      record(Operation.invalidatePasid, 0, 1, 0, 0n),
      "invalidatePasid.requester is 1; expected a requester of an IOMMU, 2 to 5",
    ],
    [
      "a PASID invalidation by every CPU",
      record(Operation.invalidatePasid, 0, everyCpu, 0, 0n),
      "invalidatePasid.requester",
    ],
    ["INVPCID of type 4", record(Operation.invpcid, 4, 0, 0, 0n), "invpcid.type is 4; expected one of 0, 1, 2, 3"],
    [
      "INVPCID of PCID 4096",
      record(Operation.invpcid, 1, 0, 4096, 0n),
      "invpcid.pcid is 4096; expected an integer from 0 to 4095",
    ],
    ["MOV CR3 of PCID 4096", record(Operation.movToCr3, 0, 0, 4096, 0n), "movToCr3.pcid is 4096"],
    [
      "an address mask of 53",
      record(Operation.invalidatePages, 0, pasid, 53, 0n),
      "invalidatePages.am is 53; expected an integer from 0 to 52",
    ],
    [
      "an address mask of 53 on a device",
      record(Operation.invalidateDeviceTlbPages, 0, device, 53, 0n),
      "invalidateDeviceTlbPages.am",
    ],
    [
      "a device TLB that is not there",
      record(Operation.invalidateDeviceTlb, 0, pasid, 0, 0n),
      "expected the requester of a device with a TLB",
    ],
    [
      "a write without its value",
      record(Operation.writeEntry, 0, 0, 0, 0n),
      "writeEntry.entry is undefined; expected a second record",
    ],
  ])("is refused for %s, and nothing of it has been played", (_, bad, message) => {
    const before = new ProgramBuilder();
    for (let i = 0; i < 70_000; i++) before.access(0, 0n, Access.userRead);
    const program = joinRecords([before.build(), bad]);
    const counters = machine.cpus[0]!.counters;
    expect(() => machine.play(program)).toThrow(InvalidOptionError);
    expect(() => machine.play(program)).toThrow(/^operation 70000: /);
    expect(() => machine.play(program)).toThrow(message);
    expect(machine.cpus[0]!.counters).toEqual(counters);
  });

  it("is refused if its length is not a multiple of an operation", () => {
    expect(() => machine.play(new Uint8Array(17))).toThrow("program.byteLength is 17; expected a multiple of 16");
  });

  it("random bytes are refused or played, never more: the machine works afterwards", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.nat(20), fc.nat(40), fc.nat(8), fc.nat(5000), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
        ),
        (records) => {
          const fresh = machineOf();
          try {
            fresh.play(joinRecords(records.map((it) => record(...it))));
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidOptionError);
          }
          expect(fresh.cpus[0]!.probe(1n << 60n, Access.userRead)).toEqual({ kind: "non-canonical" });
        },
      ),
      { numRuns: runs(100) },
    );
  });

  it("a builder refuses what no record can hold, naming the argument", () => {
    const program = new ProgramBuilder();
    expect(() => program.access(0x10000, 0n, Access.userRead)).toThrow("access.requester is 65536");
    expect(() => program.invlpgRange(0, 0n, -1)).toThrow("invlpgRange.pages is -1; expected an integer from 0 to");
    expect(() => program.invlpg(0, 1n << 64n)).toThrow("invlpg.va is 0x10000000000000000; expected a 64-bit address");
    expect(program.count).toBe(0);
  });
});
