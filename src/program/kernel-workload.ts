// Synthetic kernel programs from the engine's own seeded generator (assembly/program/kernel-workload.ts).

import { checkAddress, checkInteger, InvalidOptionError } from "../base/errors.js";
import type { Engine } from "../engine/instance.js";

/** Operations of each kind per million; what is left over is DMA. */
export interface KernelMix {
  /** A CPU reads a mapped page of vmalloc space or of the user's. Default 100,000. */
  cpuAccess?: number;
  /** An area of vmalloc space is mapped (or unmapped, if it is mapped). Default 60,000. */
  vmalloc?: number;
  /** An area is unmapped (or the lazy purge runs, if it is not mapped). Default 60,000. */
  vfree?: number;
  /** `flush_tlb_kernel_range()` of 1 to 64 pages. Default 10,000. */
  flushRange?: number;
  /** `flush_tlb_all()`. Default 1,000. */
  flushAll?: number;
  /** User pages are unmapped and mapped again (two records). Default 20,000. */
  userRemap?: number;
  /** A CPU switches to another address space. Default 20,000. */
  switchMm?: number;
  /** Deferred work runs. Default 10,000. */
  work?: number;
}

/** A synthetic kernel workload. The address spaces exist, their user pages are mapped, and PASIDs are bound beforehand. */
export interface KernelWorkloadOptions {
  /** Default 1. */
  seed?: bigint;
  mix?: KernelMix;
  /** Areas of 2 MiB in vmalloc space, from this address on. Default 64 from 0xffffc90000000000 (4 levels). */
  areas?: { base?: bigint; count?: number };
  /** User pages that DMA reads and writes, in every address space. */
  user: { base: bigint; pages: number };
  /** Address spaces 0 to this - 1 take part. Default 1. */
  mms?: number;
  /** Requesters of devices: first and how many. */
  devices: { first: number; count: number };
  /** Share of DMA aimed at vmalloc space, 0 to 1. Default 0.1. */
  probes?: number;
  /** Share of areas that are mapped by a 2 MiB leaf, 0 to 1; such a leaf frees the table that was there. Default 0.25. */
  huge?: number;
}

/** Most areas of a workload. @internal */
export const maxAreas = 4096;

const KINDS = ["cpuAccess", "vmalloc", "vfree", "flushRange", "flushAll", "userRemap", "switchMm", "work"] as const;
const DEFAULT_MIX: Required<KernelMix> = {
  cpuAccess: 100_000,
  vmalloc: 60_000,
  vfree: 60_000,
  flushRange: 10_000,
  flushAll: 1_000,
  userRemap: 20_000,
  switchMm: 20_000,
  work: 10_000,
};

/** Checks a workload and starts it in the engine. @internal @throws InvalidOptionError */
export function startKernelWorkload({ exports }: Engine, options: KernelWorkloadOptions, cpus: number): void {
  const mix = { ...DEFAULT_MIX, ...options.mix };
  let sum = 0;
  for (const [kind, name] of KINDS.entries()) {
    const perMillion = mix[name];
    if (!(perMillion >= 0 && perMillion <= 1e6)) {
      throw new InvalidOptionError(`mix.${name}`, perMillion, "0 to 1000000 per million operations");
    }
    sum += perMillion;
    exports.setKernelWeight(kind, Math.round((perMillion * 2 ** 16) / 1e6));
  }
  if (sum > 1e6) throw new InvalidOptionError("mix", `${sum} per million in all`, "at most 1000000");
  const { devices, user, areas = {} } = options;
  checkInteger("devices.first", devices.first, 0, 1023);
  checkInteger("devices.count", devices.count, 1, 255);
  exports.setKernelActors(cpus, checkInteger("mms", options.mms ?? 1, 1, 4096), devices.first, devices.count);
  exports.startKernelWorkload(
    checkAddress("seed", options.seed ?? 1n),
    checkAddress("areas.base", areas.base ?? 0xffff_c900_0000_0000n),
    checkInteger("areas.count", areas.count ?? 64, 1, maxAreas),
    checkAddress("user.base", user.base),
    checkInteger("user.pages", user.pages, 1, 1 << 24),
    share("probes", options.probes ?? 0.1),
    share("huge", options.huge ?? 0.25),
  );
}

function share(field: string, value: number): number {
  if (!(value >= 0 && value <= 1)) throw new InvalidOptionError(field, value, "a number from 0 to 1");
  return Math.round(value * 1024);
}
