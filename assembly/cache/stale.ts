// Marking translations whose pages were unmapped or given away (docs/rules.md section 12). A mark is part of an entry's
// data, so it costs a hit nothing.

import { STALE, shiftOf } from "../entry";
import {
  blockOf,
  CACHE_LIVE,
  CACHE_OCCUPIED,
  CACHE_SEEN,
  CACHE_SETS,
  CACHE_WAYS,
  dataAt,
  KEY_GLOBAL,
  KEY_LEVEL,
  KEY_PAGE_SHIFT,
  keysOf,
  nextBlock,
  partialTag,
  SET_PARTIALS,
  setIndex,
  TIME_FILLED,
  tagOf,
  timesAt,
} from "./layout";
import { isAlive } from "./living";

/** In place of a tag: every tag, and globals. */
export const ANY_TAG: u32 = 0xffff_ffff;

/** Marks the translations of a tag (or of any) whose pages lie wholly inside the translated addresses `first`..`last`. */
export function markStale(cache: usize, first: u64, last: u64, tag: u32): void {
  const live = load<u32>(cache, CACHE_LIVE);
  if (live == 0) return;
  const seen = load<u32>(cache, CACHE_SEEN);
  for (let level: u32 = 1; level <= 3; level++) {
    if (!(seen & (1 << level))) continue;
    const size = (<u64>1) << shiftOf(level);
    const start = (first + size - 1) >> shiftOf(level);
    const after = (last + 1) >> shiftOf(level);
    if (start >= after) continue;
    if (after - start >= <u64>min<u32>(live, load<u32>(cache, CACHE_SETS))) {
      markOccupied(cache, first, last, tag);
      return;
    }
    let block = blockOf(cache, setIndex(cache, start));
    for (let page = start; page < after; page++) {
      markInSet(cache, block, page, level, tag);
      block = nextBlock(cache, block);
    }
  }
}

// @ts-ignore: decorator
@inline
function markInSet(cache: usize, block: usize, page: u64, level: u32, tag: u32): void {
  const wanted = i8x16.splat(<i8>partialTag(page));
  const ways = load<u32>(cache, CACHE_WAYS);
  let way: u32 = 0;
  do {
    let candidates = i8x16.bitmask(i8x16.eq(v128.load(block + way + SET_PARTIALS), wanted));
    while (candidates != 0) {
      const at = keysOf(cache, block) + (<usize>(way + ctz(candidates)) << 3);
      const key = load<u64>(at);
      if (key >> KEY_PAGE_SHIFT == page && (key & KEY_LEVEL) == <u64>level) mark(cache, at, key, tag);
      candidates &= candidates - 1;
    }
    way += 16;
  } while (way < ways);
}

function markOccupied(cache: usize, first: u64, last: u64, tag: u32): void {
  const words = (load<u32>(cache, CACHE_SETS) + 63) >> 6;
  const bytes = <usize>load<u32>(cache, CACHE_WAYS) << 3;
  for (let word: u32 = 0; word < words; word++) {
    let occupied = load<u64>(load<usize>(cache, CACHE_OCCUPIED) + (<usize>word << 3));
    while (occupied != 0) {
      const keys = keysOf(cache, blockOf(cache, (word << 6) + <u32>ctz(occupied)));
      occupied &= occupied - 1;
      for (let at = keys; at < keys + bytes; at += 8) {
        const key = load<u64>(at);
        const span = shiftOf(<u32>(key & KEY_LEVEL));
        const page = key >> KEY_PAGE_SHIFT;
        if (key != 0 && page << span >= first && ((page + 1) << span) - 1 <= last) mark(cache, at, key, tag);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function mark(cache: usize, at: usize, key: u64, tag: u32): void {
  if (tag != ANY_TAG && (key & KEY_GLOBAL || tagOf(key) != tag)) return;
  if (!isAlive(cache, key, load<u32>(timesAt(cache, at), TIME_FILLED))) return;
  const data = dataAt(cache, at);
  store<u64>(data, load<u64>(data) | STALE);
}
