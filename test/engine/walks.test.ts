// Walks step by step (docs/rules.md section 14), by hand: what a step is, what a walk under way remembers, and what an invalidation
// waits for. That engine and model agree on all of it is agreement.test.ts and kernel-agreement.test.ts.

import { describe, expect, it } from "vitest";
import {
  Access,
  createMachineSync,
  type IommuConfig,
  type Machine,
  type Policy,
  type PolicyName,
  ProgramBuilder,
  unpackWalk,
} from "../../src/index.js";

const AREA = 0xffffc90000000000n;
const SLOT = AREA + 5n * 0x20_0000n;
const PASID = 42;
const READS_TO_THE_PT = 3;

/** Four tables for address 0x1000, entries without A: frames 1 to 4, the page is frame 9. */
function machine(config: Parameters<typeof createMachineSync>[0] = {}): Machine {
  const made = createMachineSync({ workloadPages: 1, cpus: [{ walks: "stepwise", root: 0x1000n }], ...config });
  for (const frame of [1, 2, 3, 4]) made.frames.set(frame, "table");
  for (const frame of [1, 2, 3]) made.frames.writeEntry(BigInt(frame) << 12n, (BigInt(frame + 1) << 12n) | 7n);
  made.frames.writeEntry(0x4008n, 0x9007n);
  return made;
}

describe("a step of a walk", () => {
  it("is one read of memory or one setting of A or D; the last gives what the access gives", () => {
    const { walks, cpus, frames } = machine();
    const entries = () =>
      [0x1000n, 0x2000n, 0x3000n, 0x4008n].map((at) => Number((frames.readEntry(at) ?? 0n) & 0x60n));
    expect(walks.begin(0, 0, 0x1000n, Access.userWrite)).toEqual({ kind: "under-way", level: 4 });
    const seen = Array.from({ length: 8 }, () => [walks.step(0), ...entries()]);
    expect(seen).toEqual([
      [{ kind: "under-way", level: 4 }, 0, 0, 0, 0],
      [{ kind: "under-way", level: 3 }, 0x20, 0, 0, 0],
      [{ kind: "under-way", level: 3 }, 0x20, 0, 0, 0],
      [{ kind: "under-way", level: 2 }, 0x20, 0x20, 0, 0],
      [{ kind: "under-way", level: 2 }, 0x20, 0x20, 0, 0],
      [{ kind: "under-way", level: 1 }, 0x20, 0x20, 0x20, 0],
      [{ kind: "under-way", level: 1 }, 0x20, 0x20, 0x20, 0],
      [{ kind: "ok", physicalAddress: 0x9000n, level: 1, pageSize: 4096 }, 0x20, 0x20, 0x20, 0x60],
    ]);
    expect([walks.step(0), walks.finish(0)]).toEqual([undefined, undefined]);
    expect(cpus[0]?.counters).toMatchObject({ translations: 1, walks: 1, entryReads: 4, adWrites: 4 });
  });

  it("sets nothing in an entry that has changed since it was read: that is read again", () => {
    const { walks, frames } = machine();
    walks.begin(0, 0, 0x1000n, Access.userRead);
    walks.step(0);
    expect(walks.underWay()[0]).toEqual({
      ...{ requester: 0, address: 0x1000n, access: Access.userRead, level: 4, frame: 1, next: "mark" },
    });
    frames.writeEntry(0x1000n, 0n);
    expect([walks.step(0), frames.readEntry(0x1000n)]).toEqual([{ kind: "under-way", level: 4 }, 0n]);
    expect(walks.step(0)).toMatchObject({ kind: "fault", reason: "not-present", level: 4 });
  });

  it("goes on with the context that the walk began with, whatever the CPU has by then", () => {
    const { walks, cpus, frames } = machine({ cpus: [{ walks: "stepwise", root: 0x1000n, drain: "none" }] });
    frames.set(5, "table");
    walks.begin(1, 0, 0x1000n, Access.userRead);
    cpus[0]?.movToCr3(0x5000n);
    expect(walks.finish(1)).toMatchObject({ kind: "ok", physicalAddress: 0x9000n });
    expect(cpus[0]?.translate(0x1000n, Access.userRead)).toMatchObject({ reason: "not-present", level: 4 });
  });

  it("is no step on an agent whose walks are atomic: the begin is the whole access", () => {
    const { walks } = machine({ cpus: [{ root: 0x1000n }] });
    expect(walks.begin(0, 0, 0x1000n, Access.userRead)).toMatchObject({ kind: "ok", physicalAddress: 0x9000n });
    expect(walks.step(0)).toBeUndefined();
  });

  it("is an operation of a program, and a number of a walk that is none is refused there", () => {
    const one = machine();
    const program = new ProgramBuilder();
    program.stepWalk(1).beginWalk(1, 0, 0x1000n, Access.userRead).beginWalk(1, 0, 0x1000n, Access.userRead);
    const results = [...one.play(program.stepWalk(1).finishWalk(1).build())].map(unpackWalk);
    const [idle, begun, again, step, end] = results;
    expect([idle, again]).toEqual([undefined, undefined]);
    expect([begun, step]).toEqual([4, 4].map((level) => ({ kind: "under-way", level })));
    expect(end).toMatchObject({ kind: "ok", physicalAddress: 0x9000n });
    expect(() => one.play(new ProgramBuilder().stepWalk(2).build())).toThrow("walkStep.walk");
    expect(() => one.walks.step(2)).toThrow("walk");
    expect(() => one.walks.begin(0, 9, 0n, Access.userRead)).toThrow("requester");
  });

  it("is part of what a snapshot keeps", () => {
    const one = machine();
    one.walks.begin(0, 0, 0x1000n, Access.userRead);
    one.walks.step(0);
    const snapshot = one.snapshot();
    const first = one.walks.finish(0);
    one.restore(snapshot);
    expect(one.walks.underWay()[0]).toMatchObject({ level: 4, next: "mark" });
    expect(one.walks.finish(0)).toEqual(first);
  });
});

/** A kernel whose tables an IOMMU shares, without any cache; AREA and SLOT have tables and nothing mapped. */
function shared(policy: PolicyName | Partial<Policy>, iommu: Partial<IommuConfig> = {}): Machine {
  const made = createMachineSync({
    workloadPages: 1,
    iommus: [{ pasids: [PASID], walks: "stepwise", ...iommu }],
    kernel: { pool: 32, policy },
  });
  const requester = made.iommus[0]?.requester(PASID) as number;
  made.kernel?.run((p) => p.mmCreate(0).svaBind(requester, 0).vmalloc(AREA, 16).vmalloc(SLOT, 16));
  made.kernel?.run((p) => p.vfree(AREA, 16).vfree(SLOT, 16).purge());
  return made;
}

/** A device's walk to an address reads entries down to the PD (or the PDPT), a table is freed, the walk goes on. */
function walkAcross(
  made: Machine,
  address: bigint,
  free: (p: ProgramBuilder) => ProgramBuilder,
  reads = READS_TO_THE_PT,
) {
  const requester = made.iommus[0]?.requester(PASID) as number;
  made.walks.begin(0, requester, address, Access.userRead);
  for (let i = 0; i < reads; i++) made.walks.step(0);
  const program = free(new ProgramBuilder());
  made.play(program.build());
  const waited = made.walks.underWay()[0] === undefined;
  made.walks.finish(0);
  return { waited, hazards: made.kernel?.hazards().map(({ kind, site, level }) => `${kind} ${site} ${level}`) };
}

const PMD = (p: ProgramBuilder) => p.vmalloc(AREA, 512, 21);
const PUD = (p: ProgramBuilder) => p.vmalloc(AREA, 262144, 30);

describe("a walk under way is memory, also without paging-structure caches (K3)", () => {
  it("goes through a table that was freed meanwhile if the policy waits for nobody", () => {
    expect(walkAcross(shared("none"), AREA, PMD)).toEqual({
      waited: false,
      hazards: ["walk-after-free pmd_free_pte_page 1"],
    });
  });

  it("takes somebody's data for its table if the frame has been given out: forged, and A and D written", () => {
    const made = shared("none");
    const forged = walkAcross(made, AREA, (p) => PMD(p).reuse({ userLeaf: 0x1234000n }));
    expect(forged.hazards).toEqual(["forged-translation pmd_free_pte_page 1"]);
    expect(made.kernel?.hazards()[0]?.kinds).toEqual([
      ...["write-after-free", "walk-of-reused-frame", "forged-translation"],
    ]);
    expect(made.kernel?.hazardCounts.byKind).toMatchObject({ "write-after-free": 1, "forged-translation": 1 });
  });

  it("a whole walk at the same places meets nothing", () => {
    expect(walkAcross(shared("none", { walks: "atomic" }), AREA, PMD).hazards).toEqual([]);
  });

  it("has its record cleared, and what comes after counts on", () => {
    const made = shared("none");
    const requester = made.iommus[0]?.requester(PASID) as number;
    made.walks.begin(0, requester, AREA, Access.userRead);
    for (let i = 0; i < READS_TO_THE_PT; i++) made.walks.step(0);
    made.kernel?.run((p) => PMD(p).reuse({ userLeaf: 0x1234000n }));
    made.walks.step(0);
    made.kernel?.clearHazards();
    made.walks.finish(0);
    expect(made.kernel?.hazards()).toEqual([]);
    expect(made.kernel?.hazardCounts.byKind).toMatchObject({ "walk-of-reused-frame": 0, "forged-translation": 1 });
  });
});

describe("what an invalidation waits for", () => {
  it.each([
    ["all", true, []],
    ["page", true, []],
    ["none", false, ["walk-after-free pmd_free_pte_page 1"]],
  ] as const)("drain %s: a walk to the page that is invalidated", (drain, waited, hazards) => {
    expect(walkAcross(shared("flush-range", { drain }), AREA, PMD)).toEqual({ waited, hazards });
  });

  it.each([
    ["all", true, []],
    ["page", false, ["walk-after-free pud_free_pmd_page 1"]],
    ["none", false, ["walk-after-free pud_free_pmd_page 1"]],
  ] as const)("drain %s: a walk to another page of the same PASID", (drain, waited, hazards) => {
    expect(walkAcross(shared("flush-range", { drain }), SLOT, PUD)).toEqual({ waited, hazards });
  });

  it("not for walks of other PASIDs, but for a global invalidation", () => {
    for (const [all, ended] of [
      [false, false],
      [true, true],
    ]) {
      const made = shared("none", { pasids: [PASID, 7] });
      made.walks.begin(0, made.iommus[0]?.requester(PASID) as number, AREA, Access.userRead);
      if (all) made.iommus[0]?.invalidateAll();
      else made.iommus[0]?.invalidatePasid(7);
      expect(made.walks.underWay()[0] === undefined).toBe(ended);
    }
  });

  it("walks of several PASIDs end in the order of their numbers, not of the PASIDs (rule 14.12)", () => {
    for (const invalidate of ["invalidatePasidCache", "invalidateAll"] as const) {
      const made = machine({
        cpus: [],
        iommus: [{ pasids: [PASID, 7], walks: "stepwise", l1: [{ entries: 1, ways: 1 }] }],
      });
      const iommu = made.iommus[0];
      const requester = (pasid: number) => iommu?.requester(pasid) as number;
      for (const pasid of [PASID, 7]) iommu?.bind(pasid, { root: 0x1000n });
      // The second PASID's walk has the first number: the other one's fill comes last.
      made.walks.begin(1, requester(PASID), 0x1000n, Access.userRead);
      made.walks.begin(0, requester(7), 0x1000n, Access.userRead);
      iommu?.[invalidate]();
      expect(made.walks.underWay()).toEqual([undefined, undefined]);
      expect(iommu?.l1[0]?.counters).toMatchObject({ fills: 2, evictions: 1 });
      const left = iommu?.l1[0]?.contents().map(({ tag }) => tag);
      expect(left).toEqual(invalidate === "invalidatePasidCache" ? [0] : []);
      expect(iommu?.counters.invalidations).toBe(1);
    }
  });

  it("drops what the walk has filled until then, not what it would fill later", () => {
    const made = machine({
      cpus: [],
      iommus: [
        { pasids: [PASID], walks: "stepwise", l1: [{ entries: 4, ways: 4 }], psc: { 2: { entries: 4, ways: 4 } } },
      ],
    });
    const [iommu] = made.iommus;
    iommu?.bind(PASID, { root: 0x1000n });
    made.walks.begin(0, iommu?.requester(PASID) as number, 0x1000n, Access.userRead);
    iommu?.invalidatePages(PASID, 0x1000n);
    expect(made.walks.underWay()[0]).toBeUndefined();
    expect(iommu?.caches.map(({ counters }) => [counters.fills, counters.invalidated])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it("a device's own invalidation waits for the walks of that device", () => {
    const made = machine({
      cpus: [],
      iommus: [{ pasids: [PASID], walks: "stepwise", devices: [{ deviceTlb: { entries: 4, ways: 4 } }, {}] }],
    });
    const [iommu] = made.iommus;
    iommu?.bind(PASID, { root: 0x1000n });
    made.walks.begin(0, iommu?.requester(PASID, 0) as number, 0x1000n, Access.userRead);
    made.walks.begin(1, iommu?.requester(PASID, 1) as number, 0x1000n, Access.userRead);
    iommu?.invalidateDeviceTlb(0, PASID);
    expect(made.walks.underWay().map((walk) => walk === undefined)).toEqual([true, false]);
    expect(iommu?.devices[0]?.tlb?.counters).toMatchObject({ fills: 1, invalidated: 1 });
  });

  it.each([
    ["INVLPG of another page", (it: Machine) => it.cpus[0]?.invlpg(0x5000n)],
    ["INVPCID of another PCID", (it: Machine) => it.cpus[0]?.invpcid(1, 7)],
    ["MOV CR3 without a flush", (it: Machine) => it.cpus[0]?.movToCr3(0x1000n, 3, true)],
  ] as const)("on a CPU, all of its walks: %s", (_, invalidate) => {
    const made = machine();
    made.walks.begin(0, 0, 0x1000n, Access.speculativeUserRead);
    invalidate(made);
    expect(made.walks.underWay()[0]).toBeUndefined();
    expect(made.cpus[0]?.counters.entryReads).toBe(4);
  });
});
