// Frames that are deleted, and frames whose changes are listed (rules.md 18.8 to 18.10).

import { describe, expect, it } from "vitest";
import { Access, createMachineSync, InvalidOptionError } from "../../src/index.js";
import { runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { A, pageAt, Tables } from "../support/tables.js";

const tlb = { l1: [{ entries: 4, ways: 4 }], psc: { 2: { entries: 4, ways: 2 }, 3: { entries: 6, ways: 2 } } };

function mapped() {
  const machine = createMachineSync({
    tables: 16,
    workloadPages: 1,
    cpus: [tlb],
    iommus: [{ walks: "stepwise", devices: [{}] }],
  });
  const tables = new Tables(machine.frames);
  for (let page = 0; page < 4; page++) tables.map(pageAt(page), 0x99 + page);
  const cpu = machine.cpus[0]!;
  cpu.movToCr3(tables.cr3);
  const table = (level: number) => Number(tables.slot(0n, level) >> 12n);
  return { machine, tables, cpu, table };
}

describe("a frame that is deleted", () => {
  it("is absent for walks, from caches too, while a cached translation still answers", () => {
    const { machine, cpu, table } = mapped();
    cpu.translate(0n, Access.userRead);
    const pt = table(1);
    expect(machine.frames.delete(pt)).toBe(true);
    expect(machine.frames.has(pt)).toBe(false);
    expect(machine.frames.describe(pt)).toBeUndefined();
    expect(cpu.translate(0n, Access.userRead)).toMatchObject({ kind: "ok" });
    expect(cpu.translate(pageAt(1), Access.userRead)).toEqual({ kind: "absent", level: 1, frame: pt });
    expect(cpu.probe(pageAt(2), Access.userRead)).toEqual({ kind: "absent", level: 1, frame: pt });
    expect(cpu.explain(0n, Access.userRead).outcome).toEqual({ kind: "absent", level: 1, frame: pt });
    expect(machine.frames.delete(pt)).toBe(false);
  });

  it("is a new one when it comes back: no contents, no generation", () => {
    const { machine, cpu, table } = mapped();
    const pd = table(2);
    cpu.translate(0n, Access.userRead);
    machine.frames.set(pd, "table", 2);
    machine.frames.delete(pd);
    // Another takes its slot: a path that was cached leads there no more.
    machine.frames.setTable(0x500, new BigUint64Array(512).fill(0x7_7007n));
    cpu.invpcid(0, 0, 0n);
    machine.frames.set(pd, "table");
    expect(machine.frames.describe(pd)).toEqual({ state: "table", level: 0, generation: 1 });
    expect(machine.frames.view(pd)!.every((entry) => entry === 0n)).toBe(true);
    cpu.flushAll();
    expect(cpu.translate(0n, Access.userRead)).toMatchObject({ kind: "fault", reason: "not-present", level: 2 });
  });

  it("gives room: as many come and go as one likes, and the others are found as by a map", () => {
    const frame = fc.oneof(fc.nat(40), fc.nat(2 ** 20), fc.constantFrom(2 ** 40 - 1, 2 ** 32));
    const step = fc.record({ frame, goes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
        const { frames } = createMachineSync({ tables: 8, workloadPages: 1 });
        const held = new Map<number, bigint>();
        for (const [i, { frame, goes }] of steps.entries()) {
          if (goes || held.size === 8) {
            const gone = held.has(frame) ? frame : ([...held.keys()][i % Math.max(held.size, 1)] ?? frame);
            expect(frames.delete(gone)).toBe(held.delete(gone));
          } else {
            frames.setTable(frame, new BigUint64Array(512).fill(BigInt(i)));
            held.set(frame, BigInt(i));
          }
          expect(frames.size).toBe(held.size);
          const wrong = steps.slice(0, i + 1).filter(({ frame }) => frames.has(frame) !== held.has(frame));
          const lost = [...held].filter(([frame, word]) => frames.view(frame)?.[511] !== word);
          expect([wrong, lost]).toEqual([[], []]);
        }
      }),
      { numRuns: runs(60) },
    );
  });

  it("is none of RAM, none of the pool, and none while a walk is under way", () => {
    const { machine, table } = mapped();
    const iommu = machine.iommus[0]!;
    iommu.bind(1, { root: BigInt(table(4)) << 12n });
    machine.walks.begin(0, iommu.requester(1), 0n, Access.userRead);
    expect(() => machine.frames.delete(table(1))).toThrow('frames.delete() is "called while a walk is under way"');
    machine.walks.finish(0);
    expect(machine.frames.delete(table(1))).toBe(true);
    const owned = createMachineSync({ workloadPages: 1, ram: { bytes: 8192 }, kernel: { pool: 2, poolBase: 9 } });
    for (const frame of [0, 1, 9, 10]) {
      expect(() => owned.frames.delete(frame)).toThrow(
        "expected a frame that belongs neither to RAM or memory of the host's nor to the kernel's pool",
      );
    }
    expect(owned.frames.delete(2)).toBe(false);
    expect(() => owned.frames.delete(-1)).toThrow(InvalidOptionError);
  });

  it("parts snapshots: one taken before does not come back, one taken after does", () => {
    const { machine, table } = mapped();
    const before = machine.snapshot();
    machine.frames.delete(table(1));
    expect(() => machine.restore(before)).toThrow("frames.size is 3; expected 4, as in the snapshot");
    machine.frames.setTable(table(4) + 100);
    expect(() => machine.restore(before)).toThrow('snapshot is "one of other frames"');
    const after = machine.snapshot();
    machine.frames.writeEntry(BigInt(table(4)) << 12n, 5n);
    machine.restore(after);
    expect(machine.frames.readEntry(BigInt(table(4)) << 12n)).not.toBe(5n);
  });
});

describe("machine.changedFrames()", () => {
  it("lists what walks and calls have written to since the last call, all at first, whatever snapshots come between", () => {
    const machine = createMachineSync({ tables: 16, workloadPages: 1, cpus: [tlb], ram: { bytes: 8192 } });
    const { frames } = machine;
    frames.setTable(0x10, new BigUint64Array(512).fill(0x1_1007n));
    frames.setTable(0x11, new BigUint64Array(512).fill(0x1007n));
    frames.setTable(0x12);
    const cpu = machine.cpus[0]!;
    cpu.movToCr3(0x1_0000n);
    machine.snapshot();
    expect(machine.changedFrames()).toEqual([0, 1, 0x10, 0x11, 0x12]);
    expect(machine.changedFrames()).toEqual([]);
    new BigUint64Array(machine.ram!.buffer, machine.ram!.byteOffset, 1024).fill(0x9007n, 512);
    expect(cpu.translate(0n, Access.userRead)).toEqual({ kind: "absent", level: 1, frame: 9 });
    // A in three tables; the guest's own stores are nobody's business.
    expect(machine.changedFrames()).toEqual([1, 0x10, 0x11]);
  });

  it("tells of A and D, of entries written, of restores, and of views always", () => {
    const { machine, cpu, table, tables } = mapped();
    const unseen = createMachineSync({ tables: 16, workloadPages: 1, cpus: [tlb] });
    for (let level = 4; level >= 1; level--)
      unseen.frames.setTable(table(level), machine.frames.view(table(level)), level);
    const other = unseen.cpus[0]!;
    other.movToCr3(tables.cr3);
    unseen.changedFrames();
    const start = unseen.snapshot();
    other.translate(0n, Access.userRead);
    expect(unseen.changedFrames()).toEqual([4, 3, 2, 1].map(table).sort());
    expect(unseen.frames.readEntry(tables.slot(0n, 1)) & A).toBe(A);
    other.translate(0n, Access.userRead);
    expect(unseen.changedFrames()).toEqual([]);
    other.translate(pageAt(1), Access.userWrite);
    expect(unseen.changedFrames()).toEqual([table(1)]);
    const middle = unseen.snapshot();
    unseen.frames.writeEntry(tables.slot(0n, 4), 0n);
    unseen.snapshot();
    expect(unseen.changedFrames()).toEqual([table(4)]);
    unseen.restore(middle);
    unseen.restore(start);
    expect(unseen.changedFrames()).toEqual([4, 3, 2, 1].map(table).sort());
    unseen.restore(start);
    expect(unseen.changedFrames()).toEqual([]);
    expect(unseen.frames.readEntry(tables.slot(0n, 1)) & A).toBe(0n);
    unseen.frames.view(table(2));
    expect(unseen.changedFrames()).toEqual([table(2)]);
    expect(unseen.changedFrames()).toEqual([table(2)]);
    expect(cpu.counters.walks).toBe(0);
  });
});
