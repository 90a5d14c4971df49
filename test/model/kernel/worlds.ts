// fast-check arbitraries of kernels: any agents, caches and policies, and a pool that random programs can exhaust.

import fc from "../../support/fast-check.js";
import type { Controls } from "../access.js";
import type { RamFrames } from "../memory.js";
import { agentCaches, deviceOptions, deviceTlb, vendor, walkOptions } from "../worlds.js";
import type { KernelConfig } from "./kernel.js";
import { type Policy, PRESETS } from "./policy.js";
import { SITE } from "./sites.js";
import { VERSIONS } from "./versions.js";

/** PASIDs of every IOMMU of the worlds, in the order of their indexes. */
export const KERNEL_PASIDS: readonly number[] = [1, 7, 0xfffff];
/** What decides which operations make sense. */
export interface Shape {
  levels: 4 | 5;
  cpus: number;
  iommus: number;
}

/** Every field of a policy, in its order; those that are not flags are replaced. */
const FLAGS = Object.fromEntries(Object.keys(PRESETS.none).map((name) => [name, fc.boolean()]));

/** A preset, or any combination. */
const policy: fc.Arbitrary<Policy> = fc.oneof(
  fc.constantFrom<Policy>(...Object.values(PRESETS)),
  fc.record({
    ...FLAGS,
    scope: fc.constantFrom("range", "pasid", "all"),
    deferSites: fc.subarray(Object.values(SITE)),
    root: fc.constantFrom("shared", "shared", "user-only", "none"),
  } as { [Name in keyof Policy]: fc.Arbitrary<Policy[Name]> }),
);

/** Supervisor data accesses to user pages are allowed more often than not; PCIDs and globals are usual. */
const controls: fc.Arbitrary<Controls> = fc.noBias(fc.nat(0xffff)).map((set) => ({
  wp: (set & 1) === 0,
  smep: (set & 6) === 6,
  smap: (set & 0x18) === 0x18,
  pke: (set & 0x1300) === 0x1300,
  pge: (set & 0x60) !== 0x60,
  pcide: (set & 0x80) === 0 || (set & 2) === 0,
  nxe: (set & 0xc400) !== 0xc400,
  ac: (set & 4) === 0,
  pkru: [0, 0x5555_5554, 1, 2][(set >> 6) & 3] ?? 0,
}));

/** RAM that holds the pool, a part of it, or frames that forged entries name. */
function ramAround({ poolBase, pool }: { poolBase: number; pool: number }): RamFrames[] {
  return [
    { first: poolBase - 3, count: pool + 5 },
    { first: poolBase + 2, count: 7 },
    { first: poolBase + pool - 4, count: 9 },
    { first: 0x1_2340, count: 16 },
  ];
}

/** A kernel of a shape. */
export function kernelConfig({ levels, cpus, iommus }: Shape): fc.Arbitrary<KernelConfig> {
  const cpu = fc
    .record({
      caches: agentCaches(levels),
      controls,
      invlpgScope: fc.constantFrom("pcid", "all", "path"),
      vendor,
      ...walkOptions,
    })
    .map(({ caches, ...rest }) => ({ ...caches, ...rest }));
  const iommu = fc
    .record({
      caches: agentCaches(levels),
      // Many device TLBs: more descriptors in a round than Intel's driver submits at once.
      devices: fc.oneof(
        { weight: 6, arbitrary: fc.array(deviceTlb, { minLength: 2, maxLength: 2 }) },
        { weight: 1, arbitrary: fc.array(deviceTlb, { minLength: 6, maxLength: 6 }) },
      ),
      supervisorEntries: fc.constantFrom("cache", "cache", "cache", "cache", "walk", "stop"),
      cacheSupervisorLeaves: fc.boolean(),
      dialect: fc.constantFrom("vtd", "vtd", "amd"),
      deviceOptions: fc.array(deviceOptions, { minLength: 6, maxLength: 6 }),
      noWriteRequests: fc.boolean(),
      ...walkOptions,
    })
    .map(({ caches, deviceOptions, ...rest }) => ({
      ...caches,
      ...rest,
      // Page requests are VT-d's.
      deviceOptions: deviceOptions.map((it) => ({ ...it, pageRequests: it.pageRequests && rest.dialect === "vtd" })),
      pasids: [...KERNEL_PASIDS],
    }));
  return fc
    .record({
      version: fc.constantFrom(...VERSIONS, "6.18.7", "7.0", "7.3"),
      pti: fc.noBias(fc.nat(2)).map((it) => it === 2),
      invlpgb: fc.noBias(fc.nat(5)).map((it) => it === 5),
      levels: fc.constant(levels),
      maxPhyAddr: fc.constantFrom(39, 46, 52),
      pages1G: fc.noBias(fc.nat(7)).map((it) => it !== 7),
      poolBase: fc.constantFrom(0x1000, 0x345),
      // Enough for every mm's roots, now and then.
      pool: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 12, max: 40 }) },
        { weight: 1, arbitrary: fc.constant(64) },
      ),
      cpus: fc.array(cpu, { minLength: cpus, maxLength: cpus }),
      iommus: fc.array(iommu, { minLength: iommus, maxLength: iommus }),
      policy,
      autoPurge: fc.noBias(fc.nat(3)).map((it) => it !== 3),
      detect: fc.noBias(fc.nat(9)).map((it) => it !== 9),
      ring: fc.constantFrom(1, 4, 64),
    })
    .chain((config) => fc.constantFrom(undefined, undefined, ...ramAround(config)).map((ram) => ({ ...config, ram })))
    .map((config) => ({
      ...config,
      // INVLPGB is AMD's.
      cpus: config.cpus.map((it) => (config.invlpgb ? { ...it, vendor: "amd" as const } : it)),
    }));
}
