// What the kernel keeps of its own work, each case once by hand, since random programs meet it seldom: requests that wait, tables on the
// deferred list, ASIDs of a CPU, PASIDs of a process that ends, frames given back, and marks of translations out of date.

import { describe, expect, it } from "vitest";
import {
  Access,
  type Cpu,
  createMachineSync,
  type Machine,
  type PointName,
  type Policy,
  type PolicyName,
  ProgramBuilder,
} from "../../src/index.js";

const AREA = 0xffffc90000000000n;
const MIB2 = 0x200000n;
const BLOCK = 0xffff888040000000n;
const USER = 0x1000n;
const PAGE = 0x1000n;
const PASID = 42;
const LARGE_PAGES = 512;

/** `where`: which TLB of an agent has room. */
function machineOf(policy: PolicyName | Partial<Policy>, deviceTlb = false, where: "l1" | "l2" = "l1"): Machine {
  const cache = { entries: 16, ways: 4 };
  const tlbs = where === "l1" ? { l1: [cache] } : { l1: [{ entries: 1, ways: 1 }], l2: [cache] };
  return createMachineSync({
    workloadPages: 1,
    cpus: [{ ...tlbs, controls: { pcide: true } }, tlbs],
    iommus: [{ ...tlbs, pasids: [7, PASID], devices: deviceTlb ? [{ deviceTlb: cache }, { deviceTlb: cache }] : [{}] }],
    kernel: { pool: 64, mms: 8, policy },
  });
}

const kernelOf = (machine: Machine): NonNullable<Machine["kernel"]> => machine.kernel!;

type Steps = (program: ProgramBuilder) => ProgramBuilder;

/** Plays a program with others at its points, by name: where it is reached first. */
function playWith(machine: Machine, main: Steps, inside: readonly { at: PointName; play: Steps }[]): void {
  const program = main(new ProgramBuilder()).build();
  const before = machine.snapshot();
  machine.playInterleaved(program, { operations: new Uint8Array(), points: [] });
  const names = machine.reachedPoints().map(({ name }) => name);
  machine.restore(before);
  const points = inside.map(({ at }) => names.indexOf(at));
  expect(points).not.toContain(-1);
  const operations = inside.reduce((all, { play }) => play(all), new ProgramBuilder()).build();
  machine.playInterleaved(program, { operations, points });
}

/** A PASID of a process with one page. */
function bound(machine: Machine): number {
  const requester = machine.iommus[0]!.requester(PASID);
  kernelOf(machine).run((it) => it.mmCreate(0).mmap(0, USER, 1).svaBind(requester, 0));
  return requester;
}

describe("requests of an asynchronous policy", () => {
  it("64 wait, the others are lost and counted; the worker carries out those 64", () => {
    const machine = machineOf("flush-async");
    bound(machine);
    const kernel = kernelOf(machine);
    kernel.run((it) => Array.from({ length: 66 }).reduce<ProgramBuilder>((all) => all.flushTlbAll(), it));
    expect(kernel.counters).toMatchObject({ lostRequests: 2, iommuRounds: 0 });
    kernel.run((it) => it.runWork().runWork());
    expect(kernel.counters).toMatchObject({ lostRequests: 2, iommuRounds: 64, workRuns: 1 });
  });

  it("one that is carried out gives its place to a flush at that point, which the same run carries out", () => {
    const machine = machineOf("flush-async");
    bound(machine);
    const kernel = kernelOf(machine);
    kernel.run((it) => Array.from({ length: 64 }).reduce<ProgramBuilder>((all) => all.flushTlbAll(), it));
    playWith(machine, (it) => it.runWork(), [{ at: "REQUEST_INVALIDATED", play: (it) => it.flushTlbAll() }]);
    expect(kernel.counters).toMatchObject({ lostRequests: 0, iommuRounds: 65, workRuns: 1 });
  });

  it("they are carried out oldest first", () => {
    const machine = machineOf("flush-async");
    bound(machine);
    const starts = [3n, 1n, 2n].map((page) => AREA + page * 0x1000n);
    kernelOf(machine).run((it) => starts.reduce((all, start) => all.flushTlbKernelRange(start, start + 1n), it));
    machine.playInterleaved(new ProgramBuilder().runWork().build(), { operations: new Uint8Array(), points: [] });
    const reached = machine.reachedPoints().filter(({ name }) => name === "REQUEST_INVALIDATED");
    expect(reached.map(({ at }) => at)).toEqual(starts);
  });
});

describe("the deferred list", () => {
  it("a table that waits is not freed again: the next free takes a new one", () => {
    const kernel = kernelOf(machineOf("deferred-free"));
    kernel.run((it) => it.vmalloc(AREA, 1, 12));
    const { tablesAllocated } = kernel.counters;
    // Free precedes clear: the first one stays linked.
    kernel.run((it) => it.tableFree("pmd_free_pte_page", AREA).tableFree("pmd_free_pte_page", AREA));
    expect(kernel.counters).toMatchObject({ tablesAllocated: tablesAllocated + 1, framesDeferred: 2, framesHeld: 2 });
    kernel.run((it) => it.runWork());
    expect(kernel.counters).toMatchObject({ tablesReleased: 2, framesHeld: 0, maxFramesHeld: 2 });
    expect(new Set(kernel.freeFrames()).size).toBe(kernel.freeFrames().length);
  });

  it.each(["none", "deferred-free"] as const)(
    "%s: a table that is still linked but free is not freed again",
    (policy) => {
      const kernel = kernelOf(machineOf(policy));
      kernel.run((it) => it.vmalloc(AREA, 1, 12).tableFree("pmd_free_pte_page", AREA).runWork());
      const free = kernel.freeFrames().length;
      // pud_free_pmd_page() finds it below the PD, and frees the PD alone.
      kernel.run((it) => it.vmalloc(AREA, LARGE_PAGES ** 2, 30).runWork());
      expect(kernel.freeFrames()).toHaveLength(free + 1);
      expect(kernel.counters.framesDeferred).toBe(policy === "none" ? 0 : 2);
      expect(kernel.tablesFreed).toMatchObject({ pmd_free_pte_page: 1, pud_free_pmd_page: 1 });
    },
  );

  it("the worker does nothing inside itself", () => {
    const machine = machineOf("deferred-free");
    bound(machine);
    const kernel = kernelOf(machine);
    kernel.run((it) => it.vmalloc(AREA, 1, 12).vmalloc(AREA, LARGE_PAGES, 21));
    playWith(machine, (it) => it.runWork(), [{ at: "LIST_TAKEN", play: (it) => it.runWork() }]);
    expect(kernel.counters).toMatchObject({ workRuns: 1, iommuRounds: 1, tablesReleased: 1, framesHeld: 0 });
  });

  it("a table that the worker has taken, and that is still linked, is not freed again (rule 8.6)", () => {
    // remove_pagetable() frees the PT before it clears the entry; the worker takes it there, and meanwhile 1 GiB is mapped over both.
    const machine = machineOf("deferred-free");
    const kernel = kernelOf(machine);
    kernel.run((it) => it.vmalloc(BLOCK, 1, 12).hotAdd(BLOCK, 1, { smallPages: true }));
    const program = new ProgramBuilder().hotRemove(BLOCK, 1).build();
    const before = machine.snapshot();
    const play = (inside: ProgramBuilder, points: number[]): PointName[] => {
      machine.restore(before);
      machine.playInterleaved(program, { operations: inside.build(), points });
      return machine.reachedPoints().map(({ name }) => name);
    };
    const freed = play(new ProgramBuilder(), []).indexOf("UNPLUG_PT_FREED");
    const taken = play(new ProgramBuilder().runWork(), [freed]).indexOf("LIST_TAKEN");
    expect(taken).toBe(freed + 1);
    play(new ProgramBuilder().runWork().vmalloc(BLOCK, 262_144, 30), [freed, taken]);
    // The PT once, then the PD, which waits for the next run.
    expect(kernel.counters).toMatchObject({ framesDeferred: 2, tablesReleased: 1, framesHeld: 1 });
  });

  it.each(["deferred-free", "deferred-free-unlocked"] as const)(
    "%s: what is freed after the list is taken waits for the next run",
    (policy) => {
      const machine = machineOf(policy);
      bound(machine);
      const kernel = kernelOf(machine);
      const collapse = (at: bigint) => (it: ProgramBuilder) => it.vmalloc(at, 1, 12).vmalloc(at, LARGE_PAGES, 21);
      kernel.run((it) => collapse(AREA + MIB2)(collapse(AREA)(it)).vmalloc(AREA + 2n * MIB2, 1, 12));
      playWith(machine, (it) => it.runWork(), [
        { at: "HALF_INVALIDATED", play: (it) => it.tableClear("kasan_remove_zero_shadow", AREA + 2n * MIB2) },
        { at: "HALF_INVALIDATED", play: (it) => it.tableFree("kasan_remove_zero_shadow", AREA + 2n * MIB2) },
      ]);
      const isTaken = policy === "deferred-free";
      expect(kernel.counters.framesHeld).toBe(isTaken ? 1 : 0);
      expect(kernel.tablesFreed).toMatchObject({ pmd_free_pte_page: 2, kasan_remove_zero_shadow: isTaken ? 0 : 1 });
      kernel.run((it) => it.runWork());
      expect(kernel.tablesFreed).toMatchObject({ pmd_free_pte_page: 2, kasan_remove_zero_shadow: 1 });
      expect(kernel.counters).toMatchObject({ framesHeld: 0, maxFramesHeld: 3, tablesReleased: 3 });
    },
  );
});

describe("ASIDs of a CPU", () => {
  const flushes = (kernel: NonNullable<Machine["kernel"]>) => kernel.counters.cpuSpaceFlushes;

  it("are taken in turn; who still has one comes back without a flush", () => {
    const kernel = kernelOf(machineOf("none"));
    const to = (mm: number): number => {
      const before = flushes(kernel);
      kernel.run((it) => it.switchMm(0, mm));
      return flushes(kernel) - before;
    };
    kernel.run((it) => [0, 1, 2, 3, 4, 5, 6].reduce((all, mm) => all.mmCreate(mm), it));
    expect([0, 1, 2, 3, 4, 5].map(to)).toEqual([1, 1, 1, 1, 1, 1]);
    expect([5, 0, 3].map(to)).toEqual([0, 0, 0]);
    // 6 takes the ASID of 0, and 0 that of 1.
    expect([6, 0, 2, 1, 6, 0].map(to)).toEqual([1, 1, 0, 1, 0, 0]);
  });

  it("flush once if the mm was flushed meanwhile, and are up to date then", () => {
    const kernel = kernelOf(machineOf("none"));
    kernel.run((it) => it.mmCreate(0).mmCreate(1).switchMm(0, 0).switchMm(0, 1));
    kernel.run((it) => it.flushTlbMmRange(0, 0n, 0x1000n, 12));
    const before = flushes(kernel);
    kernel.run((it) => it.switchMm(0, 0));
    expect(flushes(kernel) - before).toBe(1);
    // The page alone, since nothing was missed.
    kernel.run((it) => it.flushTlbMmRange(0, 0n, 0x1000n, 12));
    expect(kernel.counters).toMatchObject({ cpuSpaceFlushes: before + 1, cpuPageFlushes: 1 });
  });

  it("each have what their CPU has caught up with: who has heard of a flush comes back without one", () => {
    const kernel = kernelOf(machineOf("none"));
    kernel.run((it) => [0, 1, 2].reduce((all, mm) => all.mmCreate(mm).switchMm(0, mm), it));
    for (const mm of [1, 2, 0]) {
      kernel.run((it) => it.switchMm(0, mm).flushTlbMmRange(mm, 0n, PAGE, 12).flushTlbMmRange(mm, 0n, PAGE, 12));
    }
    expect(kernel.counters).toMatchObject({ cpuSpaceFlushes: 3, cpuPageFlushes: 6 });
    kernel.run((it) => it.switchMm(0, 1).switchMm(0, 2).switchMm(0, 0));
    expect(flushes(kernel)).toBe(3);
    // Who has not comes back with one, and has caught up then.
    for (const mm of [1, 2]) {
      kernel.run((it) =>
        it.flushTlbMmRange(mm, 0n, PAGE, 12).switchMm(0, mm).switchMm(0, 0).switchMm(0, mm).switchMm(0, 0),
      );
    }
    expect(flushes(kernel)).toBe(5);
  });

  it("are forgotten but for the current one after a flush of a kernel page under PTI, once, and on that CPU alone", () => {
    const machine = createMachineSync({ cpus: [{}, {}], kernel: { pool: 64, pti: true } });
    const kernel = kernelOf(machine);
    const to = (mm: number): number => {
      const before = flushes(kernel);
      kernel.run((it) => it.switchMm(0, mm));
      return flushes(kernel) - before;
    };
    kernel.run((it) => it.mmCreate(0).mmCreate(1).mmCreate(2).switchMm(1, 1));
    expect([0, 1, 2, 0].map(to)).toEqual([1, 1, 1, 0]);
    kernel.run((it) => it.flushTlbKernelRange(AREA, AREA + PAGE));
    expect([1, 0, 1, 2, 0].map(to)).toEqual([1, 0, 0, 1, 0]);
    // The other CPU runs what it ran, and makes its own way.
    expect(kernel.run((it) => it.mmDestroy(1)).at(-1)?.refusal).toBe("mm-runs");
    const before = flushes(kernel);
    kernel.run((it) => it.switchMm(1, 0).switchMm(1, 1).switchMm(1, 0));
    expect(flushes(kernel) - before).toBe(1);
  });

  it("are forgotten with their mm: another of its number starts with a flush; it cannot end while it runs", () => {
    const kernel = kernelOf(machineOf("none"));
    kernel.run((it) => it.mmCreate(0).mmCreate(1).switchMm(0, 0));
    expect(kernel.run((it) => it.mmDestroy(0)).at(-1)?.refusal).toBe("mm-runs");
    const results = kernel.run((it) => it.switchMm(0, 1).mmDestroy(0).mmDestroy(0).mmCreate(0));
    expect(results.map(({ refusal }) => refusal)).toEqual([undefined, undefined, "no-such-mm", undefined]);
    const before = flushes(kernel);
    kernel.run((it) => it.switchMm(0, 0));
    expect(flushes(kernel) - before).toBe(1);
    // The same under another ASID than the first; whose mm is still there keeps its own.
    const third = flushes(kernel);
    kernel.run((it) =>
      it.mmCreate(2).switchMm(0, 2).switchMm(0, 1).mmDestroy(2).switchMm(0, 0).switchMm(0, 1).switchMm(0, 0),
    );
    expect(flushes(kernel) - third).toBe(1);
    const fourth = flushes(kernel);
    kernel.run((it) => it.switchMm(0, 1).switchMm(0, 0).mmDestroy(1).mmCreate(1).switchMm(0, 1));
    expect(flushes(kernel) - fourth).toBe(1);
  });

  it("begin with none: a CPU of a kernel runs init_mm under PCID 0, whatever it was made with", () => {
    const machine = createMachineSync({ cpus: [{ pcid: 7, controls: { pcide: true } }], kernel: { pool: 8 } });
    expect(machine.cpus[0]?.pcid).toBe(0);
    expect(createMachineSync({ cpus: [{ pcid: 7, controls: { pcide: true } }] }).cpus[0]?.pcid).toBe(7);
  });
});

describe("a CPU without PCIDs", () => {
  const machine = () => createMachineSync({ cpus: [{}, {}], kernel: { pool: 64 } });
  const spaceFlushes = (it: Machine) => kernelOf(it).counters.cpuSpaceFlushes;

  it("has the first ASID for every process, flushes at every switch, and leaves the others' turn alone", () => {
    const one = machine();
    const [cpu] = one.cpus as [Cpu, Cpu];
    const to = (mm: number): number => {
      const before = spaceFlushes(one);
      kernelOf(one).run((it) => it.switchMm(0, mm));
      return spaceFlushes(one) - before;
    };
    kernelOf(one).run((it) => it.mmCreate(0).mmCreate(1).mmCreate(2));
    expect([to(0), cpu.pcid]).toEqual([1, 1]);
    cpu.setControls({ pcide: false });
    expect([to(1), to(1), to(0), to(2)]).toEqual([1, 1, 1, 1]);
    expect(cpu.pcid).toBe(0);
    // Here the first ASID has gone to 2; 0, which had it, is a stranger, and takes the second, which nobody has had.
    cpu.setControls({ pcide: true });
    expect([to(2), cpu.pcid, to(0), cpu.pcid, to(2), cpu.pcid]).toEqual([0, 1, 1, 2, 0, 1]);
    expect(
      kernelOf(one)
        .run((it) => it.switchMm(1, 0))
        .at(-1)?.refusal,
    ).toBeUndefined();
    expect(one.cpus[1]?.pcid).toBe(1);
  });

  it("catches up with a process at each switch: a flush that it has not missed is one of pages", () => {
    const one = machine();
    one.cpus[0]?.setControls({ pcide: false });
    kernelOf(one).run((it) =>
      it.mmCreate(0).mmCreate(1).switchMm(0, 0).flushTlbMmRange(1, 0n, PAGE, 12).switchMm(0, 1),
    );
    const before = spaceFlushes(one);
    kernelOf(one).run((it) => it.flushTlbMmRange(1, 0n, PAGE, 12));
    expect([spaceFlushes(one) - before, kernelOf(one).counters.cpuPageFlushes]).toEqual([0, 1]);
  });

  it("runs the other root in user mode, under PTI, and nothing of its first comes with it", () => {
    const one = createMachineSync({ cpus: [{}, {}], kernel: { pool: 64, pti: true } });
    const [cpu] = one.cpus as [Cpu, Cpu];
    cpu.setControls({ pcide: false });
    kernelOf(one).run((it) => it.mmCreate(0).mmCreate(1).switchMm(0, 0).vmalloc(AREA, 1));
    const roots = [cpu.root];
    expect(cpu.translate(AREA, Access.supervisorRead).kind).toBe("ok");
    kernelOf(one).run((it) => it.enterUser(0));
    roots.push(cpu.root);
    expect(cpu.translate(AREA, Access.supervisorRead)).toMatchObject({ reason: "not-present", level: 4 });
    // A page that is flushed under the kernel's PCID has no other, and a flush of all marks none for later.
    const before = cpu.counters.invalidations;
    kernelOf(one).run((it) => it.enterKernel(0).flushTlbMmRange(0, 0n, PAGE, 12));
    expect(cpu.counters.invalidations - before).toBe(2);
    const flushed = cpu.counters.invalidations;
    kernelOf(one).run((it) => it.flushTlbMmRange(0, 0n).enterUser(0));
    expect(cpu.counters.invalidations - flushed).toBe(2);
    expect([cpu.root, roots[0] === roots[1]]).toEqual([roots[1], false]);
    kernelOf(one).run((it) => it.switchMm(0, 1));
    cpu.setControls({ pcide: true });
    // User mode of 1 begins with what its PCID has: nothing was left to be flushed there.
    const space = cpu.counters.invalidations;
    kernelOf(one).run((it) => it.enterUser(0));
    expect(cpu.counters.invalidations - space).toBe(0);
  });
});

describe("frames given back", () => {
  it("go in the order in which they were taken, each once", () => {
    const kernel = kernelOf(machineOf("none"));
    const taken = [0, 1, 2].map(() => kernel.run((it) => it.reuse()).at(-1)?.frame);
    const back = () => kernel.run((it) => it.giveBack()).at(-1)?.frame;
    expect([back(), back()]).toEqual(taken.slice(0, 2));
    const again = kernel.run((it) => it.reuse()).at(-1)?.frame;
    expect([back(), back()]).toEqual([taken[2], again]);
    expect(back()).toBeUndefined();
  });
});

describe("munmap()", () => {
  it.each([
    ["the first table keeps a page, the second is left empty", 1n, 1023n, 1],
    ["the first is left empty, the last keeps a page", 0n, 1026n, 2],
    ["one in the middle keeps a page", 0n, 512n, 1],
    ["nothing is left", 0n, 1027n, 5],
  ])("gives back each table that its range has left empty: %s", (_, first, pages, released) => {
    const machine = machineOf("none");
    const kernel = kernelOf(machine);
    const heap = 0x5500_0000_0000n;
    kernel.run((it) => it.mmCreate(0).mmap(0, heap, 1027));
    const before = kernel.counters.tablesReleased;
    kernel.run((it) => it.munmap(0, heap + (first << 12n), Number(pages)));
    expect(kernel.counters.tablesReleased - before).toBe(released);
  });
});

describe("a process", () => {
  it("cannot end while an operation of it is under way, and can when that is over", () => {
    const machine = machineOf("none");
    const kernel = kernelOf(machine);
    kernel.run((it) => it.mmCreate(0).mmap(0, USER, 1));
    const at = ["MUNMAP_UNLINKED", "MUNMAP_FLUSHED"] as const;
    playWith(
      machine,
      (it) => it.munmap(0, USER, 1).mmap(0, USER, 1),
      at.map((name) => ({ at: name, play: (it) => it.mmDestroy(0) })),
    );
    const [refused] = kernel.run((it) => it.mmCreate(0));
    expect(refused).toMatchObject({ refusal: "mm-exists" });
    expect(kernel.run((it) => it.munmap(0, USER, 1).mmDestroy(0)).map(({ done }) => done)).toEqual([true, true]);
  });

  it.each([
    ["none", 0],
    ["user-root", 1],
  ] as const)(
    "whose IOMMU's policy is %s: top entries are copied where there is a second root alone",
    (policy, syncs) => {
      const machine = machineOf(policy);
      bound(machine);
      const kernel = kernelOf(machine);
      kernel.run((it) => it.mmap(0, USER + (1n << 39n), 1));
      expect(kernel.counters.rootSyncs).toBe(syncs);
      expect(machine.iommus[0]!.request(PASID, USER + (1n << 39n), Access.userRead)).toMatchObject({ kind: "ok" });
    },
  );
});

describe("a process that ends while it is bound", () => {
  it.each([true, false])("notifier %s: its PASID is let go of, another process can have it", (notifyUser) => {
    const machine = machineOf({ notifyUser });
    const requester = bound(machine);
    const iommu = machine.iommus[0]!;
    const kernel = kernelOf(machine);
    kernel.run((it) => it.mmCreate(1).svaBind(iommu.requester(7), 1));
    expect(iommu.request(PASID, USER, Access.userRead)).toMatchObject({ kind: "ok" });
    kernel.run((it) => it.mmDestroy(0));
    expect(iommu.request(PASID, USER, Access.userRead)).toMatchObject({ reason: "no-pasid" });
    expect(iommu.request(7, USER, Access.userRead)).toMatchObject({ reason: "not-present" });
    expect(kernel.run((it) => it.svaBind(requester, 1)).at(-1)?.done).toBe(true);
    expect(kernel.run((it) => it.svaUnbind(requester).svaUnbind(requester)).map(({ done }) => done)).toEqual([
      true,
      false,
    ]);
    // One for the first bind, the end, the other mm's two binds and the unbind.
    expect(kernel.counters.pasidCacheInvalidations).toBe(5);
    // The other mm's PASID is kept.
    expect(kernel.run((it) => it.svaUnbind(iommu.requester(7))).at(-1)?.done).toBe(true);
  });
});

describe("what finds no room", () => {
  it("a bind that needs a second root is refused, and binds nothing", () => {
    const machine = machineOf("user-root");
    const kernel = kernelOf(machine);
    const requester = machine.iommus[0]!.requester(PASID);
    kernel.run((it) => it.mmCreate(0));
    while (kernel.freeFrames().length > 0) kernel.run((it) => it.reuse());
    expect(kernel.run((it) => it.svaBind(requester, 0)).at(-1)?.refusal).toBe("no-free-frame");
    expect(machine.iommus[0]!.request(PASID, USER, Access.userRead)).toMatchObject({ reason: "no-pasid" });
    expect(kernel.counters.pasidCacheInvalidations).toBe(0);
    kernel.run((it) => it.giveBack().svaBind(requester, 0));
    expect(machine.iommus[0]!.request(PASID, USER, Access.userRead)).toMatchObject({ reason: "not-present" });
  });

  it("a process of a number that the kernel has no room for", () => {
    const kernel = kernelOf(machineOf("none"));
    const results = kernel.run((it) =>
      it.mmCreate(7).switchMm(0, 7).mmCreate(8).switchMm(0, 8).mmap(8, USER, 1).mmDestroy(8),
    );
    const no = "no-such-mm";
    expect(results.map(({ refusal }) => refusal)).toEqual([undefined, undefined, no, no, no, no]);
  });
});

describe("translations out of date", () => {
  const stale = (machine: Machine) => kernelOf(machine).hazardCounts.byKind["stale-translation"];

  it("munmap() without a notifier: in the IOTLB and the device TLB, of the pages and the PASID alone", () => {
    for (const [device, where] of [
      [undefined, "l1"],
      [undefined, "l2"],
      [0, "l1"],
      [1, "l1"],
    ] as const) {
      const machine = machineOf({ notifyUser: false }, true, where);
      const kernel = kernelOf(machine);
      const iommu = machine.iommus[0]!;
      const read = (pasid: number, page: bigint) => iommu.request(pasid, page * 0x1000n, Access.userRead, device).kind;
      kernel.run((it) => it.mmCreate(0).mmCreate(1).mmap(0, USER, 3).mmap(1, USER, 3));
      kernel.run((it) => it.svaBind(iommu.requester(PASID, device), 0).svaBind(iommu.requester(7, device), 1));
      for (const pasid of [PASID, 7]) for (const page of [1n, 2n, 3n]) expect(read(pasid, page)).toBe("ok");
      kernel.run((it) => it.munmap(0, USER, 2));
      const found = [PASID, 7].flatMap((pasid) =>
        [1n, 2n, 3n].map((page) => {
          const before = stale(machine);
          expect(read(pasid, page)).toBe("ok");
          return stale(machine) - before;
        }),
      );
      expect(found).toEqual([1, 1, 0, 0, 0, 0]);
    }
  });

  it.each(["l1", "l2"] as const)("vfree() before the purge: on every CPU, in its %s, of the pages alone", (where) => {
    const machine = machineOf("none", false, where);
    const kernel = kernelOf(machine);
    const read = (cpu: number, page: bigint) =>
      machine.cpus[cpu]!.translate(AREA + page * 0x1000n, Access.supervisorRead).kind;
    kernel.run((it) => it.vmalloc(AREA, 4, 12));
    for (const cpu of [0, 1]) for (const page of [0n, 1n, 2n, 3n]) expect(read(cpu, page)).toBe("ok");
    kernel.run((it) => it.vfree(AREA + 0x1000n, 2));
    const found = [0, 1].flatMap((cpu) =>
      [0n, 1n, 2n, 3n].map((page) => {
        const before = stale(machine);
        expect(read(cpu, page)).toBe("ok");
        return stale(machine) - before;
      }),
    );
    expect(found).toEqual([0, 1, 1, 0, 0, 1, 1, 0]);
  });
});
