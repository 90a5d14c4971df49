// Filling and replacement (docs/rules.md section 4, "Fill").

import { count } from "../base/memory";
import {
  blockOf,
  candidatesOf,
  capacityOf,
  CACHE_EVICTIONS,
  CACHE_FILLS,
  CACHE_LAST_FLUSH,
  CACHE_LIVE,
  CACHE_OCCUPIED,
  CACHE_RANDOM,
  CACHE_REGIONS,
  CACHE_REPLACEMENT,
  CACHE_SEEN,
  CACHE_WAYS,
  dataAt,
  GLOBAL_TAG,
  globalKeyOf,
  keyOf,
  keysOf,
  partialTag,
  regionBit,
  SET_LIVE,
  SET_PARTIALS,
  SET_SWEPT,
  setIndex,
  TIME_FILLED,
  TIME_USED,
  timesAt,
  CACHE_LEVELS,
  CACHE_TAG_COUNT,
} from "./layout";
import { countLiving, heldIn, livingIn, sweep, tick } from "./living";

export const LRU: u32 = 0;
export const FIFO: u32 = 1;
export const RANDOM: u32 = 2;
/** How many there are. */
export const REPLACEMENTS: u32 = 3;

/** Puts an entry in; returns the address of its key. */
export function fill(cache: usize, page: u64, level: u32, tag: u32, global: bool, data: u64): usize {
  return put(cache, page, level, tag, global, data, false);
}

/** The same for an entry that no living one has the key of. */
export function fillAbsent(cache: usize, page: u64, level: u32, tag: u32, global: bool, data: u64): usize {
  return put(cache, page, level, tag, global, data, true);
}

// @ts-ignore: decorator
@inline
function put(cache: usize, page: u64, level: u32, tag: u32, global: bool, data: u64, absent: bool): usize {
  assert(load<u32>(cache, CACHE_LEVELS) & (1 | (1 << level)), "the cache holds nothing of this level");
  assert(tag < load<u32>(cache, CACHE_TAG_COUNT), "the cache has no such tag");
  // First of all: if the clock starts again, a half-written entry would be taken for a dead one.
  const now = tick(cache);
  const set = setIndex(cache, page);
  const block = blockOf(cache, set);
  if (load<u32>(block, SET_SWEPT) < load<u32>(cache, CACHE_LAST_FLUSH)) sweep(cache, block);
  assert(heldIn(cache, block) == livingIn(cache, block), "the set holds dead entries: it has not been swept");
  const keys = keysOf(cache, block);
  const key = global ? globalKeyOf(page, level) : keyOf(page, level, tag);
  let at: usize = absent ? 0 : sameKey(cache, block, keys, page, key);
  if (at == 0) {
    const way = freeWay(cache, set, block, keys, key);
    at = keys + (<usize>way << 3);
    store<u64>(at, key);
    store<u8>(block + way, partialTag(page), SET_PARTIALS);
  }
  assert(load<u64>(at) == key, "the way holds another key");
  store<u64>(dataAt(cache, at), data);
  store<u32>(timesAt(cache, at), now, TIME_USED);
  store<u32>(timesAt(cache, at), now, TIME_FILLED);
  store<u32>(cache, load<u32>(cache, CACHE_SEEN) | (1 << level), CACHE_SEEN);
  store<u64>(cache, load<u64>(cache, CACHE_REGIONS) | regionBit(page, level), CACHE_REGIONS);
  count(cache, CACHE_FILLS);
  return at;
}

// @ts-ignore: decorator
@inline
function sameKey(cache: usize, block: usize, keys: usize, page: u64, key: u64): usize {
  const ways = load<u32>(cache, CACHE_WAYS);
  let way: u32 = 0;
  do {
    let candidates = candidatesOf(block, way, page);
    while (candidates != 0) {
      const at = keys + (<usize>(way + ctz(candidates)) << 3);
      if (load<u64>(at) == key) return at;
      candidates &= candidates - 1;
    }
    way += 16;
  } while (way < ways);
  return 0;
}

/** The lowest-numbered empty way, or the victim's; counts the key in and the victim out. */
function freeWay(cache: usize, set: u32, block: usize, keys: usize, key: u64): u32 {
  assert(livingIn(cache, block) == load<u32>(block, SET_LIVE), "the set's count of living entries is wrong");
  const ways = load<u32>(cache, CACHE_WAYS);
  const live = load<u32>(block, SET_LIVE);
  if (live == ways) {
    const way = victim(cache, keys, ways);
    const old = load<u64>(keys + (<usize>way << 3));
    assert(way < ways && old != 0, "the victim is no entry of the set");
    // Mostly a tag displaces its own, and its count stays.
    if ((old ^ key) & GLOBAL_TAG) {
      countLiving(cache, old, -1);
      countLiving(cache, key, 1);
    }
    count(cache, CACHE_EVICTIONS);
    return way;
  }
  countLiving(cache, key, 1);
  store<u32>(block, live + 1, SET_LIVE);
  store<u32>(cache, load<u32>(cache, CACHE_LIVE) + 1, CACHE_LIVE);
  assert(load<u32>(cache, CACHE_LIVE) <= capacityOf(cache), "more entries are alive than the cache has ways");
  const word = load<usize>(cache, CACHE_OCCUPIED) + (<usize>(set >> 6) << 3);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (set & 63)));
  let way: u32 = 0;
  while (load<u64>(keys + (<usize>way << 3)) != 0) way++;
  assert(way < ways && load<u64>(keys + (<usize>way << 3)) == 0, "the way is not free");
  return way;
}

/** The way to evict from a full set: least recently used, first filled, or the next of the random sequence. */
function victim(cache: usize, keys: usize, ways: u32): u32 {
  const replacement = load<u32>(cache, CACHE_REPLACEMENT);
  const times = timesAt(cache, keys);
  if (replacement == LRU) return oldestUsed(times, ways);
  if (replacement == FIFO) return oldestFilled(times, ways);
  let x = load<u32>(cache, CACHE_RANDOM);
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  store<u32>(cache, x, CACHE_RANDOM);
  return x % ways;
}

// Four ways a step: the times of use (or of fill) of four ways are gathered into one vector. The times of a full set
// are distinct, and the padding holds the largest value, so exactly one way has the least.

// @ts-ignore: decorator
@inline
function used4(times: usize): v128 {
  return v128.shuffle<i32>(v128.load(times), v128.load(times, 16), 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function filled4(times: usize): v128 {
  return v128.shuffle<i32>(v128.load(times), v128.load(times, 16), 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline
function leastOfFour(four: v128): v128 {
  const two = i32x4.min_u(four, v128.shuffle<i32>(four, four, 2, 3, 0, 1));
  return i32x4.min_u(two, v128.shuffle<i32>(two, two, 1, 0, 3, 2));
}

function oldestUsed(times: usize, ways: u32): u32 {
  const end = times + (<usize>ways << 3);
  let four = used4(times);
  for (let at = times + 32; at < end; at += 32) four = i32x4.min_u(four, used4(at));
  const least = leastOfFour(four);
  let at = times;
  while (true) {
    assert(at < end, "no way was used at the least time");
    const where = i32x4.bitmask(i32x4.eq(used4(at), least));
    if (where != 0) return <u32>((at - times) >> 3) + <u32>ctz(where);
    at += 32;
  }
}

function oldestFilled(times: usize, ways: u32): u32 {
  const end = times + (<usize>ways << 3);
  let four = filled4(times);
  for (let at = times + 32; at < end; at += 32) four = i32x4.min_u(four, filled4(at));
  const least = leastOfFour(four);
  let at = times;
  while (true) {
    assert(at < end, "no way was filled at the least time");
    const where = i32x4.bitmask(i32x4.eq(filled4(at), least));
    if (where != 0) return <u32>((at - times) >> 3) + <u32>ctz(where);
    at += 32;
  }
}
