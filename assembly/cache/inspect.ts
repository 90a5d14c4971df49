// Looking into a cache from outside: live entries with their places in the order of replacement, counters.

import { FIFO, LRU } from "./fill";
import { GROUP_CLOCK } from "./group";
import {
  blockOf,
  CACHE_ADDED,
  CACHE_EVICTIONS,
  CACHE_FILLS,
  CACHE_HITS,
  CACHE_INVALIDATED,
  CACHE_REFILLS,
  CACHE_REPLACEMENT,
  CACHE_SETS,
  CACHE_WAYS,
  dataAt,
  groupOf,
  keysOf,
  TIME_FILLED,
  TIME_USED,
  timesAt,
} from "./layout";
import { ANY_TAG, livesIn, livingOf } from "./living";

// ---- an entry as it is dumped ----
export const DUMP_KEY: usize = 0;
export const DUMP_DATA: usize = DUMP_KEY + 8;
export const DUMP_SET: usize = DUMP_DATA + 8;
export const DUMP_WAY: usize = DUMP_SET + 4;
/** Place in the set's order of replacement: 0 is the next victim; always 0 under random replacement. */
export const DUMP_RANK: usize = DUMP_WAY + 4;
export const DUMP_END: usize = DUMP_RANK + 4;
export const DUMP_SIZE: usize = 32;

if (DUMP_SIZE < DUMP_END || DUMP_SIZE % 8 != 0) ERROR("DUMP_SIZE does not hold an entry, or not at multiples of 8");

/**
 * A counter by its number in the cache, from CACHE_HITS on. What was put in either went into an empty way or displaced another; and what
 * went into an empty way and is no longer there, nor displaced, has been invalidated: one entry stands for the other that displaced it.
 */
export function cacheCounter(cache: usize, which: u32): u64 {
  const field = CACHE_HITS + (<usize>which << 3);
  const added = load<u64>(cache, CACHE_ADDED);
  if (field == CACHE_EVICTIONS) return load<u64>(cache, CACHE_FILLS) - load<u64>(cache, CACHE_REFILLS) - added;
  return field == CACHE_INVALIDATED ? added - livingOf(cache, ANY_TAG) : load<u64>(cache + field);
}

/** Writes the live entries, by set and way, to `out` (DUMP_SIZE bytes each) and returns how many; stops at `most`. */
export function cacheContents(cache: usize, out: usize, most: u32): u32 {
  assert((out & 7) == 0, "the dump is not aligned");
  const sets = load<u32>(cache, CACHE_SETS);
  const ways = load<u32>(cache, CACHE_WAYS);
  let found: u32 = 0;
  for (let set: u32 = 0; set < sets; set++) {
    const block = blockOf(cache, set);
    const keys = keysOf(cache, block);
    for (let way: u32 = 0; way < ways; way++) {
      const at = keys + ((<usize>way) << 3);
      if (!livesIn(cache, block, way)) continue;
      if (found == most) return found;
      store<u64>(out, load<u64>(at), DUMP_KEY);
      store<u64>(out, load<u64>(dataAt(cache, at)), DUMP_DATA);
      store<u32>(out, set, DUMP_SET);
      store<u32>(out, way, DUMP_WAY);
      store<u32>(out, placeOf(cache, block, way, ways), DUMP_RANK);
      out += DUMP_SIZE;
      found++;
    }
  }
  return found;
}

function placeOf(cache: usize, block: usize, way: u32, ways: u32): u32 {
  const replacement = load<u32>(cache, CACHE_REPLACEMENT);
  if (replacement != LRU && replacement != FIFO) return 0;
  const times = timesAt(cache, keysOf(cache, block)) + (replacement == FIFO ? TIME_FILLED : TIME_USED);
  const time = load<u32>(times + (<usize>way << 3));
  let place: u32 = 0;
  for (let other: u32 = 0; other < ways; other++) {
    if (livesIn(cache, block, other) && load<u32>(times + (<usize>other << 3)) < time) place++;
  }
  return place;
}

/** For tests of the clock's wrap: moves the clock of a cache's group on, as if nothing had happened for long. */
export function setCacheClock(cache: usize, clock: u32): void {
  const group = groupOf(cache);
  if (clock > load<u32>(group, GROUP_CLOCK)) store<u32>(group, clock, GROUP_CLOCK);
}
