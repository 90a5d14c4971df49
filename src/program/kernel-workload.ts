// Synthetic kernel programs from the engine's own seeded generator (assembly/program/kernel-workload.ts).

import { checkAddress, InvalidOptionError } from "../base/errors.js";
import { address, integer, number, object, oneOf, optional, parse, seed } from "../base/schema.js";
import type { Seed } from "../base/seed.js";
import { kernelPatterns, kernelWorkloadKinds, kindScale, maxMms, maxRequesters, shareScale } from "../engine/abi.js";
import type { Engine } from "../engine/instance.js";
import { MAX_AREAS, MAX_DEVICES, MAX_USER_PAGES } from "../engine/limits.js";

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

/**
 * How accesses of a synthetic kernel workload choose their pages. `streams`: a device goes through its working set page after page,
 * 8 accesses to each. `zipf`: page n of the working set is about as likely as 1 / n. With both, CPUs choose areas and pages
 * by the same law as `zipf`. `uniform`: every page is as likely as any other, for devices and CPUs; hardly a page comes back before the
 * caches have lost it.
 */
export type KernelPattern = (typeof kernelPatterns)[number];

/** A synthetic kernel workload. The address spaces exist, their user pages are mapped, and PASIDs are bound beforehand. */
export interface KernelWorkloadOptions {
  /** Default 1. */
  seed?: Seed;
  /** Operations per million of each kind. Defaults: see {@link KernelMix}. */
  mix?: KernelMix;
  /** Areas of 2 MiB in vmalloc space, from this address on. Default 64 from 0xffffc90000000000 (4 levels). */
  areas?: { base?: bigint; count?: number };
  /** User pages that DMA reads and writes, in every address space. */
  user: { base: bigint; pages: number };
  /** Address spaces 0 to this - 1 take part. Default 1. */
  mms?: number;
  /** Requesters of devices: first and how many. */
  devices: { first: number; count: number };
  /** How accesses choose their pages. Default `streams`. */
  pattern?: KernelPattern;
  /** User pages that a device works on at a time, side by side. Default 64, at most all; of no effect under `uniform`. */
  workingSet?: number;
  /** Accesses of a device until its working set is another. Default 4,096; of no effect under `uniform`. */
  stay?: number;
  /** Share of DMA aimed at vmalloc space, 0 to 1. Default 0.1. */
  probes?: number;
  /** Share of areas that are mapped by a 2 MiB leaf, 0 to 1; such a leaf frees the table that was there. Default 0.25. */
  huge?: number;
}

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

const share = number(0, 1);

const kernelWorkloadSchema = object({
  seed: optional(seed()),
  mix: optional(
    object(
      Object.fromEntries(
        kernelWorkloadKinds.map((kind) => [kind, optional(number(0, 1e6, "0 to 1000000 per million operations"))]),
      ),
    ),
  ),
  areas: optional(object({ base: optional(address()), count: optional(integer(1, MAX_AREAS)) })),
  user: object({ base: address(), pages: integer(1, MAX_USER_PAGES) }, "the user pages: { base, pages }"),
  mms: optional(integer(1, maxMms)),
  devices: object(
    { first: integer(0, maxRequesters - 1), count: integer(1, MAX_DEVICES) },
    "requesters: { first, count }",
  ),
  pattern: optional(oneOf(kernelPatterns)),
  workingSet: optional(integer(1, MAX_USER_PAGES)),
  stay: optional(integer(1, 2 ** 32 - 1)),
  probes: optional(share),
  huge: optional(share),
});

/** Checks a workload and starts it in the engine. @internal @throws InvalidOptionError */
export function startKernelWorkload({ exports }: Engine, options: KernelWorkloadOptions, cpus: number): void {
  const checked = parse(kernelWorkloadSchema, options, "") as KernelWorkloadOptions;
  const { seed = 1n, devices, user, mms = 1, areas = {}, probes = 0.1, huge = 0.25 } = checked;
  const { pattern = "streams", workingSet = 64, stay = 4096 } = checked;
  const mix = { ...DEFAULT_MIX, ...checked.mix };
  const sum = kernelWorkloadKinds.reduce((all, name) => all + mix[name], 0);
  if (sum > 1e6) throw new InvalidOptionError("mix", `${sum} per million in all`, "at most 1000000");
  for (const [kind, name] of kernelWorkloadKinds.entries())
    exports.setKernelWeight(kind, Math.round((mix[name] * kindScale) / 1e6));
  exports.setKernelActors(cpus, mms, devices.first, devices.count);
  exports.startKernelWorkload(
    BigInt(seed),
    checkAddress("areas.base", areas.base ?? 0xffff_c900_0000_0000n),
    areas.count ?? 64,
    checkAddress("user.base", user.base),
    user.pages,
    Math.round(probes * shareScale),
    Math.round(huge * shareScale),
  );
  exports.setKernelPattern(kernelPatterns.indexOf(pattern), workingSet, stay);
}
