// Which entries are alive after flushes that touched none of them, how many there are, and a clock that never wraps.

import { count } from "../base/memory";
import {
  blockOf,
  capacityOf,
  CACHE_CLOCK,
  CACHE_GLOBAL_SINCE,
  CACHE_INVALIDATED,
  CACHE_LAST_FLUSH,
  CACHE_LIVE,
  CACHE_LIVE_GLOBAL,
  CACHE_SETS,
  CACHE_TAG_COUNT,
  CACHE_TAGGED_SINCE,
  CACHE_WAYS,
  KEY_GLOBAL,
  keysOf,
  SET_LIVE,
  SET_SWEPT,
  TAG_COUNTED,
  TAG_LIVE,
  TAG_SINCE,
  TIME_FILLED,
  TIME_USED,
  tagOf,
  tagState,
  timesAt,
} from "./layout";

/** Before the 32-bit clock gets here, all times are replaced by their ranks. */
export const CLOCK_LIMIT: u32 = 0xf000_0000;
const RANKED: u32 = 0xf800_0000;

/** The next tick of the cache's clock. */
// @ts-ignore: decorator
@inline
export function tick(cache: usize): u32 {
  assert(load<u32>(cache, CACHE_CLOCK) < CLOCK_LIMIT, "the clock has run past its limit");
  assert(load<u32>(cache, CACHE_LAST_FLUSH) <= load<u32>(cache, CACHE_CLOCK), "the last flush lies in the future");
  const now = load<u32>(cache, CACHE_CLOCK) + 1;
  store<u32>(cache, now, CACHE_CLOCK);
  return now < CLOCK_LIMIT ? now : rejuvenate(cache);
}

// @ts-ignore: decorator
@inline
export function tagSince(cache: usize, tag: u32): u32 {
  return max<u32>(load<u32>(tagState(cache, tag), TAG_SINCE), load<u32>(cache, CACHE_TAGGED_SINCE));
}

/** Whether an entry with this key, filled at this time, has outlived all flushes. */
// @ts-ignore: decorator
@inline
export function isAlive(cache: usize, key: u64, filled: u32): bool {
  if (key & KEY_GLOBAL) return filled > load<u32>(cache, CACHE_GLOBAL_SINCE);
  return filled > tagSince(cache, tagOf(key));
}

/** Whether a way, by the address of its key, holds a living entry. */
export function livesAt(cache: usize, at: usize): bool {
  const key = load<u64>(at);
  return key != 0 && isAlive(cache, key, load<u32>(timesAt(cache, at), TIME_FILLED));
}

/** Live entries of a tag, globals not included. */
// @ts-ignore: decorator
@inline
export function liveOf(cache: usize, tag: u32): u32 {
  const state = tagState(cache, tag);
  return load<u32>(state, TAG_COUNTED) <= load<u32>(cache, CACHE_TAGGED_SINCE) ? 0 : load<u32>(state, TAG_LIVE);
}

// @ts-ignore: decorator
@inline
export function setLiveOf(cache: usize, tag: u32, live: u32): void {
  assert(live <= capacityOf(cache), "a tag has fewer living entries than none, or more than the cache has ways");
  const state = tagState(cache, tag);
  store<u32>(state, live, TAG_LIVE);
  store<u32>(state, load<u32>(cache, CACHE_CLOCK) + 1, TAG_COUNTED);
}

/** Adds to the live entries of a key's tag (or of the globals). */
export function countLiving(cache: usize, key: u64, change: i32): void {
  if (key & KEY_GLOBAL) {
    assert(change > 0 || load<u32>(cache, CACHE_LIVE_GLOBAL) != 0, "the count of living global entries falls below zero");
    store<u32>(cache, load<u32>(cache, CACHE_LIVE_GLOBAL) + change, CACHE_LIVE_GLOBAL);
  } else {
    const tag = tagOf(key);
    assert(change > 0 || liveOf(cache, tag) != 0, "the count of a tag's living entries falls below zero");
    setLiveOf(cache, tag, liveOf(cache, tag) + change);
  }
}

/** Takes the live entry whose key is at `at` out of the cache, as invalidated. */
// @ts-ignore: decorator
@inline
export function remove(cache: usize, block: usize, at: usize): void {
  assert(livesAt(cache, at), "the entry to remove is not alive");
  assert(load<u32>(block, SET_LIVE) != 0 && load<u32>(cache, CACHE_LIVE) != 0, "the count of living entries falls below zero");
  countLiving(cache, load<u64>(at), -1);
  store<u64>(at, 0);
  store<u32>(block, load<u32>(block, SET_LIVE) - 1, SET_LIVE);
  store<u32>(cache, load<u32>(cache, CACHE_LIVE) - 1, CACHE_LIVE);
  count(cache, CACHE_INVALIDATED);
}

/** Ways of a set that hold something, dead or alive. For assertions. */
export function heldIn(cache: usize, block: usize): u32 {
  const first = keysOf(cache, block);
  let held: u32 = 0;
  for (let at = first; at < first + (<usize>load<u32>(cache, CACHE_WAYS) << 3); at += 8) if (load<u64>(at) != 0) held++;
  return held;
}

/** Ways of a set that hold a living entry. For assertions. */
export function livingIn(cache: usize, block: usize): u32 {
  const first = keysOf(cache, block);
  let living: u32 = 0;
  for (let at = first; at < first + (<usize>load<u32>(cache, CACHE_WAYS) << 3); at += 8) if (livesAt(cache, at)) living++;
  return living;
}

/** Takes the dead out of a set and counts the living. */
export function sweep(cache: usize, block: usize): void {
  assert(load<u32>(block, SET_SWEPT) <= load<u32>(cache, CACHE_CLOCK), "the set was swept in the future");
  const first = keysOf(cache, block);
  const last = first + (<usize>load<u32>(cache, CACHE_WAYS) << 3);
  let live: u32 = 0;
  for (let at = first; at < last; at += 8) {
    const key = load<u64>(at);
    if (key == 0) continue;
    if (isAlive(cache, key, load<u32>(timesAt(cache, at), TIME_FILLED))) live++;
    else store<u64>(at, 0);
  }
  assert(live <= load<u32>(block, SET_LIVE), "more entries of the set are alive than were counted in");
  store<u32>(block, live, SET_LIVE);
  store<u32>(block, load<u32>(cache, CACHE_CLOCK), SET_SWEPT);
}

/** Replaces every time by its rank in its set and starts the clock again: order and contents stay as they are. */
function rejuvenate(cache: usize): u32 {
  assert(load<u32>(cache, CACHE_WAYS) + 2 < CLOCK_LIMIT, "ranks do not fit below the clock's limit");
  const sets = load<u32>(cache, CACHE_SETS);
  const ways = load<u32>(cache, CACHE_WAYS);
  for (let set: u32 = 0; set < sets; set++) {
    const block = blockOf(cache, set);
    sweep(cache, block);
    store<u32>(block, 1, SET_SWEPT);
    const times = timesAt(cache, keysOf(cache, block));
    rank(times + TIME_USED, ways);
    rank(times + TIME_FILLED, ways);
  }
  const tags = load<u32>(cache, CACHE_TAG_COUNT);
  for (let tag: u32 = 0; tag < tags; tag++) {
    const state = tagState(cache, tag);
    store<u32>(state, liveOf(cache, tag), TAG_LIVE);
    store<u32>(state, 0, TAG_SINCE);
    store<u32>(state, 1, TAG_COUNTED);
  }
  store<u32>(cache, 0, CACHE_GLOBAL_SINCE);
  store<u32>(cache, 0, CACHE_TAGGED_SINCE);
  store<u32>(cache, 0, CACHE_LAST_FLUSH);
  store<u32>(cache, ways + 2, CACHE_CLOCK);
  return ways + 2;
}

/** Replaces `ways` times, 8 bytes apart, by their ranks from 1. Selection by the smallest: quadratic, once in 2^31 ticks. */
function rank(times: usize, ways: u32): void {
  const end = times + (<usize>ways << 3);
  for (let place: u32 = 1; place <= ways; place++) {
    let least: usize = 0;
    for (let at = times; at < end; at += 8) {
      if (load<u32>(at) < RANKED && (least == 0 || load<u32>(at) < load<u32>(least))) least = at;
    }
    assert(least != 0, "no time is left to rank");
    store<u32>(least, RANKED + place);
  }
  for (let at = times; at < end; at += 8) store<u32>(at, load<u32>(at) - RANKED);
}
