// Invalidation. Everything, everything but globals, one tag: of all caches of a group at once, in constant time. Pages and ranges: of
// one cache. Ranges: page by page, or over the occupied sets, whichever is less work.

import { INDEX_BITS, MAX_LEAF_LEVEL, shiftOf } from "../paging/format";
import {
  changedTag,
  GROUP_FLUSHED,
  GROUP_GLOBAL_SINCE,
  GROUP_LAST_FLUSH,
  GROUP_REGIONS,
  GROUP_SEEN,
  GROUP_TAGGED_SINCE,
  stateOfTag,
  TAG_FILLED,
  TAG_NEXT,
  TAG_SINCE,
  tagSince,
} from "./group";
import {
  blockOf,
  candidatesOf,
  CACHE_LEVELS,
  CACHE_LIVE,
  CACHE_OCCUPIED,
  CACHE_SEEN,
  CACHE_SETS,
  CACHE_SPAN,
  CACHE_WAYS,
  globalKeyOf,
  groupOf,
  isLast,
  KEY_GLOBAL,
  KEY_LEVEL,
  KEY_PAGE_SHIFT,
  keyOf,
  keysOf,
  nextBlock,
  regionBit,
  setIndex,
  TIME_FILLED,
  tagOf,
  timesAt,
  VECTOR,
} from "./layout";
import { isAlive, liveGlobals, liveOf, remove, settle, tick } from "./living";

/** Everything in the caches of a group. */
// @ts-ignore: decorator
@inline
export function flushAll(group: usize): void {
  const now = tick(group);
  store<u32>(group, now, GROUP_GLOBAL_SINCE);
  store<u32>(group, now, GROUP_TAGGED_SINCE);
  store<u32>(group, now, GROUP_LAST_FLUSH);
  store<u32>(group, 0, GROUP_SEEN);
  store<u64>(group, 0, GROUP_REGIONS);
}

/** Everything but global entries. */
// @ts-ignore: decorator
@inline
export function flushAllButGlobal(group: usize): void {
  const now = tick(group);
  store<u32>(group, now, GROUP_TAGGED_SINCE);
  store<u32>(group, now, GROUP_LAST_FLUSH);
}

/** All entries of a tag but global ones. */
// @ts-ignore: decorator
@inline
export function flushTag(group: usize, tag: u32): void {
  const state = stateOfTag(group, tag);
  if (load<u32>(state, TAG_FILLED) <= tagSince(group, tag)) return;
  const now = tick(group);
  store<u32>(changedTag(group, tag), now, TAG_SINCE);
  store<u32>(group, now, GROUP_LAST_FLUSH);
  if (load<u32>(state, TAG_NEXT) != 0) return;
  // The caches count this later.
  store<u32>(state, load<u32>(group, GROUP_FLUSHED), TAG_NEXT);
  store<u32>(group, tag + 1, GROUP_FLUSHED);
}

/** The entry of a tag for one page number (and, if asked, the global one) of leaves of `level` (1: paging-structure caches). */
// @ts-ignore: decorator
@inline
export function flushPage(cache: usize, page: u64, level: u32, tag: u32, globals: bool): void {
  flushFromSet(cache, blockOf(cache, setIndex(cache, page)), page, level, tag, globals);
}

/** Mostly one way is a candidate at most: that much is straight-line code (lookup.ts). */
// @ts-ignore: decorator
@inline
function flushFromSet(cache: usize, block: usize, page: u64, level: u32, tag: u32, globals: bool): void {
  const candidates = candidatesOf(block, 0, page);
  if (candidates != 0) flushIf(cache, block, <u32>ctz(candidates), page, level, tag, globals);
  if (!isLast(cache, candidates)) flushAmong(cache, block, page, level, tag, globals);
}

/** Drops the entry of a way if it is one of those meant. */
// @ts-ignore: decorator
@inline
function flushIf(cache: usize, block: usize, way: u32, page: u64, level: u32, tag: u32, globals: bool): void {
  const at = keysOf(cache, block) + (<usize>way << 3);
  const key = load<u64>(at);
  if (key != keyOf(page, level, tag)) {
    if (!globals) return;
    if (key != globalKeyOf(page, level)) return;
  }
  if (isAlive(groupOf(cache), key, load<u32>(timesAt(cache, at), TIME_FILLED))) remove(cache, block, at);
}

function flushAmong(cache: usize, block: usize, page: u64, level: u32, tag: u32, globals: bool): void {
  const ways = load<u32>(cache, CACHE_WAYS);
  for (let way: u32 = 0; way < ways; way += VECTOR) {
    let candidates = candidatesOf(block, way, page);
    while (candidates != 0) {
      flushIf(cache, block, way + <u32>ctz(candidates), page, level, tag, globals);
      candidates &= candidates - 1;
    }
  }
}

/** Address bits that an entry with this key spans. */
// @ts-ignore: decorator
@inline
function spanOf(cache: usize, key: u64): u64 {
  return load<u32>(cache, CACHE_LEVELS) & 1 ? <u64>load<u32>(cache, CACHE_SPAN) : shiftOf(<u32>(key & KEY_LEVEL));
}

/** Entries of a tag (and, if asked, global ones) whose span overlaps the translated addresses `first`..`last`, both included. */
export function flushRange(cache: usize, first: u64, last: u64, tag: u32, globals: bool): void {
  assert(first <= last, "the range ends before it starts");
  settle(cache);
  const candidates = liveOf(cache, tag) + (globals ? liveGlobals(cache) : 0);
  if (candidates == 0) return;
  if (load<u32>(cache, CACHE_LEVELS) & 1) {
    flushSpans(cache, first, last, <u64>load<u32>(cache, CACHE_SPAN), 1, tag, globals);
    return;
  }
  const seen = load<u32>(cache, CACHE_SEEN);
  for (let level: u32 = 1; level <= MAX_LEAF_LEVEL; level++) {
    if (seen & (1 << level)) flushSpans(cache, first, last, shiftOf(level), level, tag, globals);
  }
}

/** Whether leaves of a level in a range may be here, as far as the regions tell; ranges of several regions may. */
// @ts-ignore: decorator
@inline
function mayHold(cache: usize, first: u64, last: u64, level: u32): bool {
  if (load<u32>(cache, CACHE_LEVELS) & 1 || level >= 3 || (level == 2 && first != last)) return true;
  if (first >> <u64>INDEX_BITS != last >> <u64>INDEX_BITS) return true;
  return (load<u64>(groupOf(cache), GROUP_REGIONS) & regionBit(first, level)) != 0;
}

function flushSpans(cache: usize, first: u64, last: u64, span: u64, level: u32, tag: u32, globals: bool): void {
  const end = last >> span;
  if (!mayHold(cache, first >> span, end, level)) return;
  const live = <u64>load<u32>(cache, CACHE_LIVE);
  // A probe costs about as much as looking through one set.
  if (end - (first >> span) >= min<u64>(live, load<u32>(cache, CACHE_SETS))) {
    scanRange(cache, first, last, tag, globals);
    return;
  }
  // Neighbouring pages lie in neighbouring sets.
  let block = blockOf(cache, setIndex(cache, first >> span));
  for (let page = first >> span; page <= end; page++) {
    assert(block == blockOf(cache, setIndex(cache, page)), "neighbouring pages do not lie in neighbouring sets");
    flushFromSet(cache, block, page, level, tag, globals);
    block = nextBlock(cache, block);
  }
}

/** Looks through the occupied sets for entries of every level that overlap the range. */
function scanRange(cache: usize, first: u64, last: u64, tag: u32, globals: bool): void {
  const words = (load<u32>(cache, CACHE_SETS) + 63) >> 6;
  const ways = <usize>load<u32>(cache, CACHE_WAYS);
  for (let word: u32 = 0; word < words; word++) {
    const at = load<usize>(cache, CACHE_OCCUPIED) + (<usize>word << 3);
    let occupied = load<u64>(at);
    while (occupied != 0) {
      const bit = ctz(occupied);
      occupied &= occupied - 1;
      const block = blockOf(cache, (word << 6) + <u32>bit);
      const keys = keysOf(cache, block);
      let empty = true;
      for (let key = keys; key < keys + (ways << 3); key += 8) {
        const value = load<u64>(key);
        if (value == 0) continue;
        if (!isAlive(groupOf(cache), value, load<u32>(timesAt(cache, key), TIME_FILLED))) continue;
        empty = false;
        if (value & KEY_GLOBAL ? !globals : tagOf(value) != tag) continue;
        const span = spanOf(cache, value);
        const page = value >> KEY_PAGE_SHIFT;
        if (page >= first >> span && page <= last >> span) remove(cache, block, key);
      }
      if (empty) store<u64>(at, load<u64>(at) & ~((<u64>1) << bit));
    }
  }
}
