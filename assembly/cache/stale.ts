// Marking translations whose leaves were cleared or made read-only (docs/rules.md section 12). A mark is part of an entry's data,
// so it costs a hit nothing.

import { GROUP_REGIONS } from "./group";
import {
  blockOf,
  candidatesOf,
  CACHE_WAYS,
  dataAt,
  groupOf,
  KEY_GLOBAL,
  KEY_LEVEL,
  KEY_PAGE_SHIFT,
  keysOf,
  regionBit,
  seenIn,
  setIndex,
  SET_SWEPT,
  tagOf,
  CACHE_LEVELS,
  VECTOR,
} from "./layout";
import { ANY_TAG, isAlive } from "./living";

/** Whether leaves of a level in the 2 MiB region of a page may be here. */
// @ts-ignore: decorator
@inline
export function mayHoldRegion(cache: usize, page: u64, level: u32): bool {
  return (seenIn(cache) & (1 << level)) != 0 && (load<u64>(groupOf(cache), GROUP_REGIONS) & regionBit(page, level)) != 0;
}

/** Marks the translations of a page, of a tag or of any, as STALE or with STALE_RIGHTS. */
export function markStale(cache: usize, page: u64, level: u32, tag: u32, bit: u64): void {
  assert(level >= 1 && load<u32>(cache, CACHE_LEVELS) & (1 << level), "the cache holds no leaves of this level");
  const block = blockOf(cache, setIndex(cache, page));
  const ways = load<u32>(cache, CACHE_WAYS);
  for (let way: u32 = 0; way < ways; way += VECTOR) {
    let candidates = candidatesOf(block, way, page);
    while (candidates != 0) {
      const at = keysOf(cache, block) + (<usize>(way + ctz(candidates)) << 3);
      const key = load<u64>(at);
      if (key >> KEY_PAGE_SHIFT == page && (key & KEY_LEVEL) == <u64>level) mark(cache, block, at, key, tag, bit);
      candidates &= candidates - 1;
    }
  }
}

function mark(cache: usize, block: usize, at: usize, key: u64, tag: u32, bit: u64): void {
  if (tag != ANY_TAG && (key & KEY_GLOBAL || tagOf(key) != tag)) return;
  if (!isAlive(groupOf(cache), key, load<u32>(block, SET_SWEPT))) return;
  const data = dataAt(cache, at);
  store<u64>(data, load<u64>(data) | bit);
}
