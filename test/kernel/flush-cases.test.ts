// Flushes that once went wrong (cases K7, K8, K14, K15, K16): docs/rules.md 9.7, 10.5, 10.7. Sources: flush_tlb_kernel_range(),
// flush_tlb_mm_range(), choose_new_asid() (arch/x86/mm/tlb.c), __purge_vmap_area_lazy() (mm/vmalloc.c).

import { describe, expect, it } from "vitest";
import {
  Access,
  createMachineSync,
  everyCpu,
  geometries,
  type IommuConfig,
  type KernelCounters,
  type MachineConfig,
  Operation,
  type Policy,
  type PolicyName,
  ProgramBuilder,
} from "../../src/index.js";
import { replay } from "../../src/replay/index.js";
import { fixture } from "../trace/support.js";

const AREA = 0xffffc90000000000n;
const PAGE = 0x1000n;
const FLUSH_ALL = 0xffff_ffff_ffff_ffffn;
/** The last 16 pages of all addresses. */
const LAST = 0xffff_ffff_ffff_0000n;

function made(
  policy: PolicyName | Partial<Policy>,
  change: Omit<MachineConfig, "kernel" | "iommus"> & { iommu?: Partial<IommuConfig> } = {},
) {
  const { iommu: hardware, ...rest } = change;
  const machine = createMachineSync({
    cpus: [geometries.skylake, geometries.skylake],
    ...rest,
    iommus: [{ ...geometries.vtd, pasids: [42], ...hardware }],
    kernel: { policy, pool: 64 },
  });
  const kernel = machine.kernel!;
  kernel.run((p) => p.mmCreate(0).svaBind(machine.iommus[0]!.requester(42), 0));
  const counting = (play: (p: ProgramBuilder) => ProgramBuilder): Partial<KernelCounters> => {
    const before = kernel.counters;
    kernel.run(play);
    const changed = Object.entries(kernel.counters).map(([name, value]) => [
      name,
      value - before[name as keyof KernelCounters],
    ]);
    return Object.fromEntries(changed.filter(([, value]) => value !== 0));
  };
  return { machine, kernel, counting };
}

describe("K7: TLB_FLUSH_ALL as the end of a kernel range", () => {
  it("is a full flush, however short the range", () => {
    const { counting } = made("flush-range");
    const counters = counting((p) => p.flushTlbKernelRange(LAST, FLUSH_ALL));
    expect(counters).toMatchObject({ cpuFullFlushes: 2, pasidSelectiveInvalidations: 1 });
    expect(counters).not.toHaveProperty("cpuPageFlushes");
    expect(counting((p) => p.flushTlbKernelRange(FLUSH_ALL - 1n, FLUSH_ALL))).toMatchObject({ cpuFullFlushes: 2 });
  });

  it("one byte less is a range", () => {
    const { counting } = made("flush-range");
    const counters = counting((p) => p.flushTlbKernelRange(LAST, FLUSH_ALL - 1n));
    expect(counters).toMatchObject({ cpuPageFlushes: 32, pageSelectiveInvalidations: 1, pagesInvalidated: 16 });
    expect(counters).not.toHaveProperty("cpuFullFlushes");
  });

  it("is one in a trace too", async () => {
    const { policies } = await replay(fixture("flush-end-max.trace.txt"), { policies: ["none"] });
    // Of two CPUs: one page of pmd_free_pte_page(), full flushes of the purge (256 pages) and of the last line.
    expect(policies[0]!.kernel).toMatchObject({ cpuPageFlushes: 2, cpuFullFlushes: 4 });
    expect(policies[0]!.flushesMatch).toBe(true);
  });

  it("waits as everything under an asynchronous policy", () => {
    const { counting } = made("flush-async");
    counting((p) => p.flushTlbKernelRange(LAST, FLUSH_ALL));
    expect(counting((p) => p.runWork())).toMatchObject({ pasidSelectiveInvalidations: 1 });
  });
});

describe("K8: a range that ends at 2^64", () => {
  const free = (p: ProgramBuilder): ProgramBuilder => p.vmalloc(LAST, 16).vfree(LAST, 16).purge();

  it("is a range for CPUs and IOMMU, in both dialects", () => {
    for (const dialect of ["vtd", "amd"] as const) {
      const { counting } = made("flush-range", { iommu: { dialect } });
      const counters = counting(free);
      expect(counters).toMatchObject({ cpuPageFlushes: 32, pageSelectiveInvalidations: 1, pagesInvalidated: 16 });
      expect(counters).not.toHaveProperty("pasidSelectiveInvalidations");
    }
  });

  it("leaves another page of the PASID in the IOTLB", () => {
    const { machine, kernel } = made("flush-range");
    const iommu = machine.iommus[0]!;
    kernel.run((p) => p.mmap(0, 0x1000n, 1));
    iommu.request(42, 0x1000n, Access.userRead);
    kernel.run(free);
    expect(iommu.l1[0]!.contents()).toHaveLength(1);
    kernel.run((p) => p.flushTlbKernelRange(LAST, FLUSH_ALL));
    expect(iommu.l1[0]!.contents()).toHaveLength(0);
  });

  it("waits as a range under an asynchronous policy, and tells where it begins", () => {
    const { machine, kernel } = made("flush-async");
    kernel.run(free);
    const nothing = { operations: new Uint8Array(), points: [] };
    machine.playInterleaved(new ProgramBuilder().runWork().build(), nothing);
    expect(machine.reachedPoints()[0]).toEqual({ name: "REQUEST_INVALIDATED", at: LAST, nested: 0 });
    expect(kernel.counters).toMatchObject({ pageSelectiveInvalidations: 1, pagesInvalidated: 16 });
  });
});

describe("K14: a vfree at the point of a purge", () => {
  it("waits for the next purge, as in Linux", () => {
    const { machine, kernel } = made("none");
    kernel.run((p) => p.vmalloc(AREA, 4).vfree(AREA, 1));
    machine.playInterleaved(new ProgramBuilder().purge().build(), {
      operations: new ProgramBuilder().vfree(AREA + 2n * PAGE, 2).build(),
      points: [0],
    });
    expect(kernel.lazy.pages).toBe(2);
    const { counters } = kernel;
    kernel.run((p) => p.purge());
    expect(kernel.counters.purges - counters.purges).toBe(1);
    expect(kernel.counters.cpuPageFlushes - counters.cpuPageFlushes).toBe(4);
  });
});

describe("K15: flush_tlb_mm_range()", () => {
  const AT = 0x40_0000n;

  it.each([
    ["an empty range names no page, and nobody is notified", AT, AT, {}],
    [
      "a range that ends before it starts is everything",
      AT,
      AT - 1n,
      { cpuSpaceFlushes: 1, pasidSelectiveInvalidations: 1 },
    ],
    ["an end of 0 is one before its start", AT, 0n, { cpuSpaceFlushes: 1, pasidSelectiveInvalidations: 1 }],
    ["[0, 0) is empty", 0n, 0n, {}],
    ["TLB_FLUSH_ALL is everything", AT, FLUSH_ALL, { cpuSpaceFlushes: 1, pasidSelectiveInvalidations: 1 }],
    [
      "a range counts the pages that it touches for the IOMMU",
      AT + 0x800n,
      AT + 0x1800n,
      { cpuPageFlushes: 1, pagesInvalidated: 2 },
    ],
  ])("%s", (_, start, end, expected) => {
    const { kernel, counting } = made("none");
    kernel.run((p) => p.switchMm(0, 0));
    const { mmFlushes, ...counters } = counting((p) => p.flushTlbMmRange(0, start, end));
    expect(mmFlushes).toBe(1);
    expect(counters).toMatchObject(expected);
    if (Object.keys(expected).length === 0) expect(counters).toEqual({});
  });

  it("an empty one makes a generation all the same: a CPU that was away flushes", () => {
    const { machine, kernel } = made("none");
    kernel.run((p) => p.mmCreate(1).mmap(0, AT, 1).switchMm(0, 0));
    machine.cpus[0]!.translate(AT, Access.userRead);
    kernel.run((p) => p.switchMm(0, 1).flushTlbMmRange(0, AT, AT).switchMm(0, 0));
    expect(machine.cpus[0]!.l1[0]!.contents()).toEqual([]);
  });
});

describe("K15: access code 12", () => {
  it("is a supervisor access, and recorded as one", () => {
    const { machine, kernel } = made("none");
    kernel.run((p) => p.vmalloc(AREA, 1).vmalloc(AREA, 1));
    const both = Access.userRead | Access.implicitRead;
    machine.cpus[0]!.translate(AREA, both as Access);
    kernel.run((p) => p.vfree(AREA, 1));
    expect(machine.cpus[0]!.translate(AREA, both as Access).kind).toBe("ok");
    expect(kernel.hazards().map(({ access }) => access)).toEqual([Access.implicitRead]);
  });
});

describe("K15: CR4.PCIDE switched under a kernel", () => {
  it("without it a switch takes ASID 0 and PCID 0, and the round robin stays", () => {
    const { machine, kernel } = made("none");
    const [cpu] = machine.cpus;
    kernel.run((p) => p.mmCreate(1).mmCreate(2).switchMm(0, 0).switchMm(0, 1));
    expect(cpu!.pcid).toBe(2);
    cpu!.setControls({ pcide: false });
    kernel.run((p) => p.switchMm(0, 2));
    expect(cpu!.pcid).toBe(0);
    cpu!.setControls({ pcide: true });
    const { counters } = kernel;
    // mm 2 holds ASID 0 now, which mm 0 had; mm 0 is the next in the round robin.
    kernel.run((p) => p.switchMm(0, 2));
    expect(cpu!.pcid).toBe(1);
    expect(kernel.counters.cpuSpaceFlushes).toBe(counters.cpuSpaceFlushes);
    kernel.run((p) => p.switchMm(0, 0));
    expect(cpu!.pcid).toBe(3);
  });
});

describe("K16: flush_tlb_kernel_range() has one name, and it asks the policy", () => {
  it("of all operations one is called so", () => {
    expect(Object.keys(Operation).filter((name) => /kernel_?range/i.test(name))).toEqual(["flushTlbKernelRange"]);
    expect(new ProgramBuilder()).not.toHaveProperty("flushKernelRange");
  });

  it.each([2, 34])(
    "of %i pages: the kernel's function invalidates the IOMMU, the CPU's instructions nothing but the CPU",
    (pages) => {
      const { machine, counting } = made("flush-range");
      const heard = (): number => machine.iommus[0]!.counters.invalidations;
      const before = heard();
      expect(counting((p) => p.invlpgRangeOrAll(everyCpu, AREA, pages))).toEqual({});
      expect(heard()).toBe(before);
      const counters = counting((p) => p.flushTlbKernelRange(AREA, AREA + BigInt(pages) * PAGE));
      expect(counters).toMatchObject({ kernelRangeFlushes: 1, pageSelectiveInvalidations: 1 });
      expect(heard()).toBe(before + 1);
    },
  );

  it("both drop the same of a CPU", () => {
    const { machine } = made("none");
    const [first, second] = machine.cpus.map((cpu) => cpu.counters.invalidations);
    machine.kernel!.run((p) =>
      p.flushTlbKernelRange(AREA, AREA + 33n * PAGE).flushTlbKernelRange(AREA, AREA + 34n * PAGE),
    );
    machine.kernel!.run((p) => p.invlpgRangeOrAll(everyCpu, AREA, 33).invlpgRangeOrAll(everyCpu, AREA, 34));
    expect(machine.cpus.map((cpu) => cpu.counters.invalidations)).toEqual([first! + 2 * 34, second! + 2 * 34]);
  });
});
