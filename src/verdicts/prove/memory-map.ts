// Where in memory stands what a form tells otherwise than word by word: parts of caches, fields of walks under way. As indices of words.

import {
  asids,
  cachePaths,
  cacheShapeAt,
  cacheStateAt,
  contextCached,
  contextFormat,
  cpuSpacesAt,
  groupAt,
  initMm,
  setAt,
  walkStateAt,
} from "../../engine/abi.js";
import type { Range } from "./lens.js";

/** PCIDs of user mode have another bit. */
const OF_ASID = 0x7ff;

/** Fields of a walk under way that are told otherwise than as they stand. */
const TOLD_FIELDS: readonly number[] = [
  ...[walkStateAt.generation, walkStateAt.site, walkStateAt.record, walkStateAt.record + 4, walkStateAt.wrote],
  ...[walkStateAt.entry, walkStateAt.entry + 4, walkStateAt.at, walkStateAt.below],
];
const words = (from: number, to: number): number[] => Array.from({ length: (to - from) / 4 }, (_, i) => from + 4 * i);
/** The others, and what a walk has of a context but for what that makes of its controls (places.ts), by words of the walk. */
export const PLAIN_FIELDS = Int32Array.from(
  words(0, walkStateAt.context).filter((at) => !TOLD_FIELDS.includes(at)),
  (at) => at >> 2,
);
export const CONTEXT_WORDS = Int32Array.from(
  [
    ...words(walkStateAt.context, walkStateAt.context + contextFormat),
    ...words(walkStateAt.context + contextCached, walkStateAt.size),
  ],
  (at) => at >> 2,
);
/** A cache, by where its parts stand, as indices of words. */
export interface CachePlaces {
  /** First keys of its sets. */
  sets: readonly number[];
  ways: number;
  data: number;
  /** From a first key back to when its set was swept, and to its partial tags: one byte a way, 0 if it is empty. */
  swept: number;
  partials: number;
  /** 0 if it holds leaves. */
  links: number;
  group: number;
  tags: number;
  /** Counters: fills, those of what was there already, and those into an empty way. */
  fills: number;
  refills: number;
  added: number;
  /** Of a CPU's: what it runs and which ASIDs it has, as an index; else 0. */
  spaces: number;
}

/** Words by their numbers, which ascend, as ranges. */
export function rangesOf(numbers: Int32Array): Range[] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.[1] === 4 * number) last[1] += 4;
    else ranges.push([4 * number, 4 * number + 4]);
  }
  return ranges;
}

/** Where the parts of a cache stand. `spaces`: {@link CachePlaces.spaces}. */
export function placesIn(memory: Uint32Array, cache: number, spaces: number): CachePlaces {
  const word = (at: number): number => memory[at >>> 2] as number;
  const field = (offset: number): number => word(cache + offset);
  const base = field(cacheShapeAt.base);
  const setBytes = field(cacheShapeAt.setBytes);
  const group = field(cacheStateAt.group);
  const keys = field(cacheShapeAt.keys);
  return {
    sets: Array.from({ length: field(cacheShapeAt.sets) }, (_, set) => (base + set * setBytes + keys) >>> 2),
    ways: field(cacheShapeAt.ways),
    data: field(cacheShapeAt.data) >>> 2,
    swept: (setAt.swept - keys) >> 2,
    partials: (setAt.partials - keys) >> 2,
    links: (field(cacheShapeAt.levels) & Number(cachePaths)) === 0 ? 0 : field(cacheShapeAt.links) >>> 2,
    group: group >>> 2,
    tags: word(group + groupAt.tags) >>> 2,
    fills: (cache + cacheStateAt.fills) >>> 2,
    refills: (cache + cacheStateAt.refills) >>> 2,
    added: (cache + cacheStateAt.added) >>> 2,
    spaces,
  };
}

/**
 * Whether nothing that is cached under a PCID will ever answer again: no CR3 is loaded with it but by a switch that makes its ASID another
 * mm's, or the same one's anew, and that drops what the PCID has, in kernel mode and in user mode (switchMm() in the engine).
 */
export function isDropped(memory: Uint32Array, spaces: number, pcid: number): boolean {
  const asid = (pcid & OF_ASID) - 1;
  if (asid < 0 || asid >= asids || asid === memory[spaces + cpuSpacesAt.asid / 4]) return false;
  // The next switch forgets who has the other ASIDs.
  if (memory[spaces + cpuSpacesAt.othersStale / 4] !== 0) return true;
  return memory[spaces + cpuSpacesAt.asids / 4 + 2 * asid] === initMm;
}
