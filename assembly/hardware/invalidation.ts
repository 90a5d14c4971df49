// Invalidations of all caches of an agent; cpu.ts and iommu.ts say which instruction or descriptor does which.

import { DOMAINS_OF_PASID } from "../base/limits";
import { flushAll, flushAllButGlobal, flushPage, flushRange, flushTag, flushTags } from "../cache/flush";
import { GROUP_SEEN } from "../cache/group";
import { CACHE_LEVELS, PATH_LEVEL } from "../cache/layout";
import { MAX_LEAF_LEVEL, shiftOf } from "../paging/format";
import { levels } from "../paging/mode";
import { AGENT_L1, AGENT_L2, AGENT_SMALL_FIRST, hasFlag, IS_CPU, leavesOf, pathsOf, pscOf, SMALL } from "./agent";
import { agentOf, CONTEXT_SOURCES, nameOf } from "./context";
import { mayBeLarge } from "./hit";

/** What a flush leaves alive. */
export const NOTHING: u32 = 0;
export const GLOBALS: u32 = 1;
export const GLOBALS_AND_OTHER_TAGS: u32 = 2;

// @ts-ignore: decorator
@inline
export function flush(group: usize, keep: u32, tag: u32): void {
  assert(keep <= GLOBALS_AND_OTHER_TAGS, "there is no such flush");
  if (keep == NOTHING) flushAll(group);
  else if (keep == GLOBALS) flushAllButGlobal(group);
  else flushTag(group, tag);
}

function flushGroup(group: usize, keep: u32, tag: u32): void {
  flush(group, keep, tag);
}

export function flushTranslations(agent: usize, keep: u32, tag: u32): void {
  flushGroup(leavesOf(agent), keep, tag);
}

export function flushPagingStructures(agent: usize, keep: u32, tag: u32): void {
  flushGroup(pathsOf(agent), keep, tag);
}

export function flushBoth(agent: usize, keep: u32, tag: u32): void {
  flushGroup(leavesOf(agent), keep, tag);
  flushGroup(pathsOf(agent), keep, tag);
}

/** Everything of a context's PASID, of all devices and domains. */
// @ts-ignore: decorator
@inline
export function flushPasid(context: usize): void {
  const agent = agentOf(context);
  const sources = load<u32>(context, CONTEXT_SOURCES);
  const name = nameOf(context);
  assert(!hasFlag(agent, IS_CPU), "a CPU has no PASIDs");
  flushTags(leavesOf(agent), name * sources * DOMAINS_OF_PASID, sources);
  flushTags(pathsOf(agent), name * DOMAINS_OF_PASID, 1);
}

if (DOMAINS_OF_PASID != 4) ERROR("the domains of a PASID are no vector of tags");

/** Whether two addresses lie in one small page: a range of one is looked for as a page. */
// @ts-ignore: decorator
@inline
function isOnePage(first: u64, last: u64): bool {
  return first >> shiftOf(1) == last >> shiftOf(1);
}

/** Drops leaves of a tag (and, if asked, global ones) that overlap the translated addresses `first`..`last`. */
export function dropTranslationRange(agent: usize, first: u64, last: u64, tag: u32, globals: bool): void {
  if (isOnePage(first, last)) {
    dropTranslations(agent, first, tag, globals);
    return;
  }
  let cache: usize;
  for (let list = agent + AGENT_L1; (cache = load<usize>(list)) != 0; list += sizeof<usize>())
    flushRange(cache, first, last, tag, globals);
  for (let list = agent + AGENT_L2; (cache = load<usize>(list)) != 0; list += sizeof<usize>())
    flushRange(cache, first, last, tag, globals);
}

/** Drops the paging-structure-cache entries of a tag, of every level, whose span overlaps `first`..`last`. */
export function dropPathRange(agent: usize, first: u64, last: u64, tag: u32): void {
  if (isOnePage(first, last)) {
    dropPath(agent, first, tag);
    return;
  }
  for (let level: u32 = 2; level <= levels; level++) {
    const psc = pscOf(agent, level);
    if (psc != 0) flushRange(psc, first, last, tag, false);
  }
}

/** Drops the leaves that cover an address, all sizes, of a tag and (if asked) global. */
export function dropTranslations(agent: usize, page: u64, tag: u32, globals: bool): void {
  const group = leavesOf(agent);
  const seen = mayBeLarge(group, page) ? load<u32>(group, GROUP_SEEN) : load<u32>(group, GROUP_SEEN) & SMALL;
  if (seen == SMALL && load<u32>(agent, AGENT_SMALL_FIRST)) {
    dropSmall(load<usize>(agent, AGENT_L1), page, tag, globals);
    dropSmall(load<usize>(agent, AGENT_L2), page, tag, globals);
  } else if (seen != 0) {
    dropFromList(agent + AGENT_L1, seen, page, tag, globals);
    dropFromList(agent + AGENT_L2, seen, page, tag, globals);
  }
}

// @ts-ignore: decorator
@inline
function dropSmall(cache: usize, page: u64, tag: u32, globals: bool): void {
  if (cache != 0) flushPage(cache, page >> shiftOf(1), 1, tag, globals);
}

function dropFromList(list: usize, seen: u32, page: u64, tag: u32, globals: bool): void {
  let cache: usize;
  while ((cache = load<usize>(list)) != 0) {
    const levels = load<u32>(cache, CACHE_LEVELS) & seen;
    for (let level: u32 = 1; level <= MAX_LEAF_LEVEL; level++) {
      if (levels & (1 << level)) flushPage(cache, page >> shiftOf(level), level, tag, globals);
    }
    list += sizeof<usize>();
  }
}

/** Drops the paging-structure-cache entries that would be used for an address. */
export function dropPath(agent: usize, page: u64, tag: u32): void {
  for (let level: u32 = 2; level <= levels; level++) {
    const psc = pscOf(agent, level);
    if (psc != 0) flushPage(psc, page >> shiftOf(level), PATH_LEVEL, tag, false);
  }
}
