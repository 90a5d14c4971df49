// Points and interleaved operations of the model (rules.md section 13), and the worker's own points (section 11).

import { describe, expect, it } from "vitest";
import { PLAIN, PSC, READ, tlb } from "../builder.js";
import { DIRECT, LARGE_PAGES, VMALLOC } from "./builder.js";
import { alignedPages } from "./driver.js";
import type { KernelConfig } from "./kernel.js";
import { type KernelOperation, type KernelResult, playKernel } from "./operations.js";
import { type Policy, PRESETS } from "./policy.js";

function config(policy: Policy): KernelConfig {
  const caches = { l1: [tlb(16, 16)], l2: [], psc: PSC };
  const reading = "cache" as const;
  const iommu = { ...caches, pasids: [5], devices: [], supervisorEntries: reading, cacheSupervisorLeaves: false };
  return {
    ...{
      version: "7.3",
      levels: 4,
      maxPhyAddr: 46,
      pages1G: true,
      poolBase: 0x1000,
      pool: 24,
      autoPurge: true,
      detect: true,
      ring: 8,
    },
    cpus: [{ ...caches, controls: PLAIN, invlpgScope: "pcid" }],
    iommus: [iommu],
    policy,
  };
}

const request = (page: bigint): KernelOperation => ({
  ...{ kind: "request", iommu: 0, device: undefined, pasid: 5, access: READ },
  address: VMALLOC + page * 0x1000n,
});
const START: KernelOperation[] = [
  { kind: "mm-create", mm: 1 },
  { kind: "sva-bind", iommu: 0, pasid: 5, mm: 1 },
  { kind: "vmalloc", address: VMALLOC, pages: 3, shift: 12 },
  request(0n),
  { kind: "vmalloc", address: VMALLOC, pages: LARGE_PAGES, shift: 21 },
];
const REUSE: KernelOperation = { kind: "reuse", type: 1, address: 0x12_3000n };

/** Results of what is interleaved, by main operation. */
function played(policy: Policy, operations: KernelOperation[], interleaved: [number, KernelOperation][]) {
  const results: [number, KernelResult[]][] = [];
  const k = playKernel(
    {
      config: config(policy),
      operations,
      interleaved: interleaved.map(([point, operation]) => ({ point, operation })),
    },
    (index, _operation, _result, _kernel, others) => {
      if (others.length > 0) results.push([index, others.map(({ result }) => result)]);
    },
  );
  return { k, results };
}

describe("points", () => {
  it("are those of the operations and one after each: four before the last operation, three and one in it", () => {
    expect(played(PRESETS.none, START, []).k.points.reached).toBe(4 + 3 + 1);
  });

  it("are where interleaved operations play, in their order; those reach points themselves, which count", () => {
    const purge: KernelOperation = { kind: "vfree", address: DIRECT, pages: 1, type: 1 };
    const { k, results } = played(PRESETS.none, START, [
      [4, purge],
      [4, purge],
      [9, REUSE],
      [3, REUSE],
      [99, REUSE],
    ]);
    // Points 5 and 6 are those of the purges; 7 and 8 of the vmalloc, 9 after it.
    expect(results).toEqual([
      [3, [0x1005]],
      [4, ["done", "done", 0x1004]],
    ]);
    expect([k.points.reached, k.counters.purges]).toEqual([10, 2]);
  });

  it("let what is interleaved at a point of an interleaved operation play inside it", () => {
    const purge: KernelOperation = { kind: "vfree", address: DIRECT, pages: 1, type: 1 };
    const { k, results } = played(PRESETS.none, START, [
      [4, purge],
      [5, purge],
      [6, REUSE],
      [7, REUSE],
    ]);
    expect(results).toMatchObject([[4, [0x1005, "done", "done", 0x1006]]]);
    expect(k.points.trail.map(({ name }) => name)).toEqual([
      ...["PMD_CLEARED", "PURGE_FLUSHED", "PURGE_FLUSHED", "PMD_FLUSHED", "PMD_PT_FREED", "OPERATION_DONE"],
    ]);
  });

  it("let a frame be used between the free and the next look: the operation number is that of the main one", () => {
    // Point 6 is after the free: data goes into the frame and the device looks, while the kernel is still in vmalloc.
    const { k } = played(PRESETS.none, START, [
      [4, request(1n)],
      [6, REUSE],
      [6, request(2n)],
    ]);
    expect(k.hazards.dump().records).toMatchObject([
      { operation: 4, freedIn: 4, kinds: ["write-after-free", "walk-of-reused-frame", "forged-translation"] },
    ]);
  });

  it("of the worker: after taking the list and after the invalidation", () => {
    const work: KernelOperation = { kind: "run-work" };
    const { k, results } = played(
      PRESETS["deferred-free"],
      [...START, work, work],
      [
        [8, request(1n)],
        [9, request(1n)],
        [9, REUSE],
      ],
    );
    // The PT's frame is not free yet at the worker's second point: data gets another one.
    expect(results).toMatchObject([
      [5, [{ reason: "supervisor-page", level: 1 }, { reason: "supervisor-page", level: 2 }, 0x1005]],
    ]);
    expect([k.points.reached, k.counters.iommuRounds, k.hazards.dump().records]).toEqual([8 + 3 + 1, 1, []]);
  });

  it("of the worker that invalidates first: one, after the invalidation", () => {
    const { k } = played(PRESETS["deferred-free-unlocked"], [...START, { kind: "run-work" }], []);
    expect(k.points.reached).toBe(8 + 1 + 1);
  });

  it("of asynchronous requests: one after each", () => {
    const flush: KernelOperation = { kind: "flush-all" };
    const { k } = played(PRESETS["flush-async"], [flush, flush, { kind: "run-work" }], []);
    expect(k.points.reached).toBe(2 + 2 + 1);
  });
});

describe("page-selective ranges (VT-d's aligned power of two)", () => {
  it.each([
    [0x1000n, 0x1fffn, 0x1000n, 0],
    [0x2000n, 0x4000n, 0x2000n, 1],
    [0x1000n, 0x3000n, 0n, 2],
    [0x0n, 0x3000n, 0n, 2],
    // Two pages across a 2 MiB line.
    [0x1f_f000n, 0x20_1000n, 0n, 10],
    [0xffff_8880_0000_0000n, 1n << 64n, 0xffff_8000_0000_0000n, 35],
    [0xff11_0000_0000_0000n, 1n << 64n, 0xff00_0000_0000_0000n, 44],
  ])("%s to %s", (start, end, address, am) => {
    expect(alignedPages({ start, end })).toEqual({ address, am });
  });
});
