// Small random worlds: a handful of table frames per level, entries at a few indices, random geometries and controls.
// Every random number shrinks towards the plainest choice: a present, writable user entry, a cache of one way, and so on.

import fc from "../support/fast-check.js";
import type { Controls } from "./access.js";
import type { PageSize, TranslationCacheConfig } from "./agent-config.js";
import type { CacheGeometry } from "./cache.js";
import type { CpuConfig } from "./cpu.js";
import { ACCESSED, DIRTY, EXECUTE_DISABLE, GLOBAL, type Level, PAGE_SIZE, PRESENT, USER, WRITABLE } from "./entry.js";
import type { IommuConfig, PasidBinding } from "./iommu-config.js";
import type { FrameConfig, MachineConfig } from "./machine.js";
import type { RamFrames } from "./memory.js";
import type { PasidEntry } from "./pasid-entry.js";

/** Entry indices in use in every table: both edges, both halves, and neighbours that share small sets. */
export const INDICES: readonly number[] = [0, 1, 2, 255, 256, 511];
/** PCIDs in use. */
export const PCIDS: readonly number[] = [0, 1, 4095];
/** PASIDs in use, all bound from the start. */
export const PASIDS: readonly number[] = [1, 7, 0xfffff];

/** Source-ids of the three devices of an IOMMU. */
export const SOURCE_IDS: readonly (readonly [number, number, number])[] = [
  [0, 1, 2],
  [0x8100, 0, 0xffff],
];
/** Domain ids in use by bindings: the drivers' most often. */
export const DOMAINS: readonly number[] = [1, 1, 2, 0xffff];

/** Two tables per level; some are aligned so that a large leaf can name the same frame. */
const TABLES: Readonly<Record<Level, readonly [number, number]>> = {
  1: [0x110, 0x600],
  2: [0x120, 0x800],
  3: [0x130, 0x131],
  4: [0x140, 0x141],
  5: [0x150, 0x151],
};
const DATA_FRAMES = [0x200, 0x333];
/** In no world's store at the start, but for RAM. */
export const ABSENT_FRAME = 0x7777;
/** Targets of leaves by level, aligned to their size. */
const PAGES: readonly (readonly number[])[] = [
  [],
  [0x200, 0x333, 0x334, 0x110, 0xfee7f],
  [0x200, 0x400, 0x600, 0x800, 0xfee00],
  [0x40000, 0x80000, 0, 0xc0000, 0x40000],
];

/** The two tables that serve as roots. */
export function roots(levels: 4 | 5): readonly [number, number] {
  return TABLES[levels];
}

/** RAM of some worlds: all tables of small numbers, one table alone, data and pages, and the frame that is absent elsewhere. */
const RAM: readonly RamFrames[] = [
  { first: 0x110, count: 0x50 },
  { first: 0x120, count: 0x21 },
  { first: 0x600, count: 1 },
  { first: 0x1f8, count: 0x13c },
  { first: ABSENT_FRAME - 1, count: 3 },
];

/** Frames in the store, with the level as which their entries are made (data frames: 1). */
export function framesOf(levels: 4 | 5): { frame: number; level: Level; state: "table" | "data" }[] {
  const ofLevel = ([1, 2, 3, 4, 5] as const).slice(0, levels);
  return [
    ...ofLevel.flatMap((level) => TABLES[level].map((frame) => ({ frame, level, state: "table" as const }))),
    ...DATA_FRAMES.map((frame) => ({ frame, level: 1 as const, state: "data" as const })),
  ];
}

/** A seed for `entryFromSeed`: 40 random bits. */
export const entrySeed = fc.noBias(fc.nat(2 ** 40 - 1));

/** An entry that suits a level, from a seed; 0 gives the plainest one, most seeds one that a walk passes. */
export function entryFromSeed(seed: number, level: Level, levels: 4 | 5): bigint {
  let rest = seed;
  const digit = (base: number): number => {
    const value = rest % base;
    rest = Math.floor(rest / base);
    return value;
  };
  let entry = 0n;
  if (digit(32) !== 31) entry |= PRESENT;
  if (digit(8) !== 7) entry |= WRITABLE;
  if (digit(10) !== 9) entry |= USER;
  if (digit(16) === 15) entry |= EXECUTE_DISABLE;
  if (digit(2) === 1) entry |= ACCESSED;
  if (digit(2) === 1) entry |= DIRTY;
  const large = digit(5) >= 3 && (level === 2 || level === 3);
  if (digit(3) === 2)
    entry |=
      (level < 4 ? GLOBAL : 0n) | (BigInt(seed & 0x7f) << 52n) | (BigInt(seed & 7) << 9n) | (BigInt(seed & 3) << 3n);
  const target = digit(5);
  const pat = digit(2) === 1;
  entry |= BigInt([0, 1, 7, 15][digit(4)] ?? 0) << 59n;
  const oddity = digit(64);

  if (level === 1 || large) {
    entry |= BigInt(PAGES[level]?.[target] ?? 0) << 12n;
    if (large) entry |= PAGE_SIZE;
    if (pat) entry |= level === 1 ? PAGE_SIZE : 1n << 12n;
  } else {
    const frame =
      oddity === 63
        ? [TABLES[levels][0], TABLES[level][0], DATA_FRAMES[0], DATA_FRAMES[1], ABSENT_FRAME][target]
        : TABLES[(level - 1) as Level][target % 2];
    entry |= BigInt(frame ?? 0) << 12n;
  }
  // Reserved on AMD.
  if (level >= 4 && oddity >= 58 && oddity < 62) entry |= GLOBAL;
  // Reserved under some of the physical-address widths, or at some levels.
  if (oddity === 62) entry |= [1n << 51n, 1n << 46n, 1n << 39n, PAGE_SIZE, 1n << 13n][target] ?? 0n;
  return entry;
}

/** Few ways and sets, so that they fill up; now and then as many as caches really have. */
const shapeOfCache = fc.oneof(
  { weight: 7, arbitrary: fc.record({ ways: fc.integer({ min: 1, max: 4 }), sets: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ ways: fc.integer({ min: 5, max: 17 }), sets: fc.integer({ min: 1, max: 9 }) }) },
);

const geometry: fc.Arbitrary<CacheGeometry> = fc
  .record({
    shape: shapeOfCache,
    replacement: fc.constantFrom("lru", "fifo", "random"),
    disabled: fc.noBias(fc.nat(9)),
  })
  .map(({ shape: { ways, sets }, replacement, disabled }) => ({
    entries: ways * sets,
    ways,
    replacement,
    enabled: disabled !== 9,
  }));

function translationCache(pageSizes: PageSize[]): fc.Arbitrary<TranslationCacheConfig> {
  return geometry.map((it) => ({ ...it, pageSizes }));
}

/** How page sizes are spread over the caches of a list. */
const SPLITS: readonly PageSize[][][] = [
  [["4K", "2M", "1G"]],
  [["4K"], ["2M"], ["1G"]],
  [["4K", "2M"], ["1G"]],
  [["1G"], ["4K", "2M"]],
  [["4K"]],
  [],
];

const cacheList: fc.Arbitrary<TranslationCacheConfig[]> = fc.oneof(
  ...SPLITS.map((split) => fc.tuple(...split.map(translationCache)) as fc.Arbitrary<TranslationCacheConfig[]>),
);

/** The caches of an agent. */
export function agentCaches(levels: 4 | 5): fc.Arbitrary<Pick<CpuConfig, "l1" | "l2" | "psc">> {
  const psc = fc.record(
    { 2: geometry, 3: geometry, 4: geometry, ...(levels === 5 ? { 5: geometry } : {}) },
    { requiredKeys: [] },
  );
  return fc.record({ l1: cacheList, l2: cacheList, psc });
}

/** Random controls; NXE and CR0.WP are on more often than not. */
export const controls: fc.Arbitrary<Controls> = fc
  .record({
    set: fc.noBias(fc.nat(0x3ff)),
    pkru: fc.constantFrom(0, 0xffff_ffff, 0x5555_5554, 0xaaaa_aaa8, 0x0000_c004),
  })
  .map(({ set, pkru }) => ({
    nxe: (set & 0b11) !== 3,
    wp: (set & 0b1100) !== 0b1100,
    smep: (set & 0x10) !== 0,
    smap: (set & 0x20) !== 0,
    pke: (set & 0x40) !== 0,
    pge: (set & 0x80) === 0,
    pcide: (set & 0x100) === 0,
    ac: (set & 0x200) !== 0,
    pkru,
  }));

/** The root of a PASID-table entry: seldom one that some widths of physical addresses do not reach. */
export function pasidRoot(levels: 4 | 5): fc.Arbitrary<number> {
  const [one, other] = roots(levels);
  return fc.constantFrom(one, other, one, other, one, other, one, other, 2 ** 34 + one);
}

/** Fields of a PASID-table entry that are not as usual: none, or one that hardware refuses, or one that changes nothing. */
export function pasidFields(levels: 4 | 5): fc.Arbitrary<Partial<Omit<PasidEntry, "root">>> {
  const modes = levels === 5 ? [2, 3] : [1, 2, 3];
  const odd = [
    ...[{ p: false }, { pgtt: 0 }, { pgtt: 3 }, { sre: true }, { eafe: true }, { p: false, fpd: true }],
    ...modes.map((fspm) => ({ fspm })),
    ...[
      { fpd: true },
      { fpd: true },
      { fpd: true },
      { wpe: true },
      { aw: 3, fpd: true },
      { sre: true, pgtt: 2, fpd: true },
    ],
  ];
  return fc.noBias(fc.nat(7)).chain((it) => (it === 7 ? fc.constantFrom(...odd) : fc.constant({})));
}

/** The TLB of a device, or none. */
export const deviceTlb: fc.Arbitrary<TranslationCacheConfig | undefined> = fc.option(
  fc.oneof(translationCache(["4K", "2M", "1G"]), translationCache(["4K"])),
  { nil: undefined, freq: 4 },
);

/** How walks are made; step by step more often than not. */
export const walkOptions = {
  walks: fc.constantFrom<("atomic" | "stepwise")[]>("stepwise", "stepwise", "stepwise", "atomic"),
  drain: fc.constantFrom<("all" | "page" | "none")[]>("all", "page", "none"),
};
/** Whose CPU it is. */
export const vendor = fc.constantFrom<("intel" | "amd")[]>("intel", "amd");
/** What a device with a TLB does. */
export const deviceOptions = fc.record({ pageRequests: fc.boolean(), noWrite: fc.boolean() });

function cpu(levels: 4 | 5): fc.Arbitrary<CpuConfig> {
  return fc
    .record({
      caches: agentCaches(levels),
      root: fc.constantFrom(...roots(levels)),
      pcid: fc.constantFrom(...PCIDS),
      controls,
      invlpgScope: fc.constantFrom("pcid", "all", "path"),
      vendor,
      ...walkOptions,
    })
    .map(({ caches, ...rest }) => ({ ...caches, ...rest }));
}

function iommu(levels: 4 | 5): fc.Arbitrary<IommuConfig> {
  const pasids = fc.tuple(
    ...PASIDS.map(
      (pasid): fc.Arbitrary<PasidBinding> =>
        fc.record({
          pasid: fc.constant(pasid),
          root: pasidRoot(levels),
          fields: pasidFields(levels),
          domain: fc.constantFrom(...DOMAINS),
        }),
    ),
  );
  return fc
    .record({
      caches: agentCaches(levels),
      pasids,
      devices: fc.tuple(deviceTlb, deviceTlb, deviceTlb),
      sourceIds: fc.constantFrom(...SOURCE_IDS.map((ids) => [...ids])),
      dialect: fc.constantFrom("vtd", "amd"),
      supervisorEntries: fc.constantFrom("cache", "cache", "walk", "stop"),
      deviceOptions: fc.tuple(deviceOptions, deviceOptions, deviceOptions),
      noWriteRequests: fc.boolean(),
      cacheSupervisorLeaves: fc.boolean(),
      ...walkOptions,
    })
    .map(({ caches, deviceOptions, ...rest }) => ({
      ...caches,
      ...rest,
      // Page requests are VT-d's.
      deviceOptions: deviceOptions.map((it) => ({ ...it, pageRequests: it.pageRequests && rest.dialect === "vtd" })),
    }));
}

/** What decides which operations make sense in a world. */
export interface Shape {
  levels: 4 | 5;
  /** 1..3. */
  cpus: number;
  /** 1..3, each with three devices. */
  iommus: number;
}

/** A machine of a shape, with its tables filled. */
export function machineConfig({ levels, cpus, iommus }: Shape): fc.Arbitrary<MachineConfig> {
  const frames = framesOf(levels);
  const seedCount = frames.length * INDICES.length;
  return fc
    .record({
      maxPhyAddr: fc.constantFrom(52, 32, 39, 46),
      ram: fc.constantFrom(undefined, undefined, undefined, ...RAM),
      no1G: fc.noBias(fc.nat(7)),
      seeds: fc.array(entrySeed, { minLength: seedCount, maxLength: seedCount }),
      cpus: fc.array(cpu(levels), { minLength: cpus, maxLength: cpus }),
      iommus: fc.array(iommu(levels), { minLength: iommus, maxLength: iommus }),
    })
    .map(({ maxPhyAddr, no1G, seeds, ...agents }) => ({
      levels,
      maxPhyAddr,
      pages1G: no1G !== 7,
      frames: frames.map(
        ({ frame, level, state }, row): FrameConfig => ({
          frame,
          state,
          entries: INDICES.map((index, column) => {
            const seed = seeds[row * INDICES.length + column] ?? 0;
            return [index, entryFromSeed(seed, level, levels)];
          }),
        }),
      ),
      ...agents,
    }));
}
