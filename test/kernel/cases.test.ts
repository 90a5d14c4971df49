// Cases that went wrong once, each with the right value and why: tables by origin (K1, K2), user page-table reclaim (K5),
// what a collapse wants (K9), PASIDs that are bound twice or whose process ends (K20); and what versions of a kernel differ in.

import { describe, expect, it } from "vitest";
import {
  Access,
  createMachineSync,
  geometries,
  type KernelVersion,
  type Machine,
  type PolicyName,
} from "../../src/index.js";
import { usualIommu } from "../../src/verdicts/index.js";
import { collect } from "../verdicts/collect.js";

const VMALLOC = 0xffffc90000000000n;
const DIRECT = 0xffff888100000000n;
const MIB2 = 0x200000n;
const GIB = 0x40000000n;
const PASID = 42;
const USER = 0x7f0000000000n;

function machineOf(version: KernelVersion, policy: PolicyName = "none", levels: 4 | 5 = 4): Machine {
  return createMachineSync({
    levels,
    workloadPages: 1,
    cpus: [{}, {}],
    iommus: [{ ...geometries.vtd, pasids: [PASID, 43] }],
    kernel: { version, policy, pool: 64, mms: 4 },
  });
}

const kernelOf = (machine: Machine): NonNullable<Machine["kernel"]> => machine.kernel!;

/** The entries on the way to an address, by level. */
function wayTo(machine: Machine, address: bigint): Map<number, { entry: bigint; tableFrame: number }> {
  const { chain } = machine.cpus[0]!.explain(address, Access.supervisorRead);
  return new Map(chain.map(({ level, entry, tableFrame }) => [level, { entry, tableFrame }]));
}

describe("K1: tables of removed memory, by origin", () => {
  const removed = (version: KernelVersion, options: object, split = false): [freed: number, held: number] => {
    const machine = machineOf(version, "deferred-free");
    const kernel = kernelOf(machine);
    kernel.run((p) => p.hotAdd(DIRECT, 1, options).hotAdd(DIRECT + MIB2, 1));
    if (split) kernel.run((p) => p.cpaSplit(DIRECT));
    kernel.run((p) => p.hotRemove(DIRECT, 1));
    return [kernel.tablesFreed.remove_pagetable, kernel.counters.framesHeld];
  };

  it("hot-added memory's have no mark: the merged fix frees them at once", () => {
    expect(removed("7.3", { smallPages: true })).toEqual([1, 0]);
  });

  it("boot memory's are reserved: at once; HVO's PTs are marked: deferred", () => {
    expect(removed("7.3", { smallPages: true, bootTables: true })).toEqual([1, 0]);
    expect(removed("6.18.7", { splitVmemmap: true })).toEqual([0, 1]);
  });

  it("those of a split are marked since 7.3, 7.2.7 and 6.18.53", () => {
    const at = (version: KernelVersion) => removed(version, {}, true);
    expect((["6.18.7", "7.0", "7.1.9"] as const).map(at)).toEqual(Array(3).fill([1, 0]));
    expect((["6.18.53", "7.2.7", "7.3"] as const).map(at)).toEqual(Array(3).fill([0, 1]));
  });

  it("PDPTs go with 5 levels, and stay with 4", () => {
    const freed = ([4, 5] as const).map((levels) => {
      const kernel = kernelOf(machineOf("7.3", "none", levels));
      const at = levels === 4 ? DIRECT : 0xff11000000000000n;
      kernel.run((p) => p.hotAdd(at, 1, { smallPages: true }).hotRemove(at, 1));
      return kernel.tablesFreed.remove_pagetable;
    });
    expect(freed).toEqual([2, 3]);
  });

  it("verdicts: hot-added memory is a hazard under deferred-free on 6.18.7 and on 7.3", async () => {
    for (const kernel of ["6.18.7", "7.3"]) {
      const [record] = await collect({
        kernel,
        policies: ["deferred-free"],
        scenarios: ["remove_pagetable"],
        hardware: "usual",
        agents: ["iommu"],
      });
      expect(record).toMatchObject({ kernel, verdict: "hazard", kind: "forged-translation" });
    }
  });
});

describe("K2: KASAN's shadow", () => {
  it("has U/S = 1 above the leaf", () => {
    const machine = machineOf("7.3");
    kernelOf(machine).run((p) => p.hotAdd(DIRECT, 1, { smallPages: true, shadow: true }));
    const way = wayTo(machine, DIRECT);
    expect([4, 3, 2].map((level) => (way.get(level)?.entry ?? 0n) & 0xfffn)).toEqual([0x67n, 0x67n, 0x67n]);
  });

  it("is freed up to the PDPT, whose entry is cleared in init_mm alone", () => {
    const machine = machineOf("7.3");
    const kernel = kernelOf(machine);
    kernel.run((p) => p.mmCreate(0).hotAdd(DIRECT, 1, { smallPages: true, shadow: true }));
    const top = wayTo(machine, DIRECT).get(4)!;
    kernel.run((p) => p.hotRemove(DIRECT, 1, { shadow: true }));
    expect(kernel.tablesFreed.kasan_remove_zero_shadow).toBe(3);
    const index = (DIRECT >> 39n) & 511n;
    const entryIn = (root: number) => machine.frames.readEntry((BigInt(root) << 12n) + index * 8n);
    expect(entryIn(top.tableFrame)).toBe(0n);
    expect(entryIn(kernel.root(0)!)).toBe(top.entry);
  });

  it("verdicts: stopping at U/S = 0 does not help it", async () => {
    const records = await collect({
      policies: ["none"],
      scenarios: ["kasan_remove_zero_shadow"],
      hardware: [{ ...usualIommu, supervisorEntries: "stop" }],
      agents: ["iommu"],
    });
    expect(records.map(({ verdict }) => verdict)).toEqual(["hazard"]);
  });
});

describe("K5: user page-table reclaim (CVE-2026-74674)", () => {
  const verdicts = async (kernel: KernelVersion) => {
    const records = await collect({
      kernel,
      policies: ["none", "deferred-free", "user-root", "sva-off"],
      scenarios: ["zap_pte_range"],
      hardware: "few",
      depth: 2,
    });
    return records
      .filter(({ options }) =>
        "invlpgScope" in options
          ? !options.pti && !options.invlpgb
          : Object.entries(usualIommu).every(([k, v]) => Reflect.get(options, k) === v),
      )
      .map((it) => `${it.policy}, ${"invlpgScope" in it.options ? it.options.invlpgScope : it.agent}: ${it.verdict}`)
      .filter((text) => text.endsWith("hazard"));
  };

  it("7.0 to 7.1.8: a hazard for page-selective IOMMU invalidation and CPUs with TCE, not for INVLPG of Intel's", async () => {
    expect(await verdicts("7.0")).toEqual([
      ...["none", "deferred-free", "user-root"].flatMap((policy) => [
        `${policy}, iommu: hazard`,
        `${policy}, path: hazard`,
      ]),
      "sva-off, path: hazard",
    ]);
  });

  it.each(["6.18.7", "7.1.9", "7.3"] as const)("%s: safe", async (kernel) => {
    expect(await verdicts(kernel)).toEqual([]);
  });

  it("flushes where the table ends in the broken kernels, where it begins in the others; older ones keep it", () => {
    const flushed = (version: KernelVersion) => {
      const machine = machineOf(version);
      const kernel = kernelOf(machine);
      const iommu = machine.iommus[0]!;
      kernel.run((p) => p.mmCreate(0).svaBind(iommu.requester(PASID), 0).mmap(0, USER, 1).dontNeed(0, USER, 1));
      iommu.request(PASID, USER, Access.userRead);
      const before = iommu.psc.get(2)!.contents().length;
      kernel.run((p) => p.dontNeed(0, USER, 512));
      return [before, iommu.psc.get(2)!.contents().length, kernel.tablesFreed.zap_pte_range];
    };
    expect(flushed("7.0")).toEqual([1, 1, 1]);
    expect(flushed("7.1.9")).toEqual([1, 0, 1]);
    expect(flushed("6.12")).toEqual([1, 1, 0]);
  });
});

describe("K9: what a collapse wants", () => {
  it("512 leaves that are there: a hole is not mapped again", () => {
    const machine = machineOf("7.3");
    const kernel = kernelOf(machine);
    kernel.run((p) =>
      p
        .hotAdd(DIRECT, 1)
        .cpaSplit(DIRECT)
        .vfree(DIRECT + 0x5000n, 1),
    );
    expect(kernel.run((p) => p.cpaCollapse(DIRECT))[0]).toMatchObject({ done: false, refusal: "leaves-differ" });
    expect(machine.cpus[0]!.explain(DIRECT + 0x5000n, Access.supervisorRead).outcome.kind).toBe("fault");
  });

  it("no pages that were never mapped", () => {
    const machine = machineOf("7.3");
    const kernel = kernelOf(machine);
    expect(kernel.run((p) => p.vmalloc(VMALLOC, 3).cpaCollapse(VMALLOC)).at(-1)).toMatchObject({ done: false });
    expect(machine.cpus[0]!.explain(VMALLOC + 0x3000n, Access.supervisorRead).outcome.kind).toBe("fault");
  });

  it("frames in a row from a multiple of 2 MiB, and equal attributes", () => {
    const machine = machineOf("7.3");
    const kernel = kernelOf(machine);
    kernel.run((p) => p.vmalloc(VMALLOC + 5n * MIB2, 1).vmalloc(VMALLOC, 512));
    expect(kernel.run((p) => p.cpaCollapse(VMALLOC))[0]).toMatchObject({ refusal: "leaves-differ" });
    kernel.run((p) => p.hotAdd(DIRECT, 1).cpaSplit(DIRECT));
    const pt = BigInt(wayTo(machine, DIRECT).get(1)!.tableFrame) << 12n;
    const entry = machine.frames.readEntry(pt + 8n)!;
    machine.frames.writeEntry(pt + 8n, entry & ~2n);
    expect(kernel.run((p) => p.cpaCollapse(DIRECT))[0]).toMatchObject({ refusal: "leaves-differ" });
    machine.frames.writeEntry(pt + 8n, entry);
    expect(kernel.run((p) => p.cpaCollapse(DIRECT))[0]).toMatchObject({ done: true });
    expect(wayTo(machine, DIRECT).get(2)!.entry & 0x80n).toBe(0x80n);
  });

  it("collapses a whole GiB at once: the PD and the PT go with one flush, the PD first", () => {
    const machine = machineOf("7.1.9");
    const kernel = kernelOf(machine);
    kernel.run((p) =>
      p
        .hotAdd(DIRECT, 512, { hugePages: true })
        .cpaSplit(DIRECT)
        .cpaSplit(DIRECT + GIB - MIB2),
    );
    const flushes = kernel.counters.flushAlls;
    const way = wayTo(machine, DIRECT + GIB - MIB2);
    kernel.run((p) => p.cpaCollapse(DIRECT + GIB - MIB2));
    expect(kernel.counters.flushAlls - flushes).toBe(1);
    expect(kernel.freeFrames().slice(-2)).toEqual([way.get(2)!.tableFrame, way.get(1)!.tableFrame]);
    expect(machine.cpus[0]!.explain(DIRECT, Access.supervisorRead).outcome).toMatchObject({ kind: "ok", level: 3 });
  });
});

describe("pud_free_pmd_page", () => {
  it("leaves the PD's entries in newer kernels, and empties it first in older ones", () => {
    const left = (version: KernelVersion): number => {
      const machine = machineOf(version);
      kernelOf(machine).run((p) =>
        p
          .vmalloc(VMALLOC, 1)
          .vmalloc(VMALLOC + MIB2, 1)
          .vfree(VMALLOC, 513)
          .purge(),
      );
      const pd = BigInt(wayTo(machine, VMALLOC).get(2)!.tableFrame) << 12n;
      kernelOf(machine).run((p) => p.vmalloc(VMALLOC, 262144, 30));
      expect(kernelOf(machine).tablesFreed.pud_free_pmd_page).toBe(3);
      return [0n, 8n].filter((at) => machine.frames.readEntry(pd + at) !== 0n).length;
    };
    expect((["6.12", "6.18.53", "7.0", "7.3"] as const).map(left)).toEqual([0, 0, 2, 2]);
  });
});

describe("K20: PASIDs", () => {
  it("are one process's: bound again, let go of once more; another process is refused", () => {
    const machine = machineOf("7.3");
    const kernel = kernelOf(machine);
    const requester = machine.iommus[0]!.requester(PASID);
    const told = kernel.run((p) =>
      p
        .mmCreate(0)
        .mmCreate(1)
        .svaBind(requester, 0)
        .svaBind(requester, 0)
        .svaBind(requester, 1)
        .svaUnbind(requester)
        .svaBind(requester, 1)
        .svaUnbind(requester)
        .svaUnbind(requester)
        .svaBind(requester, 1),
    );
    const refused = (it: (typeof told)[number]) => ("refusal" in it ? it.refusal : "done");
    expect(told.slice(2).map(refused)).toEqual([
      "done",
      "done",
      "pasid-taken",
      "done",
      "pasid-taken",
      "done",
      "not-bound",
      "done",
    ]);
  });

  it("have no entry and nothing cached when the process ends, before its tables go", () => {
    const machine = machineOf("7.3");
    const kernel = kernelOf(machine);
    const iommu = machine.iommus[0]!;
    const requester = iommu.requester(PASID);
    kernel.run((p) => p.mmCreate(0).svaBind(requester, 0).svaBind(requester, 0).mmap(0, USER, 1));
    expect(iommu.request(PASID, USER, Access.userRead).kind).toBe("ok");
    expect(kernel.run((p) => p.mmDestroy(0))[0]).toMatchObject({ done: true });
    expect(iommu.request(PASID, USER, Access.userRead)).toMatchObject({ kind: "fault", reason: "no-pasid" });
    expect(kernel.tablesFreed.user).toBe(4);
    expect(kernel.run((p) => p.svaUnbind(requester))[0]).toMatchObject({ refusal: "not-bound" });
    expect(kernel.hazardCounts.total).toBe(0);
  });
});
