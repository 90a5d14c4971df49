// Invalidation. Everything, everything but globals, one tag: of all caches of a group at once, in constant time. Pages and ranges: of
// one cache. Ranges: page by page, or over the occupied sets, whichever is less work.

import { touchSparse } from "../base/sparse";
import { INDEX_BITS, MAX_LEAF_LEVEL, shiftOf } from "../paging/format";
import {
  changedTag,
  GROUP_GLOBAL_SINCE,
  GROUP_LARGE,
  GROUP_LAST_FLUSH,
  GROUP_REGIONS,
  GROUP_SEEN,
  GROUP_TAG_COUNT,
  GROUP_TAGS,
  GROUP_TAGGED_SINCE,
  TAG_SHIFT,
  TAG_SINCE,
} from "./group";
import {
  blockOf,
  candidatesOf,
  clear,
  CACHE_FIRST,
  CACHE_LEVELS,
  CACHE_OCCUPIED,
  CACHE_SPAN,
  CACHE_WAYS,
  globalKeyOf,
  groupOf,
  heldFrom,
  isLast,
  KEY_GLOBAL,
  KEY_LEVEL,
  KEY_PAGE_SHIFT,
  keyOf,
  keysOf,
  nextBlock,
  regionBit,
  seenIn,
  LAST_SET,
  SET_NEXT,
  SET_SWEPT,
  setIndex,
  tagOf,
  VECTOR,
} from "./layout";
import { isAllAlive, sweep, tick } from "./living";

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
  store<u64>(group, 0, GROUP_LARGE);
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
  const now = tick(group);
  store<u32>(changedTag(group, tag), now, TAG_SINCE);
  store<u32>(group, now, GROUP_LAST_FLUSH);
}

/** All entries of `fours` times four tags from `first` on, a multiple of four, but global ones. */
// @ts-ignore: decorator
@inline
export function flushTags(group: usize, first: u32, fours: u32): void {
  assert((first & 3) == 0 && first + 4 * fours <= load<u32>(group, GROUP_TAG_COUNT), "the group has no such tags");
  const now = tick(group);
  const tags = load<usize>(group, GROUP_TAGS);
  const end = <usize>(first + 4 * fours) << TAG_SHIFT;
  for (let at = <usize>first << TAG_SHIFT; at < end; at += 16) {
    touchSparse(tags, at);
    v128.store(tags + at, i32x4.splat(now));
  }
  store<u32>(group, now, GROUP_LAST_FLUSH);
}

if (TAG_SINCE != 0 || TAG_SHIFT != 2) ERROR("times of four tags are no vector");

/** The entry of a tag for one page number (and, if asked, the global one) of leaves of `level` (1: paging-structure caches). */
// @ts-ignore: decorator
@inline
export function flushPage(cache: usize, page: u64, level: u32, tag: u32, globals: bool): void {
  const own = keyOf(0, level, tag);
  flushFromSet(cache, blockOf(cache, setIndex(cache, page)), page, own, globals ? globalKeyOf(0, level) : own);
}

/**
 * Drops what has the key of a page, which is `own` or `other` but for the page. Mostly one way is a candidate at most: that much is
 * straight-line code (lookup.ts).
 */
// @ts-ignore: decorator
@inline
function flushFromSet(cache: usize, block: usize, page: u64, own: u64, other: u64): void {
  const candidates = candidatesOf(block, 0, page);
  if (candidates != 0) flushIf(cache, block, <u32>ctz(candidates), page, own, other);
  if (!isLast(cache, candidates)) flushAmong(cache, block, page, own, other);
}

/** Drops the entry of a way if it is one of those meant. If it is dead, nobody counts that it goes. */
// @ts-ignore: decorator
@inline
function flushIf(cache: usize, block: usize, way: u32, page: u64, own: u64, other: u64): void {
  const at = keysOf(cache, block) + (<usize>way << 3);
  const rest = load<u64>(at) ^ (page << KEY_PAGE_SHIFT);
  if (rest == own || rest == other) clear(block, way);
}

function flushAmong(cache: usize, block: usize, page: u64, own: u64, other: u64): void {
  const ways = load<u32>(cache, CACHE_WAYS);
  for (let way: u32 = 0; way < ways; way += VECTOR) {
    let candidates = candidatesOf(block, way, page);
    while (candidates != 0) {
      flushIf(cache, block, way + <u32>ctz(candidates), page, own, other);
      candidates &= candidates - 1;
    }
  }
}

/** Entries of a tag (and, if asked, global ones) whose span overlaps the translated addresses `first`..`last`, both included. */
export function flushRange(cache: usize, first: u64, last: u64, tag: u32, globals: bool): void {
  assert(first <= last, "the range ends before it starts");
  if (load<u32>(cache, CACHE_LEVELS) & 1) {
    flushSpans(cache, first, last, <u64>load<u32>(cache, CACHE_SPAN), 1, tag, globals);
    return;
  }
  const seen = seenIn(cache);
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
  // A probe costs about as much as looking through one set.
  if (end - (first >> span) >= <u64>load<u32>(cache, CACHE_OCCUPIED)) {
    scanRange(cache, first >> span, end, level, tag, globals);
    return;
  }
  const own = keyOf(0, level, tag);
  flushPages(cache, first >> span, end, own, globals ? globalKeyOf(0, level) : own);
}

/** The same page by page: neighbouring pages lie in neighbouring sets. */
function flushPages(cache: usize, first: u64, last: u64, own: u64, other: u64): void {
  let block = blockOf(cache, setIndex(cache, first));
  for (let page = first; page <= last; page++) {
    assert(block == blockOf(cache, setIndex(cache, page)), "neighbouring pages do not lie in neighbouring sets");
    flushFromSet(cache, block, page, own, other);
    block = nextBlock(cache, block);
  }
}

/** Looks through the occupied sets for leaves of a level (or paths) that overlap the range. */
function scanRange(cache: usize, first: u64, last: u64, level: u32, tag: u32, globals: bool): void {
  const group = groupOf(cache);
  let before = cache + CACHE_FIRST;
  let block: usize;
  while ((block = load<usize>(before)) != LAST_SET) {
    if (load<u32>(block, SET_SWEPT) < load<u32>(group, GROUP_LAST_FLUSH)) sweep(cache, block);
    scanSet(cache, block, first, last, level, tag, globals);
    if (isEmpty(cache, block)) {
      store<usize>(before, load<usize>(block, SET_NEXT));
      store<usize>(block, 0, SET_NEXT);
      store<u32>(cache, load<u32>(cache, CACHE_OCCUPIED) - 1, CACHE_OCCUPIED);
    } else before = block + SET_NEXT;
  }
}

const SIGN: u64 = 1 << 63;

/** The part of that in one set without dead entries. Pages stand highest in keys: two at a time are compared with first and last. */
// @ts-ignore: decorator
@inline
function scanSet(cache: usize, block: usize, first: u64, last: u64, level: u32, tag: u32, globals: bool): void {
  assert(isAllAlive(cache, block), "the set holds dead entries: it has not been swept");
  const keys = keysOf(cache, block);
  const end = keys + (<usize>load<u32>(cache, CACHE_WAYS) << 3);
  // Vectors compare signed numbers: of distances from the first page, the longest are to be the largest.
  const least = i64x2.splat((first << KEY_PAGE_SHIFT) + SIGN);
  const longest = i64x2.splat((((last - first + 1) << KEY_PAGE_SHIFT) - 1) ^ SIGN);
  let way: u32 = 0;
  for (let at = keys; at < end; at += 16, way += 2) {
    const outside = i64x2.bitmask(i64x2.gt_s(i64x2.sub(v128.load(at), least), longest));
    if (outside == 3) continue;
    if (!(outside & 1)) dropIf(block, at, way, level, tag, globals);
    if (!(outside & 2) && at + 8 < end) dropIf(block, at + 8, way + 1, level, tag, globals);
  }
}

/** Drops the entry in a range whose key is at `at`, if it is one of those meant. */
// @ts-ignore: decorator
@inline
function dropIf(block: usize, at: usize, way: u32, level: u32, tag: u32, globals: bool): void {
  const key = load<u64>(at);
  if ((key & KEY_LEVEL) != <u64>level) return;
  if (key & KEY_GLOBAL ? !globals : tagOf(key) != tag) return;
  clear(block, way);
}

// @ts-ignore: decorator
@inline
function isEmpty(cache: usize, block: usize): bool {
  if (heldFrom(block, 0) != 0) return false;
  for (let way = VECTOR; way < load<u32>(cache, CACHE_WAYS); way += VECTOR) if (heldFrom(block, way) != 0) return false;
  return true;
}
