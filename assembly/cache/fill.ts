// Filling and replacement (docs/rules.md section 4, "Fill").

import { count } from "../base/memory";
import { GROUP_CLOCK, GROUP_LAST_FLUSH } from "./group";
import {
  blockOf,
  CACHE_ADDED,
  CACHE_DATA,
  CACHE_FILLS,
  CACHE_FIRST,
  CACHE_OCCUPIED,
  CACHE_RANDOM,
  CACHE_REFILLS,
  CACHE_REPLACEMENT,
  CACHE_SET_MASK,
  CACHE_SETS,
  CACHE_WAYS,
  emptyFrom,
  globalKeyOf,
  groupOf,
  keyOf,
  keysOf,
  partialTag,
  SET_NEXT,
  SET_PARTIALS,
  SET_SWEPT,
  setIndex,
  timesAt,
  VECTOR,
  CACHE_LEVELS,
} from "./layout";
import { CLOCK_LIMIT, isAllAlive, sweep, tick } from "./living";
import { findKey, findKeyAmong } from "./lookup";

export const LRU: u32 = 0;
export const FIFO: u32 = 1;
export const RANDOM: u32 = 2;
/** How many there are. */
export const REPLACEMENTS: u32 = 3;

/** Up to so many ways the victim is found without a loop. */
const UNROLLED_WAYS: u32 = 12;

/** Whether a cache's sets are found by a mask, and their victims without a loop. */
export function isPlain(cache: usize): bool {
  if (load<u32>(cache, CACHE_SET_MASK) == 0 && load<u32>(cache, CACHE_SETS) != 1) return false;
  return load<u32>(cache, CACHE_WAYS) <= UNROLLED_WAYS && load<u32>(cache, CACHE_REPLACEMENT) == LRU;
}

/** Puts an entry in; returns the address of its key. */
export function fill(cache: usize, page: u64, level: u32, tag: u32, global: bool, data: u64): usize {
  const at = findKeyAmong(cache, blockOf(cache, setIndex(cache, page)), page, global ? globalKeyOf(page, level) : keyOf(page, level, tag));
  if (at == 0) return fillAbsent(cache, page, level, tag, global, data);
  count(cache, CACHE_FILLS);
  count(cache, CACHE_REFILLS);
  write(at, load<usize>(cache, CACHE_DATA), data, tick(groupOf(cache)));
  return at;
}

/**
 * The same for an entry that no living one has the key of: into an empty way or a victim's. Mostly victims need no loop, and the clock
 * has time.
 */
export function fillAbsent(cache: usize, page: u64, level: u32, tag: u32, global: bool, data: u64): usize {
  assert(load<u32>(cache, CACHE_LEVELS) & (1 | (1 << level)), "the cache holds nothing of this level");
  const group = groupOf(cache);
  const block = blockOf(cache, setIndex(cache, page));
  if (load<u32>(block, SET_SWEPT) < load<u32>(group, GROUP_LAST_FLUSH)) sweep(cache, block);
  const key = global ? globalKeyOf(page, level) : keyOf(page, level, tag);
  assert(isAllAlive(cache, block), "the set holds dead entries: it has not been swept");
  assert(findKey(cache, page, key) == 0, "an entry that is to be absent is there");
  count(cache, CACHE_FILLS);
  const isShort = load<u32>(cache, CACHE_WAYS) <= UNROLLED_WAYS && load<u32>(cache, CACHE_REPLACEMENT) == LRU;
  if (!isShort || load<u32>(group, GROUP_CLOCK) >= CLOCK_LIMIT - 1) return fillOther(cache, block, page, key, data);
  const empty = emptyFrom(block, 0);
  const at = fillNext(group, cache, block, empty, page, key, data);
  if (empty != 0) occupy(cache, block);
  return at;
}

/**
 * Puts an entry into a swept set of a cache whose victims are found without a loop, at the next tick, which the clock has; returns where
 * its key stands. That a way in `empty` is taken (if there are any) is for the caller to note, and fills are to count: a call in here
 * would have the host's compiler keep every value on the stack.
 */
// @ts-ignore: decorator
@inline
export function fillNext(group: usize, cache: usize, block: usize, empty: i32, page: u64, key: u64, data: u64): usize {
  const keys = keysOf(cache, block);
  const distance = load<usize>(cache, CACHE_DATA);
  const oldest = oldestOfTwelve(keys + (distance << 1), load<u32>(cache, CACHE_WAYS));
  const way = select<u32>(oldest, ctz(empty), empty == 0);
  const now = load<u32>(group, GROUP_CLOCK) + 1;
  store<u32>(group, now, GROUP_CLOCK);
  return put(block, keys, distance, way, page, key, data, now);
}

/** The same in any cache, with all that there is to note. */
function fillOther(cache: usize, block: usize, page: u64, key: u64, data: u64): usize {
  // First of all: if the clock starts again, a half-written entry would be taken for a dead one.
  const now = tick(groupOf(cache));
  const keys = keysOf(cache, block);
  const ways = load<u32>(cache, CACHE_WAYS);
  let way = emptyWay(cache, block);
  if (way < ways) occupy(cache, block);
  else way = victim(cache, keys, ways);
  return put(block, keys, load<usize>(cache, CACHE_DATA), way, page, key, data, now);
}

/** Writes an entry into a way of a set, whose keys are so far from their data, and these from their times. */
// @ts-ignore: decorator
@inline
function put(block: usize, keys: usize, distance: usize, way: u32, page: u64, key: u64, data: u64, now: u32): usize {
  const at = keys + (<usize>way << 3);
  store<u64>(at, key);
  store<u8>(block + way, partialTag(page), SET_PARTIALS);
  write(at, distance, data, now);
  return at;
}

// @ts-ignore: decorator
@inline
function write(at: usize, distance: usize, data: u64, now: u32): void {
  store<u64>(at + distance, data);
  // Of use and of fill.
  store<u64>(at + (distance << 1), <u64>now | (<u64>now << 32));
}

/** The lowest-numbered empty way; in a full set none that there is. */
function emptyWay(cache: usize, block: usize): u32 {
  const ways = load<u32>(cache, CACHE_WAYS);
  for (let way: u32 = 0; way < ways; way += VECTOR) {
    const empty = emptyFrom(block, way);
    if (empty != 0) return way + ctz(empty);
  }
  return ways;
}

/** An entry goes into an empty way of a set. */
export function occupy(cache: usize, block: usize): void {
  count(cache, CACHE_ADDED);
  if (load<usize>(block, SET_NEXT) == 0) {
    store<usize>(block, load<usize>(cache, CACHE_FIRST), SET_NEXT);
    store<usize>(cache, block, CACHE_FIRST);
    store<u32>(cache, load<u32>(cache, CACHE_OCCUPIED) + 1, CACHE_OCCUPIED);
  }
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

/** `oldestUsed` for up to UNROLLED_WAYS ways, without a loop. */
// @ts-ignore: decorator
@inline
export function oldestOfTwelve(times: usize, ways: u32): u32 {
  const a = used4(times);
  if (ways <= 4) return ctz(i32x4.bitmask(i32x4.eq(a, leastOfFour(a))));
  const b = used4(times + 32);
  const c = ways <= 8 ? b : used4(times + 64);
  const least = leastOfFour(i32x4.min_u(i32x4.min_u(a, b), c));
  const inA = i32x4.bitmask(i32x4.eq(a, least));
  const inB = i32x4.bitmask(i32x4.eq(b, least));
  return ctz(inA | (inB << 4) | (i32x4.bitmask(i32x4.eq(c, least)) << 8));
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
