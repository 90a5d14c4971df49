// The lane's walk: an access of a CPU for which no translation cache has anything, where nothing unusual comes of it. One of the two lowest
// paging-structure caches knows the way, or the root where there is none; entries between lead on, and the leaf is a small page that allows
// the access. It writes nothing before all that is clear, so that whatever else there is takes the plain path (walk.ts) from its beginning.
//
// It is a copy of `walkFrom`, `down` and `endAt` (walk.ts), of `findPath` and `touch` (cache/lookup.ts), of `fillPath` and
// `fillTranslation` (fills.ts), and of `put` (cache/fill.ts) for a set that is full: one text for a whole walk, whose instructions count.
// test/engine/lane.test.ts holds it to what single accesses do.

import { count } from "../base/memory";
import { occupy, oldestOfTwelve } from "../cache/fill";
import {
  GROUP_CLOCK,
  GROUP_LAST_FLUSH,
  tagSince,
} from "../cache/group";
import {
  CACHE_BASE,
  CACHE_DATA,
  CACHE_EVICTIONS,
  CACHE_FILLS,
  CACHE_HITS,
  CACHE_KEYS,
  CACHE_MISSES,
  CACHE_SEEN,
  CACHE_SET_BYTES,
  CACHE_SET_MASK,
  CACHE_WAYS,
  candidatesOf,
  dataAt,
  emptyFrom,
  globalKeyOf,
  KEY_PAGE_SHIFT,
  keyOf,
  linkAt,
  partialTag,
  PATH_LEVEL,
  SET_PARTIALS,
  SET_SWEPT,
  TIME_USED,
  timesAt,
} from "../cache/layout";
import { CLOCK_LIMIT, sweep } from "../cache/living";
import { isWrite } from "../paging/access";
import { contentsBase, entryIn, loadEntry, markEntry } from "../paging/contents";
import {
  accumulate,
  allowsOnceMarked,
  answerOf,
  cachedLeaf,
  cachedPath,
  frameIn,
  honoursGlobal,
  isGlobalLeaf,
  isLeaf,
  isPresent,
  leadsOn,
  leafMarks,
  FULL_RIGHTS,
  rightsOfPath,
  shiftOf,
  withMarks,
} from "../paging/format";
import { generationOf, LIVE_TABLE, standing, stateOf, TABLE } from "../paging/frames";
import { addressMask, levels } from "../paging/mode";
import { bucketsAt, bucketsShift, slotFrom } from "../paging/slots";
import { indexAt } from "../paging/tables";
import {
  AGENT_AD_WRITES,
  AGENT_ENTRY_READS,
  AGENT_L1,
  AGENT_L2,
  AGENT_TRANSLATIONS,
  AGENT_WALKS,
  hasPlainCaches,
  leavesOf,
  pathsOf,
  pscOf,
} from "./agent";
import { checkOf, controlsOf, formatOf, isMalformed, pathTagOf, rootOf, tagOf } from "./context";
import { noteSeen } from "./fills";
import { detecting } from "./hazard";
import { countMisses } from "./translate";
import { beginning } from "./walks";

// ---- scratch: nothing survives a call ----
/** Walks of a lane that are not counted yet: all but their reads of entries and what paging-structure caches did. */
let walked: u64 = 0;

// ---- what else an outcome may be ----
/** In place of an outcome: nothing has been done. */
export const NOT_PLAYED: u64 = u64.MAX_VALUE;
/** In place of where a path stands: more than one may be it. */
const UNCLEAR: usize = 1;

/** The block of the set of a page, in a cache that is plain. */
// @ts-ignore: decorator
@inline
export function setOf(cache: usize, page: u64): usize {
  return load<usize>(cache, CACHE_BASE) + <usize>(<u32>page & load<u32>(cache, CACHE_SET_MASK)) * load<usize>(cache, CACHE_SET_BYTES);
}

/** Where the key of a path stands; 0 if nowhere, UNCLEAR if the first candidate is not it and another may be. */
// @ts-ignore: decorator
@inline
function probe(cache: usize, page: u64, own: u64, since: u32): usize {
  const block = setOf(cache, page);
  const candidates = candidatesOf(block, 0, page);
  if (candidates == 0) return 0;
  const at = block + load<usize>(cache, CACHE_KEYS) + (<usize>ctz(candidates) << 3);
  if (load<u64>(at) == (page << KEY_PAGE_SHIFT | own) && load<u32>(block, SET_SWEPT) >= since) return at;
  return (candidates & (candidates - 1)) == 0 ? 0 : UNCLEAR;
}

/**
 * Puts an entry in at the next tick, of which no living one has the key; returns where its key stands. What `countWalks` counts is not
 * counted here, if that is to be `later`: fills, and that each displaces another entry.
 */
// @ts-ignore: decorator
@inline
function fillNext(group: usize, cache: usize, page: u64, key: u64, data: u64, later: bool): usize {
  const ways = load<u32>(cache, CACHE_WAYS);
  const block = setOf(cache, page);
  const distance = load<usize>(cache, CACHE_DATA);
  const keys = block + load<usize>(cache, CACHE_KEYS);
  const now = load<u32>(group, GROUP_CLOCK) + 1;
  store<u32>(group, now, GROUP_CLOCK);
  if (!later) countFill(cache);
  if (load<u32>(block, SET_SWEPT) < load<u32>(group, GROUP_LAST_FLUSH)) sweep(cache, block);
  // The level of small pages' leaves, and of paths. After the sweep, which forgets what was seen before a flush of everything.
  store<u32>(cache, load<u32>(cache, CACHE_SEEN) | (1 << PATH_LEVEL), CACHE_SEEN);
  const empty = emptyFrom(block, 0);
  const way = empty == 0 ? oldestOfTwelve(keys + (distance << 1), ways) : occupyEmpty(cache, block, empty);
  const at = keys + (<usize>way << 3);
  store<u64>(at, key);
  store<u8>(block + way, partialTag(page), SET_PARTIALS);
  store<u64>(at + distance, data);
  store<u64>(at + (distance << 1), <u64>now | (<u64>now << 32));
  return at;
}

/** The lowest of the empty ways; nothing is displaced. */
function occupyEmpty(cache: usize, block: usize, empty: i32): u32 {
  count(cache, CACHE_EVICTIONS, -1);
  return occupy(cache, block, ctz(empty));
}

/** An entry has taken the place of another. */
function countFill(cache: usize, by: u64 = 1): void {
  count(cache, CACHE_FILLS, by);
  count(cache, CACHE_EVICTIONS, by);
}

/** A path answers, at the next tick. */
// @ts-ignore: decorator
@inline
function hit(paths: usize, psc: usize, path: usize): void {
  const now = load<u32>(paths, GROUP_CLOCK) + 1;
  store<u32>(paths, now, GROUP_CLOCK);
  count(psc, CACHE_HITS);
  store<u32>(timesAt(psc, path), now, TIME_USED);
}

/** Rule 12: whether a cached path leads to a table, and to the one that it meant. */
// @ts-ignore: decorator
@inline
function leadsTo(link: usize): bool {
  const slot = load<u32>(link);
  return slot != 0 && (!detecting || standing(slot) == (<u64>load<u32>(link, 4) | LIVE_TABLE));
}

/** Whether a slot has a table in it: 0 is no frame. */
// @ts-ignore: decorator
@inline
function isTable(slot: u32): bool {
  return slot != 0 && (!detecting || stateOf(slot) == TABLE);
}

/** Counts what is the same for every walk that has been played along. */
export function countWalks(agent: usize): void {
  const walks = walked;
  if (walks == 0) return;
  walked = 0;
  count(agent, AGENT_TRANSLATIONS, walks);
  count(agent, AGENT_WALKS, walks);
  countMisses(agent + AGENT_L1, walks);
  countMisses(agent + AGENT_L2, walks);
  const l1 = load<usize>(agent, AGENT_L1);
  if (l1 == 0) return;
  countFill(l1, walks);
  const l2 = load<usize>(agent, AGENT_L2);
  if (l2 != 0) countFill(l2, walks);
}

/** The outcome of an access for which no translation cache has anything, or NOT_PLAYED. */
export function walkAlong(context: usize, agent: usize, va: u64, access: u32): u64 {
  assert(hasPlainCaches(agent) && beginning == 0, "the agent's caches are not plain, or a walk shall only begin");
  const bits = va & addressMask;
  const paths = pathsOf(agent);
  const pathTag = pathTagOf(context);
  const own = keyOf(0, PATH_LEVEL, pathTag);
  const contents = contentsBase();
  const region = bits >> shiftOf(2);
  const psc2 = pscOf(agent, 2);
  // Where the path is cached, in psc2 or the cache above; 0: not there.
  let path: usize = 0;
  let above: usize = 0;
  let rights = FULL_RIGHTS;
  let frame = rootOf(context);
  let table: u32 = 0;
  let entry: u64 = 0;
  if (psc2 != 0) {
    const since = tagSince(paths, pathTag);
    path = probe(psc2, region, own, since);
    if (path > UNCLEAR) {
      const link = linkAt(psc2, path);
      if (!leadsTo(link)) return NOT_PLAYED;
      table = load<u32>(link);
      const known = load<u64>(dataAt(psc2, path));
      rights = rightsOfPath(known);
      frame = frameIn(known);
    } else {
      if (path == UNCLEAR) return NOT_PLAYED;
      const psc3 = pscOf(agent, 3);
      const wide = bits >> shiftOf(3);
      above = probe(psc3, wide, own, since);
      if (above <= UNCLEAR) return NOT_PLAYED;
      const link = linkAt(psc3, above);
      if (!leadsTo(link)) return NOT_PLAYED;
      const known = load<u64>(dataAt(psc3, above));
      entry = loadEntry(entryIn(contents, load<u32>(link), frameIn(known), indexAt(va, 2)));
      if (!leadsOn(formatOf(context), entry, 2)) return NOT_PLAYED;
      rights = accumulate(rightsOfPath(known), entry);
      frame = frameIn(entry);
      table = slotFrom(bucketsAt(), bucketsShift(), frame);
      if (!isTable(table)) return NOT_PLAYED;
    }
  } else {
    table = slotFrom(bucketsAt(), bucketsShift(), frame);
    if (!isTable(table)) return NOT_PLAYED;
    for (let level = levels; level > 1; level--) {
      entry = loadEntry(entryIn(contents, table, frame, indexAt(va, level)));
      if (!leadsOn(formatOf(context), entry, level)) return NOT_PLAYED;
      rights = accumulate(rights, entry);
      frame = frameIn(entry);
      table = slotFrom(bucketsAt(), bucketsShift(), frame);
      if (!isTable(table)) return NOT_PLAYED;
    }
  }
  const at = entryIn(contents, table, frame, indexAt(va, 1));
  const last = loadEntry(at);
  if (!isPresent(last) || !isLeaf(last, 1) || isMalformed(context, last, 1, true)) return NOT_PLAYED;
  const along = accumulate(rights, last);
  const global = isGlobalLeaf(last, along) && honoursGlobal(controlsOf(context));
  const plain = cachedLeaf(last, 1, va, along, global);
  const marks = leafMarks(isWrite(access));
  if (!allowsOnceMarked(checkOf(context, access), plain)) return NOT_PLAYED;
  const group = leavesOf(agent);
  if (load<u32>(paths, GROUP_CLOCK) > CLOCK_LIMIT - 4 || load<u32>(group, GROUP_CLOCK) > CLOCK_LIMIT - 4) return NOT_PLAYED;
  if ((last & marks) != marks) {
    if (!markEntry(at, last, last | marks)) return NOT_PLAYED;
    count(agent, AGENT_AD_WRITES);
  }
  const leaf = withMarks(plain, marks);
  // Nothing is in the way: what the walk leaves behind.
  walked++;
  if (above != 0) {
    const psc3 = pscOf(agent, 3);
    count(agent, AGENT_ENTRY_READS, 2);
    count(psc2, CACHE_MISSES);
    hit(paths, psc3, above);
    path = fillNext(paths, psc2, region, region << KEY_PAGE_SHIFT | own, cachedPath(entry, rights), false);
    store<u64>(linkAt(psc2, path), <u64>table | (<u64>generationOf(table) << 32));
  } else if (path != 0) {
    count(agent, AGENT_ENTRY_READS);
    hit(paths, psc2, path);
  } else count(agent, AGENT_ENTRY_READS, levels);
  const l2 = load<usize>(agent, AGENT_L2);
  const l1 = load<usize>(agent, AGENT_L1);
  if (l1 != 0) {
    const page = bits >> shiftOf(1);
    const tag = tagOf(context);
    const key = global ? globalKeyOf(page, 1) : keyOf(page, 1, tag);
    noteSeen(group, page, 1);
    if (l2 != 0) fillNext(group, l2, page, key, leaf, true);
    fillNext(group, l1, page, key, leaf, true);
  }
  return answerOf(leaf, 1, va);
}
