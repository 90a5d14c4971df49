// A builder of small kernels for the model's own tests: a machine with plenty of cache, and helpers that read like sentences.

import { KERNEL_READ, PLAIN, PSC, READ, tlb } from "../builder.js";
import { entryIndex, frameOf, type Level, PRESENT } from "../entry.js";
import type { Outcome } from "../walk.js";
import { Kernel, type KernelConfig, type KernelCpuConfig, type KernelIommuConfig } from "./kernel.js";
import { type KernelCall, type KernelResult, stepKernel } from "./operations.js";
import { type Policy, PRESETS } from "./policy.js";
import { entryAt, findTable } from "./tables.js";

/** Start of vmalloc space and of the direct map, 4 levels; both 1 GiB aligned. */
export const VMALLOC = 0xffff_c900_0000_0000n;
export const DIRECT = 0xffff_8880_0000_0000n;
export const MIB2 = 0x20_0000n;
export const GIB = 0x4000_0000n;
/** An address in the user half. */
export const HEAP = 0x5500_0000_0000n;
/** 4 KiB pages of 2 MiB and of 1 GiB. */
export const LARGE_PAGES = 512;
export const HUGE_PAGES = 512 * 512;
/** First frame of the pool: init_mm's root. */
export const POOL = 0x1000;
/** PASID of tag 0 and of tag 1. */
export const PASID = 5;
export const OTHER_PASID = 6;

const CPU: KernelCpuConfig = { controls: PLAIN, invlpgScope: "pcid", l1: [tlb(32, 32)], l2: [], psc: PSC };
const IOMMU: KernelIommuConfig = {
  pasids: [PASID, OTHER_PASID],
  l1: [tlb(32, 32)],
  l2: [],
  psc: PSC,
  devices: [tlb(16, 16), undefined],
  supervisorEntries: "cache",
  cacheSupervisorLeaves: true,
};

/** What a test's kernel differs in. */
export type KernelOptions = Partial<Omit<KernelConfig, "policy" | "cpus">> & {
  policy?: Partial<Policy> | undefined;
  /** Number of CPUs, 1 by default. */
  cpus?: number;
  cpu?: Partial<KernelCpuConfig>;
};

/** A kernel on 4 levels with a pool of 24 frames from `POOL`, one CPU, and one IOMMU with two devices, the first with a TLB. */
export function kernel(options: KernelOptions = {}): Kernel {
  return new Kernel(kernelOptions(options));
}

/** What such a kernel is made of. */
export function kernelOptions({ policy, cpus = 1, cpu, ...config }: KernelOptions = {}): KernelConfig {
  return {
    version: "6.18.7",
    levels: 4,
    maxPhyAddr: 46,
    pages1G: true,
    poolBase: POOL,
    pool: 24,
    iommus: [IOMMU],
    autoPurge: true,
    detect: true,
    ring: 64,
    ...config,
    policy: { ...PRESETS.none, ...policy },
    cpus: Array.from({ length: cpus }, () => ({ ...CPU, ...cpu })),
  };
}

/** Run kernel operations; the result of the last. */
export function run(k: Kernel, ...calls: KernelCall[]): KernelResult {
  return calls.map((call) => stepKernel(k, call)).at(-1) ?? "done";
}

/** A kernel with mm 1 bound to `PASID` and running on CPU 0. */
export function boundKernel(options: KernelOptions = {}): Kernel {
  const k = kernel(options);
  run(k, { kind: "mm-create", mm: 1 }, { kind: "switch-mm", cpu: 0, mm: 1 });
  run(k, { kind: "sva-bind", iommu: 0, pasid: PASID, mm: 1 });
  return k;
}

/** A device's user read, straight to the IOMMU: it walks kernel addresses down to the leaf and is refused there. */
export function deviceRead(k: Kernel, address: bigint, pasid = PASID): Outcome {
  return k.iommu(0).request(pasid, address, READ);
}

/** A CPU's supervisor read. */
export function cpuRead(k: Kernel, address: bigint, cpu = 0): Outcome {
  return k.cpu(cpu).access(address, KERNEL_READ);
}

/** The entry of a level for an address under init_mm's root (or another); 0 if its table is not there. */
export function entryOf(k: Kernel, address: bigint, level: Level, root = k.spaces.initMm): bigint {
  const table = findTable(k, root, address, level);
  return typeof table === "string" ? 0n : entryAt(k, table, address);
}

/** Frame of the table that an entry of a level names. */
export function tableOf(k: Kernel, address: bigint, level: Level): number {
  return frameOf(entryOf(k, address, level));
}

/** Call a function at every point that is reached from now on; what it returned, in order. */
export function atPoints<T>(k: Kernel, look: (point: number) => T): T[] {
  const seen: T[] = [];
  const operation = { kind: "purge" } as const;
  const interleaved = Array.from({ length: 100 }, (_, point) => ({ point: k.points.reached + point, operation }));
  k.points.carry(interleaved, () => seen.push(look(k.points.reached - 1)));
  return seen;
}

/** Whether an entry is present, at its level. */
export const isPresent = (entry: bigint): boolean => (entry & PRESENT) !== 0n;

/** Index of the entry for an address at a level. */
export { entryIndex };

/** Hazards by kind, over all sites. */
export function kindsOf(k: Kernel): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const [name, count] of Object.entries(k.hazards.dump().counts)) {
    const kind = name.split("/")[0] ?? name;
    totals[kind] = (totals[kind] ?? 0) + count;
  }
  return totals;
}
