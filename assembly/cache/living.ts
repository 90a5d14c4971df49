// Which entries are alive after flushes that touched none of them, how many there are, and a clock that never wraps.
//
// A flush is a time in the group. What a cache counts (its live entries, those of each tag, how many were invalidated) is brought
// up to date, *settled*, before the cache is filled and when it is looked at: the counts are those of an eager flush.

import { count } from "../base/memory";
import {
  changedTag,
  GROUP_CACHES,
  GROUP_CLOCK,
  GROUP_FLUSHED,
  GROUP_GLOBAL_SINCE,
  GROUP_LAST_FLUSH,
  GROUP_TAG_COUNT,
  GROUP_TAGGED_SINCE,
  LAST_FLUSHED,
  stateOfTag,
  TAG_FILLED,
  TAG_NEXT,
  TAG_SINCE,
  tagSince,
} from "./group";
import {
  blockOf,
  capacityOf,
  changedCount,
  CACHE_INVALIDATED,
  CACHE_LIVE,
  CACHE_LIVE_GLOBAL,
  CACHE_NEXT,
  CACHE_SEEN,
  CACHE_SETS,
  CACHE_SETTLED,
  CACHE_WAYS,
  COUNT_LIVE,
  COUNT_TIME,
  countOf,
  groupOf,
  KEY_GLOBAL,
  keysOf,
  SET_LIVE,
  SET_SWEPT,
  TIME_FILLED,
  TIME_USED,
  tagOf,
  timesAt,
} from "./layout";

/** Before the 32-bit clock gets here, all times are replaced by their ranks. */
export const CLOCK_LIMIT: u32 = 0xf000_0000;
const RANKED: u32 = 0xf800_0000;

/** The next tick of a group's clock. */
// @ts-ignore: decorator
@inline
export function tick(group: usize): u32 {
  assert(load<u32>(group, GROUP_CLOCK) < CLOCK_LIMIT, "the clock has run past its limit");
  assert(load<u32>(group, GROUP_LAST_FLUSH) <= load<u32>(group, GROUP_CLOCK), "the last flush lies in the future");
  const now = load<u32>(group, GROUP_CLOCK) + 1;
  store<u32>(group, now, GROUP_CLOCK);
  return now < CLOCK_LIMIT ? now : rejuvenate(group);
}

/** Whether an entry with this key, filled at this time, has outlived all flushes. */
// @ts-ignore: decorator
@inline
export function isAlive(group: usize, key: u64, filled: u32): bool {
  if (key & KEY_GLOBAL) return filled > load<u32>(group, GROUP_GLOBAL_SINCE);
  return filled > tagSince(group, tagOf(key));
}

/** Whether a way, by the address of its key, holds a living entry. */
export function livesAt(cache: usize, at: usize): bool {
  const key = load<u64>(at);
  return key != 0 && isAlive(groupOf(cache), key, load<u32>(timesAt(cache, at), TIME_FILLED));
}

/** Whether a tag's count is of living entries. */
// @ts-ignore: decorator
@inline
export function isCounted(cache: usize, tag: u32): bool {
  return load<u32>(countOf(cache, tag), COUNT_TIME) > tagSince(groupOf(cache), tag);
}

/** Live entries of a tag, globals not included. */
// @ts-ignore: decorator
@inline
export function liveOf(cache: usize, tag: u32): u32 {
  return isCounted(cache, tag) ? load<u32>(countOf(cache, tag), COUNT_LIVE) : 0;
}

/** Live global entries of a settled cache. */
// @ts-ignore: decorator
@inline
export function liveGlobals(cache: usize): u32 {
  assert(isSettled(cache), "flushes are not counted yet");
  return load<u32>(cache, CACHE_LIVE_GLOBAL);
}

/** Whether a cache has counted the flushes of everything, and of everything but globals. */
// @ts-ignore: decorator
@inline
function isSettled(cache: usize): bool {
  return load<u32>(cache, CACHE_SETTLED) >= load<u32>(groupOf(cache), GROUP_TAGGED_SINCE);
}

/** Counts the flushes of everything, and of everything but globals. */
// @ts-ignore: decorator
@inline
export function settle(cache: usize): void {
  if (!isSettled(cache)) settleNow(cache);
}

function settleNow(cache: usize): void {
  const group = groupOf(cache);
  const live = load<u32>(cache, CACHE_LIVE);
  const globals = load<u32>(cache, CACHE_LIVE_GLOBAL);
  assert(globals <= live, "more global entries are alive than entries");
  if (load<u32>(cache, CACHE_SETTLED) < load<u32>(group, GROUP_GLOBAL_SINCE)) {
    count(cache, CACHE_INVALIDATED, live);
    store<u32>(cache, 0, CACHE_LIVE);
    store<u32>(cache, 0, CACHE_LIVE_GLOBAL);
    store<u32>(cache, 0, CACHE_SEEN);
  } else {
    count(cache, CACHE_INVALIDATED, live - globals);
    store<u32>(cache, globals, CACHE_LIVE);
  }
  store<u32>(cache, load<u32>(group, GROUP_CLOCK), CACHE_SETTLED);
}

/** Counts the flushes of a tag in a settled cache, and adds to its live entries. */
function addLive(cache: usize, tag: u32, change: i32): void {
  assert(isSettled(cache), "flushes are not counted yet");
  const group = groupOf(cache);
  const own = changedCount(cache, tag);
  const counted = load<u32>(own, COUNT_TIME);
  let live = load<u32>(own, COUNT_LIVE);
  if (counted <= tagSince(group, tag)) {
    // A flush of all tags is counted for the cache as a whole.
    if (counted > load<u32>(group, GROUP_TAGGED_SINCE)) {
      assert(live <= load<u32>(cache, CACHE_LIVE), "more entries of a tag are alive than entries");
      count(cache, CACHE_INVALIDATED, live);
      store<u32>(cache, load<u32>(cache, CACHE_LIVE) - live, CACHE_LIVE);
    }
    live = 0;
  }
  assert(change >= 0 || live != 0, "the count of a tag's living entries falls below zero");
  assert(live + change <= capacityOf(cache), "a tag has more living entries than the cache has ways");
  store<u32>(own, live + change, COUNT_LIVE);
  store<u32>(own, load<u32>(group, GROUP_CLOCK) + 1, COUNT_TIME);
}

/** Adds to the live entries of a key's tag (or of the globals), in a settled cache. */
// @ts-ignore: decorator
@inline
export function countLiving(cache: usize, key: u64, change: i32): void {
  if (key & KEY_GLOBAL) {
    assert(change > 0 || load<u32>(cache, CACHE_LIVE_GLOBAL) != 0, "the count of living global entries falls below zero");
    store<u32>(cache, load<u32>(cache, CACHE_LIVE_GLOBAL) + change, CACHE_LIVE_GLOBAL);
  } else addLive(cache, tagOf(key), change);
}

/** Brings the counts of all caches of a group up to date. */
export function settleGroup(group: usize): void {
  for (let cache = load<usize>(group, GROUP_CACHES); cache != 0; cache = load<usize>(cache, CACHE_NEXT)) {
    settle(cache);
    let flushed = load<u32>(group, GROUP_FLUSHED);
    while (flushed != LAST_FLUSHED) {
      addLive(cache, flushed - 1, 0);
      flushed = load<u32>(stateOfTag(group, flushed - 1), TAG_NEXT);
    }
    assert(load<u32>(cache, CACHE_LIVE) <= capacityOf(cache), "more entries are alive than the cache has ways");
    assert(load<u32>(cache, CACHE_LIVE) >= liveGlobals(cache), "more global entries are alive than entries");
  }
  let tag = load<u32>(group, GROUP_FLUSHED);
  while (tag != LAST_FLUSHED) {
    const state = changedTag(group, tag - 1);
    tag = load<u32>(state, TAG_NEXT);
    store<u32>(state, 0, TAG_NEXT);
  }
  store<u32>(group, LAST_FLUSHED, GROUP_FLUSHED);
}

/** Takes the live entry whose key is at `at` out of the cache, as invalidated. That it lives says that its tag's count does. */
// @ts-ignore: decorator
@inline
export function remove(cache: usize, block: usize, at: usize): void {
  assert(livesAt(cache, at), "the entry to remove is not alive");
  assert(load<u32>(block, SET_LIVE) != 0 && load<u32>(cache, CACHE_LIVE) != 0, "the count of living entries falls below zero");
  const key = load<u64>(at);
  assert(key & KEY_GLOBAL || liveOf(cache, tagOf(key)) != 0, "the count of a tag's living entries falls below zero");
  const own = key & KEY_GLOBAL ? cache + CACHE_LIVE_GLOBAL : changedCount(cache, tagOf(key)) + COUNT_LIVE;
  store<u32>(own, load<u32>(own) - 1);
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
  const group = groupOf(cache);
  assert(load<u32>(block, SET_SWEPT) <= load<u32>(group, GROUP_CLOCK), "the set was swept in the future");
  const first = keysOf(cache, block);
  const last = first + (<usize>load<u32>(cache, CACHE_WAYS) << 3);
  let live: u32 = 0;
  if (load<u32>(block, SET_SWEPT) < load<u32>(group, GROUP_GLOBAL_SINCE)) {
    // Every fill sweeps first: nothing here is younger than that flush of everything.
    for (let at = first; at < last; at += 8) store<u64>(at, 0);
  } else {
    for (let at = first; at < last; at += 8) {
      const key = load<u64>(at);
      if (key == 0) continue;
      if (isAlive(group, key, load<u32>(timesAt(cache, at), TIME_FILLED))) live++;
      else store<u64>(at, 0);
    }
  }
  assert(live <= load<u32>(block, SET_LIVE), "more entries of the set are alive than were counted in");
  store<u32>(block, live, SET_LIVE);
  store<u32>(block, load<u32>(group, GROUP_CLOCK), SET_SWEPT);
}

/** Replaces every time by its rank in its set and starts the clock again: order and contents stay as they are. */
function rejuvenate(group: usize): u32 {
  settleGroup(group);
  let most: u32 = 0;
  for (let cache = load<usize>(group, GROUP_CACHES); cache != 0; cache = load<usize>(cache, CACHE_NEXT)) {
    rankAll(cache);
    most = max<u32>(most, load<u32>(cache, CACHE_WAYS));
  }
  assert(most + 2 < CLOCK_LIMIT, "ranks do not fit below the clock's limit");
  const tags = load<u32>(group, GROUP_TAG_COUNT);
  for (let tag: u32 = 0; tag < tags; tag++) {
    const state = changedTag(group, tag);
    store<u32>(state, 0, TAG_SINCE);
    store<u32>(state, 1, TAG_FILLED);
  }
  store<u32>(group, 0, GROUP_GLOBAL_SINCE);
  store<u32>(group, 0, GROUP_TAGGED_SINCE);
  store<u32>(group, 0, GROUP_LAST_FLUSH);
  store<u32>(group, most + 2, GROUP_CLOCK);
  return most + 2;
}

/** The part of that in one cache, before the group's times change. */
function rankAll(cache: usize): void {
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
  const tags = load<u32>(groupOf(cache), GROUP_TAG_COUNT);
  for (let tag: u32 = 0; tag < tags; tag++) {
    const own = changedCount(cache, tag);
    store<u32>(own, liveOf(cache, tag), COUNT_LIVE);
    store<u32>(own, 1, COUNT_TIME);
  }
  store<u32>(cache, 1, CACHE_SETTLED);
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
