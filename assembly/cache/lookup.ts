// Looking up: the ways of a set sixteen at a time by an 8-bit partial tag, then the full key.

import { count } from "../base/memory";
import { GROUP_GLOBAL_SINCE, tagSince } from "./group";
import {
  blockOf,
  candidatesOf,
  CACHE_HITS,
  CACHE_LEVELS,
  CACHE_WAYS,
  globalKeyOf,
  groupOf,
  hasTag,
  isLast,
  keyOf,
  keysOf,
  PATH_LEVEL,
  PATHS,
  setIndex,
  setWith,
  wayWith,
  SET_SWEPT,
  TIME_USED,
  timesAt,
  VECTOR,
} from "./layout";
import { isAlive, livesIn, tick } from "./living";

/**
 * Address of the key of the matching live entry with the lowest way number, 0 if none. No side effects. Mostly the first candidate is
 * the entry, or there is none: that much is straight-line code, since a loop costs each who enters it a look at the host's stack.
 */
// @ts-ignore: decorator
@inline
export function find(cache: usize, page: u64, level: u32, tag: u32): usize {
  assert(hasTag(cache, tag), "the cache has no such tag");
  const block = blockOf(cache, setIndex(cache, page));
  const candidates = candidatesOf(block, 0, page);
  if (candidates == 0) return load<u32>(cache, CACHE_WAYS) > VECTOR ? findAmong(cache, block, page, level, tag) : 0;
  const at = keysOf(cache, block) + (<usize>ctz(candidates) << 3);
  const key = load<u64>(at);
  const swept = load<u32>(block, SET_SWEPT);
  if (key == keyOf(page, level, tag) && swept >= tagSince(groupOf(cache), tag)) return at;
  if (key == globalKeyOf(page, level) && swept >= load<u32>(groupOf(cache), GROUP_GLOBAL_SINCE)) return at;
  return isLast(cache, candidates) ? 0 : findAmong(cache, block, page, level, tag);
}

/** The same, whatever the number of ways and candidates. */
function findAmong(cache: usize, block: usize, page: u64, level: u32, tag: u32): usize {
  const own = findKeyAmong(cache, block, page, keyOf(page, level, tag));
  const global = findKeyAmong(cache, block, page, globalKeyOf(page, level));
  return own == 0 || (global != 0 && global < own) ? global : own;
}

/** Notes a hit of the entry whose key is at `key`. */
// @ts-ignore: decorator
@inline
export function touch(cache: usize, key: usize): void {
  assert(livesIn(cache, setWith(cache, key), wayWith(cache, key)), "the entry that was hit is not alive");
  count(cache, CACHE_HITS);
  const now = tick(groupOf(cache));
  store<u32>(timesAt(cache, key), now, TIME_USED);
}

/** Address of the living entry with a key, which is one of `page`; 0 if there is none. The first two candidates without a loop. */
// @ts-ignore: decorator
@inline
export function findKey(cache: usize, page: u64, key: u64): usize {
  const block = blockOf(cache, setIndex(cache, page));
  const candidates = candidatesOf(block, 0, page);
  if (candidates == 0) return load<u32>(cache, CACHE_WAYS) > VECTOR ? findKeyAmong(cache, block, page, key) : 0;
  // Two candidates are two address spaces' with the same page. Which stands first is chance: a branch would be guessed wrong.
  const others = candidates & (candidates - 1);
  const keys = keysOf(cache, block);
  const first = keys + (<usize>ctz(candidates) << 3);
  const second = keys + (<usize>ctz(others | (1 << 31)) << 3);
  const at = first ^ ((first ^ second) & (0 - (usize(load<u64>(first) != key) & usize(others != 0))));
  if (load<u64>(at) == key && isAlive(groupOf(cache), key, load<u32>(block, SET_SWEPT))) return at;
  return isLast(cache, candidates) ? 0 : findKeyAmong(cache, block, page, key);
}

/** The same, whatever the number of ways and candidates. */
export function findKeyAmong(cache: usize, block: usize, page: u64, key: u64): usize {
  const ways = load<u32>(cache, CACHE_WAYS);
  for (let way: u32 = 0; way < ways; way += VECTOR) {
    let candidates = candidatesOf(block, way, page);
    while (candidates != 0) {
      const at = keysOf(cache, block) + (<usize>(way + ctz(candidates)) << 3);
      if (load<u64>(at) == key && isAlive(groupOf(cache), key, load<u32>(block, SET_SWEPT))) return at;
      candidates &= candidates - 1;
    }
  }
  return 0;
}

/** The same as `find` in a paging-structure cache, which holds nothing global. */
// @ts-ignore: decorator
@inline
export function findPath(cache: usize, page: u64, tag: u32): usize {
  assert((load<u32>(cache, CACHE_LEVELS) & PATHS) != 0, "no paging-structure cache");
  return findKey(cache, page, keyOf(page, PATH_LEVEL, tag));
}

/** The same as a call, for where few come. */
export function findPathRarely(cache: usize, page: u64, tag: u32): usize {
  return findKeyAmong(cache, blockOf(cache, setIndex(cache, page)), page, keyOf(page, PATH_LEVEL, tag));
}
