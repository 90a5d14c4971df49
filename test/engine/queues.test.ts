// What the drivers submit for an invalidation, as the kernel's counters see it: VT-d descriptors and AMD commands.
// Sources: calculate_psi_aligned_address() and cache_tag_flush_range() (drivers/iommu/intel), build_inv_address() (drivers/iommu/amd).

import { describe, expect, it } from "vitest";
import { Access, createMachineSync, geometries, type IommuConfig, type PolicyName } from "../../src/index.js";

const AREA = 0xffffc90000000000n;
const PAGE = 4096n;

function bound(dialect: "vtd" | "amd", policy: PolicyName, change: Partial<IommuConfig> = {}, levels: 4 | 5 = 4) {
  const machine = createMachineSync({
    levels,
    iommus: [{ ...geometries.vtd, pasids: [42], dialect, ...change }],
    kernel: { policy, pool: 64 },
  });
  const kernel = machine.kernel!;
  const iommu = machine.iommus[0]!;
  kernel.run((program) => program.mmCreate(0));
  for (const pasid of iommu.pasids) kernel.run((program) => program.svaBind(iommu.requester(pasid), 0));
  const before = kernel.counters;
  const since = () => {
    const now = kernel.counters;
    return Object.fromEntries(
      Object.entries(now).flatMap(([name, value]) => {
        const difference = value - before[name as keyof typeof before];
        return difference === 0 ? [] : [[name, difference]];
      }),
    );
  };
  return { machine, kernel, iommu, since };
}

describe("a ranged kernel flush under flush-range", () => {
  it.each([
    // Pages of the flush, first page, pages that the descriptor names.
    { start: 0n, pages: 1n, named: 1 },
    { start: 0n, pages: 3n, named: 4 },
    { start: 1n, pages: 1n, named: 1 },
    { start: 1n, pages: 2n, named: 4 },
    // Two pages astride a 2 MiB line: 4 MiB.
    { start: 511n, pages: 2n, named: 1024 },
    { start: 0n, pages: 512n, named: 512 },
  ])("$pages pages from page $start name $named pages in both dialects", ({ start, pages, named }) => {
    for (const dialect of ["vtd", "amd"] as const) {
      const { kernel, since } = bound(dialect, "flush-range");
      const first = AREA + start * PAGE;
      kernel.run((program) => program.flushTlbKernelRange(first, first + pages * PAGE));
      expect(since()).toMatchObject({ pageSelectiveInvalidations: 1, pagesInvalidated: named, queueWaits: 1 });
    }
  });

  it("has no ceiling on the IOMMU's side: the CPUs flush everything, the IOMMU gets the range", () => {
    const { kernel, since } = bound("vtd", "flush-range");
    kernel.run((program) => program.flushTlbKernelRange(AREA, AREA + 64n * PAGE));
    expect(since()).toMatchObject({ cpuFullFlushes: 1, pageSelectiveInvalidations: 1, pagesInvalidated: 64 });
  });
});

describe("the worker of deferred-free", () => {
  const freeOne = (dialect: "vtd" | "amd", levels: 4 | 5) => {
    const { kernel, since } = bound(dialect, "deferred-free", {}, levels);
    const area = levels === 4 ? AREA : 0xffa0000000000000n;
    kernel.run((program) => program.vmalloc(area, 1).vmalloc(area, 512, 21).runWork());
    return since();
  };

  it("names the whole upper half page-selectively: VT-d AM 35, with five levels AM 44", () => {
    expect(freeOne("vtd", 4)).toMatchObject({ pageSelectiveInvalidations: 1, pagesInvalidated: 2 ** 35 });
    expect(freeOne("vtd", 5)).toMatchObject({ pageSelectiveInvalidations: 1, pagesInvalidated: 2 ** 44 });
  });

  it("on AMD 2^47 bytes, with five levels every page", () => {
    expect(freeOne("amd", 4)).toMatchObject({ pageSelectiveInvalidations: 1, pagesInvalidated: 2 ** 35 });
    expect(freeOne("amd", 5)).toMatchObject({ pasidSelectiveInvalidations: 1 });
  });
});

describe("batches and waits", () => {
  const pasids = Array.from({ length: 20 }, (_, i) => i + 1);
  const devices = [{ deviceTlb: { entries: 16, ways: 4 } }];

  it("Intel: one wait for every 16 descriptors", () => {
    const { kernel, since } = bound("vtd", "flush-range", { pasids });
    kernel.run((program) => program.flushTlbKernelRange(AREA, AREA + PAGE));
    expect(since()).toMatchObject({ iotlbInvalidations: 20, queueWaits: 2 });
    const withTlb = bound("vtd", "flush-range", { pasids, devices });
    withTlb.kernel.run((program) => program.flushTlbKernelRange(AREA, AREA + PAGE));
    expect(withTlb.since()).toMatchObject({ iotlbInvalidations: 20, deviceTlbInvalidations: 20, queueWaits: 3 });
  });

  it("AMD: one wait for each PASID's device", () => {
    const { kernel, since } = bound("amd", "flush-range", { pasids, devices });
    kernel.run((program) => program.flushTlbKernelRange(AREA, AREA + PAGE));
    expect(since()).toMatchObject({ iotlbInvalidations: 20, deviceTlbInvalidations: 20, queueWaits: 20 });
  });
});

describe("both dialects", () => {
  it.each(["vtd", "amd"] as const)("%s: drop cached table entries with the leaves of the range", (dialect) => {
    const { kernel, iommu, machine } = bound(dialect, "flush-range");
    kernel.run((program) => program.vmalloc(AREA, 8));
    iommu.request(42, AREA, Access.userRead);
    expect(iommu.psc.get(2)?.contents()).toHaveLength(1);
    kernel.run((program) => program.flushTlbKernelRange(AREA, AREA + PAGE));
    expect([iommu.l1[0]!.contents(), iommu.psc.get(2)!.contents()]).toEqual([[], []]);
    expect(machine.kernel!.hazardCounts.total).toBe(0);
  });

  it.each(["vtd", "amd"] as const)("%s: leave what lies outside the range", (dialect) => {
    const { kernel, iommu } = bound(dialect, "flush-range");
    const far = AREA + (1n << 30n);
    kernel.run((program) => program.vmalloc(AREA, 8).vmalloc(far, 8));
    iommu.request(42, far, Access.userRead);
    kernel.run((program) => program.flushTlbKernelRange(AREA, AREA + PAGE));
    expect(iommu.psc.get(2)?.contents()).toHaveLength(1);
  });
});

describe("flush_tlb_mm_range", () => {
  it("ends for a range whose last step ends at 2^64", () => {
    const { kernel } = bound("vtd", "none");
    kernel.run((program) => program.switchMm(0, 0));
    const [result] = kernel.run((program) => program.flushTlbMmRange(0, 0xfffffffffffff000n, 0xfffffffffffffffen));
    expect(result).toEqual({ operation: "flushTlbMmRange", done: true });
  });
});
