// Invalidations of all caches of an agent; cpu.ts and iommu.ts say which instruction or descriptor does which.

import { flushAll, flushAllButGlobal, flushPage, flushRange, flushTag } from "../cache/flush";
import { CACHE_SEEN, CACHE_TAG_COUNT } from "../cache/layout";
import { MAX_LEAF_LEVEL, shiftOf } from "../paging/format";
import { levels } from "../paging/mode";
import { AGENT_L1, AGENT_L2, pscOf } from "./agent";

/** Paging-structure caches hold one kind of entry; this stands for the level in their keys. */
export const PSC_KEY: u32 = 1;

/** What a flush leaves alive. */
export const NOTHING: u32 = 0;
export const GLOBALS: u32 = 1;
export const GLOBALS_AND_OTHER_TAGS: u32 = 2;

// @ts-ignore: decorator
@inline
function flushCache(cache: usize, keep: u32, tag: u32): void {
  assert(keep <= GLOBALS_AND_OTHER_TAGS, "there is no such flush");
  if (keep == NOTHING) flushAll(cache);
  else if (keep == GLOBALS) flushAllButGlobal(cache);
  // A workload's PCID may be no PASID of an IOMMU: then nothing here has the tag.
  else if (tag < load<u32>(cache, CACHE_TAG_COUNT)) flushTag(cache, tag);
}

export function flushTranslations(agent: usize, keep: u32, tag: u32): void {
  let cache: usize;
  for (let list = agent + AGENT_L1; (cache = load<usize>(list)) != 0; list += sizeof<usize>()) flushCache(cache, keep, tag);
  for (let list = agent + AGENT_L2; (cache = load<usize>(list)) != 0; list += sizeof<usize>()) flushCache(cache, keep, tag);
}

export function flushPagingStructures(agent: usize, keep: u32, tag: u32): void {
  for (let level: u32 = 2; level <= levels; level++) {
    const psc = pscOf(agent, level);
    if (psc != 0) flushCache(psc, keep, tag);
  }
}

export function flushBoth(agent: usize, keep: u32, tag: u32): void {
  flushTranslations(agent, keep, tag);
  flushPagingStructures(agent, keep, tag);
}

/** Drops leaves of a tag (and, if asked, global ones) that overlap the translated addresses `first`..`last`. */
export function dropTranslationRange(agent: usize, first: u64, last: u64, tag: u32, globals: bool): void {
  let cache: usize;
  for (let list = agent + AGENT_L1; (cache = load<usize>(list)) != 0; list += sizeof<usize>())
    flushRange(cache, first, last, tag, globals);
  for (let list = agent + AGENT_L2; (cache = load<usize>(list)) != 0; list += sizeof<usize>())
    flushRange(cache, first, last, tag, globals);
}

/** Drops the paging-structure-cache entries of a tag, of every level, whose span overlaps `first`..`last`. */
export function dropPathRange(agent: usize, first: u64, last: u64, tag: u32): void {
  for (let level: u32 = 2; level <= levels; level++) {
    const psc = pscOf(agent, level);
    if (psc != 0) flushRange(psc, first, last, tag, false);
  }
}

/** Drops the leaves that cover an address, all sizes, of a tag and (if asked) global. */
export function dropTranslations(agent: usize, page: u64, tag: u32, globals: bool): void {
  dropFromList(agent + AGENT_L1, page, tag, globals);
  dropFromList(agent + AGENT_L2, page, tag, globals);
}

function dropFromList(list: usize, page: u64, tag: u32, globals: bool): void {
  let cache: usize;
  while ((cache = load<usize>(list)) != 0) {
    const seen = load<u32>(cache, CACHE_SEEN);
    for (let level: u32 = 1; level <= MAX_LEAF_LEVEL; level++) {
      if (seen & (1 << level)) flushPage(cache, page >> shiftOf(level), level, tag, globals);
    }
    list += sizeof<usize>();
  }
}

/** Drops the paging-structure-cache entries that would be used for an address. */
export function dropPath(agent: usize, page: u64, tag: u32): void {
  for (let level: u32 = 2; level <= levels; level++) {
    const psc = pscOf(agent, level);
    if (psc != 0) flushPage(psc, page >> shiftOf(level), PSC_KEY, tag, false);
  }
}
