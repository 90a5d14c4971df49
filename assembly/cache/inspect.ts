// Looking into a cache from outside: live entries with their places in the order of replacement, counters.

import { FIFO, LRU } from "./fill";
import {
  blockOf,
  CACHE_CLOCK,
  CACHE_EVICTIONS,
  CACHE_FILLS,
  CACHE_HITS,
  CACHE_INVALIDATED,
  CACHE_MISSES,
  CACHE_REPLACEMENT,
  CACHE_SETS,
  CACHE_WAYS,
  dataAt,
  keysOf,
  TIME_FILLED,
  TIME_USED,
  timesAt,
} from "./layout";
import { livesAt } from "./living";

/** Counters by number: lookups, hits, fills, evictions, invalidated. */
export function cacheCounter(cache: usize, which: u32): u64 {
  const hits = load<u64>(cache, CACHE_HITS);
  if (which == 0) return hits + load<u64>(cache, CACHE_MISSES);
  if (which == 1) return hits;
  if (which == 2) return load<u64>(cache, CACHE_FILLS);
  if (which == 3) return load<u64>(cache, CACHE_EVICTIONS);
  return load<u64>(cache, CACHE_INVALIDATED);
}

/**
 * Writes the live entries, by set and way, to `out` (32 bytes each: key, data, set, way, place in the set's order of
 * replacement from 0, the next victim; always 0 under random replacement) and returns how many; stops at `most`.
 */
export function cacheContents(cache: usize, out: usize, most: u32): u32 {
  assert((out & 7) == 0, "the dump is not aligned");
  const sets = load<u32>(cache, CACHE_SETS);
  const ways = load<u32>(cache, CACHE_WAYS);
  let found: u32 = 0;
  for (let set: u32 = 0; set < sets; set++) {
    const keys = keysOf(cache, blockOf(cache, set));
    for (let way: u32 = 0; way < ways; way++) {
      const at = keys + ((<usize>way) << 3);
      if (!livesAt(cache, at)) continue;
      if (found == most) return found;
      store<u64>(out, load<u64>(at));
      store<u64>(out, load<u64>(dataAt(cache, at)), 8);
      store<u32>(out, set, 16);
      store<u32>(out, way, 20);
      store<u32>(out, placeOf(cache, keys, at, ways), 24);
      out += 32;
      found++;
    }
  }
  return found;
}

function placeOf(cache: usize, keys: usize, at: usize, ways: u32): u32 {
  const replacement = load<u32>(cache, CACHE_REPLACEMENT);
  if (replacement != LRU && replacement != FIFO) return 0;
  const which = replacement == FIFO ? TIME_FILLED : TIME_USED;
  const time = load<u32>(timesAt(cache, at) + which);
  let place: u32 = 0;
  for (let other = keys; other < keys + ((<usize>ways) << 3); other += 8) {
    if (livesAt(cache, other) && load<u32>(timesAt(cache, other) + which) < time) place++;
  }
  return place;
}

/** For tests of the clock's wrap: moves the clock on, as if nothing had happened for long. */
export function setCacheClock(cache: usize, clock: u32): void {
  if (clock > load<u32>(cache, CACHE_CLOCK)) store<u32>(cache, clock, CACHE_CLOCK);
}
