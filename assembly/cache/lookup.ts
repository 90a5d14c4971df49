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
  keyOf,
  keysOf,
  PATH_LEVEL,
  PATHS,
  setIndex,
  TIME_FILLED,
  TIME_USED,
  timesAt,
} from "./layout";
import { isAlive, livesAt, tick } from "./living";

/** Address of the key of the matching live entry with the lowest way number, 0 if none. No side effects. */
// @ts-ignore: decorator
@inline
export function find(cache: usize, page: u64, level: u32, tag: u32): usize {
  assert(hasTag(cache, tag), "the cache has no such tag");
  const block = blockOf(cache, setIndex(cache, page));
  const keys = keysOf(cache, block);
  const ways = load<u32>(cache, CACHE_WAYS);
  let way: u32 = 0;
  do {
    let candidates = candidatesOf(block, way, page);
    while (candidates != 0) {
      const at = keys + (<usize>(way + ctz(candidates)) << 3);
      const key = load<u64>(at);
      if (key == keyOf(page, level, tag)) {
        if (load<u32>(timesAt(cache, at), TIME_FILLED) > tagSince(groupOf(cache), tag)) return at;
      } else if (key == globalKeyOf(page, level)) {
        if (load<u32>(timesAt(cache, at), TIME_FILLED) > load<u32>(groupOf(cache), GROUP_GLOBAL_SINCE)) return at;
      }
      candidates &= candidates - 1;
    }
    way += 16;
  } while (way < ways);
  return 0;
}

/** Notes a hit of the entry whose key is at `key`. */
// @ts-ignore: decorator
@inline
export function touch(cache: usize, key: usize): void {
  assert(livesAt(cache, key), "the entry that was hit is not alive");
  count(cache, CACHE_HITS);
  const now = tick(groupOf(cache));
  store<u32>(timesAt(cache, key), now, TIME_USED);
}

/** Address of the living entry with a key, which is one of `page`; 0 if there is none. */
// @ts-ignore: decorator
@inline
export function findKey(cache: usize, page: u64, key: u64): usize {
  const block = blockOf(cache, setIndex(cache, page));
  const ways = load<u32>(cache, CACHE_WAYS);
  let way: u32 = 0;
  do {
    let candidates = candidatesOf(block, way, page);
    while (candidates != 0) {
      const at = keysOf(cache, block) + (<usize>(way + ctz(candidates)) << 3);
      if (load<u64>(at) == key && isAlive(groupOf(cache), key, load<u32>(timesAt(cache, at), TIME_FILLED))) return at;
      candidates &= candidates - 1;
    }
    way += 16;
  } while (way < ways);
  return 0;
}

/** The same as `find` in a paging-structure cache, which holds nothing global. */
// @ts-ignore: decorator
@inline
export function findPath(cache: usize, page: u64, tag: u32): usize {
  assert((load<u32>(cache, CACHE_LEVELS) & PATHS) != 0, "no paging-structure cache");
  return findKey(cache, page, keyOf(page, PATH_LEVEL, tag));
}
