// Address spaces, ASID slots, flush entry points and the lazy purge of the model (rules.md 9, 10.5 to 10.7).

import { describe, expect, it } from "vitest";
import { PLAIN, READ } from "../builder.js";
import {
  boundKernel,
  cpuRead,
  DIRECT,
  deviceRead,
  entryOf,
  HEAP,
  HUGE_PAGES,
  isPresent,
  kernel,
  LARGE_PAGES,
  MIB2,
  OTHER_PASID,
  PASID,
  POOL,
  run,
  tableOf,
  VMALLOC,
} from "./builder.js";
import type { Kernel } from "./kernel.js";
import { SITE } from "./sites.js";
import { lazyMax } from "./vmalloc.js";

/** Content of the first L1 cache of CPU 0 or of the IOMMU: page numbers with their tags. */
function cached(k: Kernel, agent: "cpu" | "iommu"): string[] {
  const dump = k.dump()[agent === "cpu" ? "cpus" : "iommus"][0];
  return (dump?.l1[0]?.ways ?? []).map(({ pageNumber, tag }) => `${pageNumber.toString(16)} ${tag}`).sort();
}

describe("mms", () => {
  it("exist once, run, and go only when nobody runs them", () => {
    const k = kernel();
    expect(run(k, { kind: "mm-destroy", mm: 1 })).toBe("no-such-mm");
    expect([run(k, { kind: "mm-create", mm: 1 }), run(k, { kind: "mm-create", mm: 1 })]).toEqual(["done", "mm-exists"]);
    run(k, { kind: "switch-mm", cpu: 0, mm: 1 });
    expect(run(k, { kind: "mm-destroy", mm: 1 })).toBe("mm-runs");
    run(k, { kind: "mm-create", mm: 2 }, { kind: "switch-mm", cpu: 0, mm: 2 });
    run(k, { kind: "sva-bind", iommu: 0, pasid: PASID, mm: 1 });
    expect(run(k, { kind: "mm-destroy", mm: 1 })).toBe("done");
    expect(run(k, { kind: "sva-unbind", iommu: 0, pasid: PASID })).toBe("not-bound");
    expect(k.memory.state(POOL + 1)).toBe("free");
    expect(run(k, { kind: "switch-mm", cpu: 0, mm: 1 })).toBe("no-such-mm");
  });

  it("are destroyed children first, in ascending order, their root last", () => {
    const k = kernel();
    run(k, { kind: "mm-create", mm: 1 });
    // PDPT, PD, PT at HEAP, then a second PT; 0x1002 to 0x1005 after the root 0x1001.
    run(k, { kind: "mmap", mm: 1, address: HEAP, pages: 1, type: 0 });
    run(k, { kind: "mmap", mm: 1, address: HEAP + MIB2, pages: 1, type: 0 });
    run(k, { kind: "mm-destroy", mm: 1 });
    expect(k.memory.freeStack().slice(-5)).toEqual([POOL + 4, POOL + 5, POOL + 3, POOL + 2, POOL + 1]);
    expect(k.memory.info(POOL + 4)).toMatchObject({ site: SITE.user, mark: "none" });
  });

  it("leave the kernel's tables alone when they go", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 });
    run(k, { kind: "mm-create", mm: 1 }, { kind: "mm-destroy", mm: 1 });
    expect(k.memory.tablesReleased).toBe(1);
    expect(k.memory.isTable(tableOf(k, VMALLOC, 2))).toBe(true);
  });
});

describe("ASID slots", () => {
  /** Switch to each mm and note PCID and whether the switch flushed. */
  function switches(k: Kernel, mms: number[]): string[] {
    return mms.map((mm) => {
      const before = k.cpu(0).invalidations;
      run(k, { kind: "switch-mm", cpu: 0, mm });
      return `${k.cpu(0).context.tag}${k.cpu(0).invalidations > before ? "f" : ""}`;
    });
  }

  it("are taken round-robin, six of them, and kept without a flush while they hold the mm", () => {
    const k = kernel();
    for (let mm = 0; mm < 8; mm++) run(k, { kind: "mm-create", mm });
    expect(k.cpu(0).context).toMatchObject({ root: POOL, tag: 0 });
    expect(switches(k, [0, 1, 0, 2, 3, 4, 5, 1])).toEqual(["1f", "2f", "1", "3f", "4f", "5f", "6f", "2"]);
    // The seventh mm takes slot 0; mm 0 then takes slot 1 from mm 1.
    expect(switches(k, [6, 0, 2, 1])).toEqual(["1f", "2f", "3", "3f"]);
  });

  it("flush when the mm's generation moved on while it was away", () => {
    const k = kernel();
    run(k, { kind: "mm-create", mm: 1 }, { kind: "mm-create", mm: 2 });
    expect(switches(k, [1, 2])).toEqual(["1f", "2f"]);
    run(k, { kind: "flush-mm-range", mm: 1, start: 0n, end: 0x1000n, shift: 12 });
    expect(switches(k, [1, 2, 1])).toEqual(["1f", "2", "1"]);
  });

  it("are PCID 0 and always flush without CR4.PCIDE", () => {
    const k = kernel({ cpu: { controls: { ...PLAIN, pcide: false } } });
    run(k, { kind: "mm-create", mm: 1 }, { kind: "mm-create", mm: 2 });
    expect(switches(k, [1, 2, 1, 1])).toEqual(["0f", "0f", "0f", "0f"]);
  });

  it("do not match a later mm of the same number", () => {
    const k = kernel();
    run(k, { kind: "mm-create", mm: 1 }, { kind: "mm-create", mm: 2 });
    switches(k, [1, 2]);
    run(k, { kind: "mm-destroy", mm: 1 }, { kind: "mm-create", mm: 1 });
    expect(switches(k, [1])).toEqual(["3f"]);
  });
});

describe("bindings", () => {
  it("drop what is cached for the PASID, of the IOMMU and its devices", () => {
    const k = boundKernel();
    run(k, { kind: "mm-create", mm: 2 });
    run(k, { kind: "mmap", mm: 1, address: HEAP, pages: 1, type: 0 });
    for (const pasid of [PASID, OTHER_PASID]) run(k, { kind: "sva-bind", iommu: 0, pasid, mm: 1 });
    for (const pasid of [PASID, OTHER_PASID]) k.iommu(0).request(pasid, HEAP, READ, 0);
    expect(cached(k, "iommu")).toEqual(["550000000 0", "550000000 1"]);
    // K20: a PASID is one mm's; who binds it again lets go of it once more.
    expect(run(k, { kind: "sva-bind", iommu: 0, pasid: PASID, mm: 2 })).toBe("pasid-taken");
    for (let users = 2; users > 0; users--) {
      expect(cached(k, "iommu")).toEqual(["550000000 0", "550000000 1"]);
      expect(run(k, { kind: "sva-unbind", iommu: 0, pasid: PASID })).toBe("done");
    }
    expect(run(k, { kind: "sva-bind", iommu: 0, pasid: PASID, mm: 2 })).toBe("done");
    expect(cached(k, "iommu")).toEqual(["550000000 1"]);
    expect(deviceRead(k, HEAP)).toMatchObject({ kind: "fault", reason: "not-present" });
    expect(k.iommu(0).request(PASID, HEAP, READ, 0)).toMatchObject({ kind: "fault" });
    run(k, { kind: "sva-unbind", iommu: 0, pasid: OTHER_PASID });
    expect(k.iommu(0).request(OTHER_PASID, HEAP, READ, 0)).toMatchObject({ reason: "no-pasid", level: 0 });
    expect(k.counters.iommuRounds).toBe(0);
  });

  it("name the second root, which follows the user half only", () => {
    const k = kernel({ policy: { root: "user-only" } });
    run(k, { kind: "mm-create", mm: 1 }, { kind: "mmap", mm: 1, address: HEAP, pages: 1, type: 0 });
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 });
    run(k, { kind: "sva-bind", iommu: 0, pasid: PASID, mm: 1 });
    expect(deviceRead(k, HEAP)).toMatchObject({ kind: "ok" });
    run(k, { kind: "mmap", mm: 1, address: 0x1000n, pages: 1, type: 2 });
    expect(deviceRead(k, 0x1000n)).toMatchObject({ kind: "ok" });
    expect(deviceRead(k, VMALLOC)).toMatchObject({ reason: "not-present", level: 4 });
    run(k, { kind: "munmap", mm: 1, address: 0x1000n, pages: 1 });
    expect(deviceRead(k, 0x1000n)).toMatchObject({ reason: "not-present", level: 4 });
    run(k, { kind: "sva-unbind", iommu: 0, pasid: PASID }, { kind: "mm-destroy", mm: 1 });
    const { userRoot } = { userRoot: k.memory.freeStack().at(-1) };
    // Root first, second root last.
    expect(k.memory.info(userRoot ?? 0)?.level).toBe(4);
    expect(k.memory.freeStack().at(-2)).toBe(POOL + 1);
  });

  it("do not exist without shared tables", () => {
    const k = boundKernel({ policy: { root: "none" } });
    expect(run(k, { kind: "sva-bind", iommu: 0, pasid: PASID, mm: 1 })).toBe("sharing-off");
    expect(deviceRead(k, HEAP)).toMatchObject({ reason: "no-pasid", errorCode: 0 });
  });
});

describe("flush_tlb_kernel_range", () => {
  it.each([
    [33n * 0x1000n, 33],
    [33n * 0x1000n + 1n, 1],
    [0xfffn, 1],
    [0x1001n, 2],
  ])("of %i bytes takes %i invalidations on each CPU", (bytes, invalidations) => {
    const k = kernel({ cpus: 2 });
    run(k, { kind: "flush-kernel-range", start: VMALLOC, end: VMALLOC + bytes });
    expect(k.cpus.map((cpu) => cpu.invalidations)).toEqual([invalidations, invalidations]);
  });

  it("leaves other pages cached up to the ceiling, and nothing above it", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 64, shift: 12 });
    for (const page of [0n, 32n, 33n]) cpuRead(k, VMALLOC + page * 0x1000n);
    run(k, { kind: "flush-kernel-range", start: VMALLOC, end: VMALLOC + 33n * 0x1000n });
    expect(cached(k, "cpu")).toEqual(
      [`${((VMALLOC >> 12n) & 0xf_ffff_ffffn) + 33n}`].map((n) => `${BigInt(n).toString(16)} global`),
    );
    run(k, { kind: "flush-kernel-range", start: VMALLOC + MIB2, end: VMALLOC + MIB2 + 34n * 0x1000n });
    expect(cached(k, "cpu")).toEqual([]);
  });

  it("is another thing than flush_tlb_all and __flush_tlb_all, which take one INVPCID each", () => {
    const k = kernel({ cpus: 2 });
    run(k, { kind: "flush-all" }, { kind: "local-flush-all", cpu: 1 });
    expect(k.cpus.map((cpu) => cpu.invalidations)).toEqual([1, 2]);
    expect(k.counters).toMatchObject({ flushAlls: 1, localFlushAlls: 1 });
    expect(k.counters.kernelRangeFlushes).toBe(0);
  });
});

describe("flush_tlb_mm_range", () => {
  function twoCpus(): Kernel {
    const k = kernel({ cpus: 2 });
    run(k, { kind: "mm-create", mm: 1 }, { kind: "mm-create", mm: 2 });
    run(k, { kind: "switch-mm", cpu: 0, mm: 1 }, { kind: "switch-mm", cpu: 1, mm: 2 });
    return k;
  }

  it("goes to the CPUs that run the mm, page by page up to the ceiling", () => {
    const k = twoCpus();
    run(k, { kind: "flush-mm-range", mm: 1, start: HEAP, end: HEAP + 33n * 0x1000n, shift: 12 });
    expect(k.cpus.map((cpu) => cpu.invalidations)).toEqual([1 + 33, 1]);
    run(k, { kind: "flush-mm-range", mm: 1, start: HEAP, end: HEAP + 34n * 0x1000n, shift: 12 });
    expect(k.cpus.map((cpu) => cpu.invalidations)).toEqual([1 + 33 + 1, 1]);
    run(k, { kind: "flush-mm-range", mm: 1, start: HEAP, end: HEAP + 34n * 0x1000n, shift: 21 });
    expect(k.cpus.map((cpu) => cpu.invalidations)).toEqual([1 + 33 + 1 + 1, 1]);
    expect(run(k, { kind: "flush-mm-range", mm: 9, start: 0n, end: 0x1000n, shift: 12 })).toBe("no-such-mm");
    expect(k.counters.mmFlushes).toBe(3);
  });

  it("tells the bound PASIDs: pages, or everything above the ceiling", () => {
    const k = boundKernel();
    run(k, { kind: "mmap", mm: 1, address: HEAP, pages: 40, type: 0 });
    for (const page of [0n, 1n, 39n]) k.iommu(0).request(PASID, HEAP + page * 0x1000n, READ, 0);
    run(k, { kind: "mprotect", mm: 1, address: HEAP, pages: 1 });
    expect(cached(k, "iommu")).toEqual(["550000001 0", "550000027 0"]);
    run(k, { kind: "mprotect", mm: 1, address: HEAP, pages: 34 });
    expect(cached(k, "iommu")).toEqual([]);
    expect(k.counters).toMatchObject({ iommuRounds: 2, iotlbInvalidations: 2, deviceTlbInvalidations: 2 });
    expect(entryOf(k, HEAP + 33n * 0x1000n, 1, k.spaces.mms.get(1)?.root) & 2n).toBe(0n);
    expect(entryOf(k, HEAP + 34n * 0x1000n, 1, k.spaces.mms.get(1)?.root) & 2n).toBe(2n);
  });
});

describe("munmap", () => {
  it("unlinks the tables that it empties, lowest level first, and releases them after the flush", () => {
    const k = boundKernel();
    run(k, { kind: "mmap", mm: 1, address: HEAP, pages: 1, type: 0 });
    run(k, { kind: "mmap", mm: 1, address: HEAP + MIB2, pages: 2, type: 0 });
    const root = k.spaces.mms.get(1)?.root ?? 0;
    // PDPT, PD, PT, PT after init_mm's root and the mm's.
    run(k, { kind: "munmap", mm: 1, address: HEAP, pages: LARGE_PAGES + 1 });
    expect([isPresent(entryOf(k, HEAP, 2, root)), isPresent(entryOf(k, HEAP + MIB2, 2, root))]).toEqual([false, true]);
    expect(k.memory.freeStack().at(-1)).toBe(POOL + 4);
    run(k, { kind: "munmap", mm: 1, address: HEAP + MIB2, pages: 2 });
    expect(k.memory.freeStack().slice(-4)).toEqual([POOL + 4, POOL + 5, POOL + 3, POOL + 2]);
    expect(entryOf(k, HEAP, 4, root)).toBe(0n);
    expect(k.points.reached).toBe(4);
  });

  it("keeps a large page that is not wholly inside", () => {
    const k = boundKernel();
    run(k, { kind: "mmap", mm: 1, address: HEAP, pages: 2 * LARGE_PAGES, type: 3 });
    const root = k.spaces.mms.get(1)?.root ?? 0;
    expect(entryOf(k, HEAP, 2, root) & 0xfffn).toBe(0xa5n);
    run(k, { kind: "munmap", mm: 1, address: HEAP + 0x1000n, pages: 2 * LARGE_PAGES - 1 });
    expect([isPresent(entryOf(k, HEAP, 2, root)), isPresent(entryOf(k, HEAP + MIB2, 2, root))]).toEqual([true, false]);
  });

  it("and mmap refuse what is not the user half", () => {
    const k = boundKernel();
    expect(run(k, { kind: "mmap", mm: 1, address: VMALLOC, pages: 1, type: 0 })).toBe("not-user-half");
    expect(run(k, { kind: "mmap", mm: 1, address: 0x7fff_ffff_f000n, pages: 2, type: 0 })).toBe("not-user-half");
    expect(run(k, { kind: "mmap", mm: 1, address: 0x7fff_ffff_f000n, pages: 1, type: 0 })).toBe("done");
    expect(run(k, { kind: "munmap", mm: 3, address: HEAP, pages: 1 })).toBe("no-such-mm");
    expect(run(k, { kind: "mmap", mm: 1, address: HEAP + 0x1000n, pages: LARGE_PAGES, type: 1 })).toBe("not-aligned");
  });
});

describe("vfree and the lazy purge", () => {
  it.each([
    [1, 8192],
    [2, 16384],
    [3, 16384],
    [4, 24576],
    [8, 32768],
    [128, 65536],
  ])("has for %i CPUs a threshold of %i pages", (cpus, pages) => {
    expect(lazyMax(cpus)).toBe(pages);
  });

  it("purges above the threshold, everything in one range", () => {
    const k = kernel();
    run(k, { kind: "vfree", address: VMALLOC, pages: 8191, type: 0 });
    run(k, { kind: "vfree", address: VMALLOC + 0x4000_0000n, pages: 1, type: 0 });
    expect(k.counters.purges).toBe(0);
    run(k, { kind: "vfree", address: VMALLOC, pages: 1, type: 0 });
    expect(k.counters).toMatchObject({ purges: 1, kernelRangeFlushes: 1 });
    expect(k.lazy.pages).toBe(0);
    // A small range is flushed page by page.
    run(k, { kind: "vfree", address: VMALLOC, pages: 2, type: 0 }, { kind: "purge" });
    expect(k.cpu(0).invalidations).toBe(1 + 2);
    run(k, { kind: "purge" });
    expect(k.counters.purges).toBe(2);
  });

  it("purges at once with type bit 0, and never by itself if told so", () => {
    const k = kernel({ autoPurge: false });
    run(k, { kind: "vfree", address: VMALLOC, pages: HUGE_PAGES, type: 0 });
    expect(k.counters.purges).toBe(0);
    run(k, { kind: "vfree", address: VMALLOC, pages: 1, type: 1 });
    expect(k.counters.purges).toBe(1);
  });

  it("clears leaves and keeps tables; a large leaf goes only if it lies wholly inside", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 2 * LARGE_PAGES + 2, shift: 21 });
    const pt = tableOf(k, VMALLOC + 2n * MIB2, 2);
    run(k, { kind: "vfree", address: VMALLOC + 0x1000n, pages: 2 * LARGE_PAGES, type: 0 });
    const present = [VMALLOC, VMALLOC + MIB2].map((at) => isPresent(entryOf(k, at, 2)));
    expect(present).toEqual([true, false]);
    expect([0n, 1n].map((page) => isPresent(entryOf(k, VMALLOC + 2n * MIB2 + page * 0x1000n, 1)))).toEqual([
      false,
      true,
    ]);
    expect(k.memory.isTable(pt)).toBe(true);
    expect(run(k, { kind: "vfree", address: HEAP, pages: 1, type: 0 })).toBe("not-kernel-half");
    expect(run(k, { kind: "vfree", address: DIRECT, pages: 0, type: 0 })).toBe("empty-range");
  });
});
