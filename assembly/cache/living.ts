// Which entries are alive after flushes that touched none of them, and a clock that never wraps.
//
// A flush is a time in the group. A set is swept before it is filled, if anything was flushed since it was swept last: so what it holds is
// younger than the flushes before its last sweep, and older than those after it. Nobody counts what lives: how many entries were
// invalidated follows from how many were put in, displaced and are there (inspect.ts).

import {
  changedTag,
  GROUP_CACHES,
  GROUP_CLOCK,
  GROUP_GLOBAL_SINCE,
  GROUP_LAST_FLUSH,
  GROUP_TAG_COUNT,
  GROUP_TAGGED_SINCE,
  TAG_SINCE,
  tagSince,
} from "./group";
import {
  blockOf,
  CACHE_NEXT,
  CACHE_SETS,
  CACHE_WAYS,
  clear,
  clearFrom,
  groupOf,
  heldFrom,
  isHeld,
  KEY_GLOBAL,
  keysOf,
  SET_SWEPT,
  TIME_FILLED,
  TIME_USED,
  tagOf,
  timesAt,
  VECTOR,
} from "./layout";

/** In place of a tag: every tag, and globals. */
export const ANY_TAG: u32 = 0xffff_ffff;

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

/** Whether an entry with this key has outlived all flushes, in a set that was swept last at this time. */
// @ts-ignore: decorator
@inline
export function isAlive(group: usize, key: u64, swept: u32): bool {
  return swept >= (key & KEY_GLOBAL ? load<u32>(group, GROUP_GLOBAL_SINCE) : tagSince(group, tagOf(key)));
}

/** Whether a way of a set holds a living entry. */
export function livesIn(cache: usize, block: usize, way: u32): bool {
  const key = load<u64>(keysOf(cache, block) + (<usize>way << 3));
  return isHeld(block, way) && isAlive(groupOf(cache), key, load<u32>(block, SET_SWEPT));
}

/** Living entries of a tag, globals not included; or with ANY_TAG all there are. */
export function livingOf(cache: usize, tag: u32): u32 {
  const sets = load<u32>(cache, CACHE_SETS);
  const ways = load<u32>(cache, CACHE_WAYS);
  let living: u32 = 0;
  for (let set: u32 = 0; set < sets; set++) {
    const block = blockOf(cache, set);
    for (let way: u32 = 0; way < ways; way++) {
      const key = load<u64>(keysOf(cache, block) + (<usize>way << 3));
      if (tag != ANY_TAG && (key & KEY_GLOBAL || tagOf(key) != tag)) continue;
      if (livesIn(cache, block, way)) living++;
    }
  }
  return living;
}

/** Whether no entry of a set is dead. For assertions. */
export function isAllAlive(cache: usize, block: usize): bool {
  for (let way: u32 = 0; way < load<u32>(cache, CACHE_WAYS); way++) if (isHeld(block, way) && !livesIn(cache, block, way)) return false;
  return true;
}

/** Takes the dead out of a set. */
export function sweep(cache: usize, block: usize): void {
  const group = groupOf(cache);
  const swept = load<u32>(block, SET_SWEPT);
  assert(swept <= load<u32>(group, GROUP_CLOCK), "the set was swept in the future");
  const ways = load<u32>(cache, CACHE_WAYS);
  const all = swept < load<u32>(group, GROUP_GLOBAL_SINCE);
  for (let first: u32 = 0; first < ways; first += VECTOR) {
    if (all) {
      clearFrom(block, first);
      continue;
    }
    for (let entries = heldFrom(block, first); entries != 0; entries &= entries - 1) {
      const way = first + <u32>ctz(entries);
      if (!isAlive(group, load<u64>(keysOf(cache, block) + (<usize>way << 3)), swept)) clear(block, way);
    }
  }
  store<u32>(block, load<u32>(group, GROUP_CLOCK), SET_SWEPT);
}

/** Replaces every time by its rank in its set and starts the clock again: order and contents stay as they are. */
function rejuvenate(group: usize): u32 {
  let most: u32 = 0;
  for (let cache = load<usize>(group, GROUP_CACHES); cache != 0; cache = load<usize>(cache, CACHE_NEXT)) {
    rankAll(cache);
    most = max<u32>(most, load<u32>(cache, CACHE_WAYS));
  }
  assert(most + 2 < CLOCK_LIMIT, "ranks do not fit below the clock's limit");
  const tags = load<u32>(group, GROUP_TAG_COUNT);
  for (let tag: u32 = 0; tag < tags; tag++) store<u32>(changedTag(group, tag), 0, TAG_SINCE);
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
