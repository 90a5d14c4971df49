// The engine against the reference model, kernel included: random programs with an IOMMU, a kernel and any policy, other
// agents' operations interleaved at points. What is compared: test/support/kernel-agreement.ts.

import { describe, expect, it } from "vitest";
import { DIRECT, GIB, HUGE_PAGES, kernelOptions, MIB2, PASID, VMALLOC } from "../model/kernel/builder.js";
import { type KernelProgram, playKernel } from "../model/kernel/operations.js";
import { kernelPrograms } from "../model/kernel/programs.js";
import { OPERATIONS, PACES } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { expectKernelAgreement } from "../support/kernel-agreement.js";
import { seedAt } from "../support/seed.js";

/** Half as many: the model takes twice as long with a kernel. */
const KERNEL_OPERATIONS = OPERATIONS / 2;
const LENGTH = 120;

describe("engine and reference model, kernel included", () => {
  it(`agree after each of ${KERNEL_OPERATIONS} random operations`, { timeout: 0 }, () => {
    let done = 0;
    for (let round = 0; done < KERNEL_OPERATIONS; round++) {
      const runs = Math.max(1, Math.min(100, Math.ceil((KERNEL_OPERATIONS - done) / (LENGTH / 2))));
      fc.assert(
        fc.property(kernelPrograms(LENGTH), fc.constantFrom(...PACES), (program, every) => {
          done += expectKernelAgreement(program, every);
        }),
        { seed: seedAt(round), numRuns: runs },
      );
    }
    expect(done).toBeGreaterThanOrEqual(KERNEL_OPERATIONS);
  });

  it.each(["6.1", "7.3"] as const)(
    "agree in %s where an entry that takes part in a free names no frame of the machine",
    (version) => {
      // The PDPT is freed with nothing cleared above it, so what it holds next is taken for entries.
      const operations: KernelProgram["operations"] = [
        { kind: "vmalloc", address: VMALLOC, pages: 3, shift: 12 },
        { kind: "mm-create", mm: 0 },
        { kind: "mmap", mm: 0, address: 0n, pages: 3, type: 0 },
        { kind: "hot-add", address: DIRECT + GIB, blocks: 1, type: 3 },
        { kind: "hot-remove", address: DIRECT + GIB, blocks: 1, type: 3 },
        { kind: "reuse", type: 0, address: 0n },
        { kind: "hot-add", address: DIRECT + MIB2, blocks: 1, type: 0 },
        { kind: "table-clear", site: 0, level: 0, address: VMALLOC + MIB2 },
        { kind: "table-clear", site: 6, level: 0, address: VMALLOC + GIB - MIB2 },
        { kind: "table-free", site: 6, level: 3, address: VMALLOC + GIB - MIB2 },
        { kind: "vmalloc", address: VMALLOC, pages: 2, shift: 12 },
        { kind: "vmalloc", address: VMALLOC + MIB2, pages: 2, shift: 12 },
        { kind: "vmalloc", address: VMALLOC, pages: HUGE_PAGES, shift: 30 },
      ];
      const program = { config: kernelOptions({ version, pool: 12 }), detours: [], operations, interleaved: [] };
      expect(expectKernelAgreement(program)).toBe(operations.length);
    },
  );

  it.each([
    ["munmap", 2],
    ["dont-need", 512],
  ] as const)("agree where a process would end inside a %s of its own", (kind, pages) => {
    const operations: KernelProgram["operations"] = [
      { kind: "mm-create", mm: 0 },
      { kind: "mmap", mm: 0, address: 0n, pages: 2, type: 0 },
      { kind, mm: 0, address: 0n, pages },
      { kind: "mm-destroy", mm: 0 },
    ];
    // Points 0 and 1 are those behind the first two operations.
    const interleaved = [2, 3].map((point) => ({ point, operation: { kind: "mm-destroy" as const, mm: 0 } }));
    const program = { config: kernelOptions({ version: "6.12" }), detours: [], operations, interleaved };
    expect(expectKernelAgreement(program)).toBe(operations.length);
    const refused: unknown[] = [];
    playKernel(program, (index, _operation, _result, _model, inside) => {
      if (index === 2) refused.push(...inside.map(({ result }) => result));
    });
    expect(refused).toEqual(["mm-runs", "mm-runs"]);
  });

  it("agree where a table made for a clear is the frame of one above it, freed while it was linked", () => {
    const VMALLOC5 = 0xffa0_0000_0000_0000n;
    const operations: KernelProgram["operations"] = [
      { kind: "vmalloc", address: VMALLOC5, pages: 3, shift: 12 },
      { kind: "mm-create", mm: 0 },
      { kind: "mmap", mm: 0, address: 0n, pages: 3, type: 0 },
      { kind: "vmalloc", address: VMALLOC5 + GIB - MIB2, pages: 3, shift: 12 },
      { kind: "vmalloc", address: VMALLOC5 + GIB - MIB2, pages: 512, shift: 21 },
      { kind: "table-clear", site: 0, level: 0, address: VMALLOC5 + GIB - MIB2 },
      { kind: "table-free", site: 0, level: 3, address: VMALLOC5 + GIB - MIB2 },
      { kind: "table-clear", site: 0, level: 0, address: VMALLOC5 + MIB2 },
    ];
    const config = kernelOptions({ version: "6.1", levels: 5, pool: 12 });
    expect(expectKernelAgreement({ config, detours: [], operations, interleaved: [] })).toBe(operations.length);
  });

  it("agree on the access of a stale hit in a device TLB: a fetch is a read there too", () => {
    const operations: KernelProgram["operations"] = [
      { kind: "mm-create", mm: 0 },
      { kind: "mmap", mm: 0, address: 0n, pages: 3, type: 0 },
      { kind: "switch-mm", cpu: 0, mm: 0 },
      { kind: "sva-bind", iommu: 0, pasid: PASID, mm: 0 },
      { kind: "request", iommu: 0, device: 0, pasid: PASID, address: 0n, access: 4 },
      { kind: "munmap", mm: 0, address: 0n, pages: 512 },
    ];
    const fetch = { kind: "request", iommu: 0, device: 0, pasid: PASID, address: 0n, access: 6 } as const;
    const interleaved = [5, 6, 7].map((point) => ({ point, operation: fetch }));
    const config = kernelOptions({ pool: 12, policy: { notifyUser: false } });
    expect(expectKernelAgreement({ config, detours: [], operations, interleaved })).toBe(operations.length);
  });
});
