// The lane's walk: an access of a CPU for which no translation cache has anything, where nothing unusual comes of it. A paging-structure
// cache knows the way, mostly one of the two lowest, or the root does; entries between lead on, and the leaf is a small page that allows
// the access. It writes nothing before all that is clear, so that whatever else there is takes the plain path (walk.ts) from its beginning.
//
// Where the two lowest do not know, lane-way.ts goes.
//
// It is a copy of `walkFrom`, `down` and `endAt` (walk.ts), of `findPath` and `touch` (cache/lookup.ts), of `fillPath` and
// `fillTranslation` (fills.ts), and of `fillAbsent` (cache/fill.ts): one text for a whole walk, whose instructions count.
// test/engine/lane.test.ts holds it to what single accesses do.

import { count } from "../base/memory";
import { fillNext, occupy } from "../cache/fill";
import {
  GROUP_CLOCK,
  GROUP_LAST_FLUSH,
  tagSince,
} from "../cache/group";
import {
  CACHE_BASE,
  CACHE_FILLS,
  CACHE_HITS,
  CACHE_KEYS,
  CACHE_MISSES,
  CACHE_SET_BYTES,
  CACHE_SET_MASK,
  candidatesOf,
  dataAt,
  emptyFrom,
  globalKeyOf,
  KEY_PAGE_SHIFT,
  keyOf,
  linkAt,
  PATH_LEVEL,
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
import { generationOf } from "../paging/frames";
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
import { fillWide, isTable, leadsTo, reachWide, wideFrame, wideRights, wideTable } from "./lane-way";
import { countMisses } from "./translate";
import { beginning } from "./walks";

/** The clock of a group ticks less than so often in a walk. */
const TICKS: u32 = 8;

// ---- scratch: nothing survives a call ----
/** Walks of a lane that are not counted yet; and those of them that found their way above the lowest paging-structure cache. */
let walked: u64 = 0;
let walkedAbove: u64 = 0;

// ---- what else an outcome may be ----
/** In place of an outcome: nothing has been done. */
export const NOT_PLAYED: u64 = u64.MAX_VALUE;
/** In place of where a path stands: more than one may be it; or it was found above the two lowest caches. */
const UNCLEAR: usize = 1;
const WIDE: usize = UNCLEAR + 1;

/** The block of the set of a page, in a cache that is plain. */
// @ts-ignore: decorator
@inline
export function setOf(cache: usize, page: u64): usize {
  return load<usize>(cache, CACHE_BASE) + <usize>(<u32>page & load<u32>(cache, CACHE_SET_MASK)) * load<usize>(cache, CACHE_SET_BYTES);
}

/** Where the key of a path stands in a set; 0 if nowhere, UNCLEAR if the first candidate is not it and another may be. */
// @ts-ignore: decorator
@inline
function probe(cache: usize, block: usize, page: u64, own: u64): usize {
  const candidates = candidatesOf(block, 0, page);
  if (candidates == 0) return 0;
  const at = block + load<usize>(cache, CACHE_KEYS) + (<usize>ctz(candidates) << 3);
  if (load<u64>(at) == (page << KEY_PAGE_SHIFT | own)) return at;
  return (candidates & (candidates - 1)) == 0 ? 0 : UNCLEAR;
}

/** Whether a set of a group's may hold dead entries. */
// @ts-ignore: decorator
@inline
function isStale(group: usize, block: usize): bool {
  return load<u32>(block, SET_SWEPT) < load<u32>(group, GROUP_LAST_FLUSH);
}

/** A path answers, at the next tick. */
// @ts-ignore: decorator
@inline
function hit(paths: usize, psc: usize, path: usize): void {
  const now = load<u32>(paths, GROUP_CLOCK) + 1;
  store<u32>(paths, now, GROUP_CLOCK);
  store<u32>(timesAt(psc, path), now, TIME_USED);
}

/** Counts the walks that have been played along. */
export function countWalks(agent: usize): void {
  const walks = walked;
  if (walks == 0) return;
  const above = walkedAbove;
  walked = 0;
  walkedAbove = 0;
  count(agent, AGENT_TRANSLATIONS, walks);
  count(agent, AGENT_WALKS, walks);
  countMisses(agent + AGENT_L1, walks);
  countMisses(agent + AGENT_L2, walks);
  const l1 = load<usize>(agent, AGENT_L1);
  if (l1 != 0) count(l1, CACHE_FILLS, walks);
  const l2 = load<usize>(agent, AGENT_L2);
  if (l2 != 0) count(l2, CACHE_FILLS, walks);
  const psc2 = pscOf(agent, 2);
  count(agent, AGENT_ENTRY_READS, psc2 == 0 ? walks * levels : walks + above);
  if (psc2 == 0) return;
  count(psc2, CACHE_HITS, walks - above);
  count(psc2, CACHE_MISSES, above);
  count(psc2, CACHE_FILLS, above);
  if (above != 0) count(pscOf(agent, 3), CACHE_HITS, above);
}

/** The outcome of an access for which no translation cache has anything, or NOT_PLAYED. */
export function walkAlong(context: usize, agent: usize, va: u64, access: u32): u64 {
  return along(context, agent, va, access, load<usize>(agent, AGENT_L1), load<usize>(agent, AGENT_L2));
}

/** The same for a CPU without translation caches. */
// @ts-ignore: decorator
@inline
export function walkAlongBare(context: usize, agent: usize, va: u64, access: u32): u64 {
  return along(context, agent, va, access, 0, 0);
}

// @ts-ignore: decorator
@inline
function along(context: usize, agent: usize, va: u64, access: u32, l1: usize, l2: usize): u64 {
  assert(hasPlainCaches(agent) && beginning == 0, "the agent's caches are not plain, or a walk shall only begin");
  const bits = va & addressMask;
  const paths = pathsOf(agent);
  const group = leavesOf(agent);
  const psc2 = pscOf(agent, 2);
  const page = bits >> shiftOf(1);
  const region = bits >> shiftOf(2);
  // The sets that may be filled, without dead entries from here on.
  const set1: usize = l1 == 0 ? 0 : setOf(l1, page);
  const set2: usize = l2 == 0 ? 0 : setOf(l2, page);
  const pathSet: usize = psc2 == 0 ? 0 : setOf(psc2, region);
  if (l1 != 0 && isStale(group, set1)) sweep(l1, set1);
  if (l2 != 0 && isStale(group, set2)) sweep(l2, set2);
  if (psc2 != 0 && isStale(paths, pathSet)) sweep(psc2, pathSet);
  const contents = contentsBase();
  // Where the path is cached, in psc2 or the cache above; 0: not there.
  let path: usize = 0;
  let above: usize = 0;
  let rights = FULL_RIGHTS;
  let frame = rootOf(context);
  let table: u32 = 0;
  let entry: u64 = 0;
  const own = keyOf(0, PATH_LEVEL, pathTagOf(context));
  if (psc2 != 0) {
    path = probe(psc2, pathSet, region, own);
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
      const wideSet = setOf(psc3, wide);
      above = probe(psc3, wideSet, wide, own);
      if (above == UNCLEAR) return NOT_PLAYED;
      if (above != 0 && load<u32>(wideSet, SET_SWEPT) >= tagSince(paths, pathTagOf(context))) {
        const link = linkAt(psc3, above);
        if (!leadsTo(link)) return NOT_PLAYED;
        const known = load<u64>(dataAt(psc3, above));
        table = load<u32>(link);
        rights = rightsOfPath(known);
        frame = frameIn(known);
      } else {
        if (!reachWide(context, agent, va)) return NOT_PLAYED;
        above = WIDE;
        table = wideTable;
        rights = wideRights;
        frame = wideFrame;
      }
      entry = loadEntry(entryIn(contents, table, frame, indexAt(va, 2)));
      if (!leadsOn(formatOf(context), entry, 2)) return NOT_PLAYED;
      rights = accumulate(rights, entry);
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
  if (load<u32>(paths, GROUP_CLOCK) > CLOCK_LIMIT - TICKS || load<u32>(group, GROUP_CLOCK) > CLOCK_LIMIT - TICKS) return NOT_PLAYED;
  if ((last & marks) != marks) {
    if (!markEntry(at, last, last | marks)) return NOT_PLAYED;
    count(agent, AGENT_AD_WRITES);
  }
  const leaf = withMarks(plain, marks);
  // Nothing is in the way: what the walk leaves behind.
  walked++;
  let emptyPath = 0;
  let empty1 = 0;
  let empty2 = 0;
  if (above != 0) {
    walkedAbove++;
    if (above != WIDE) hit(paths, pscOf(agent, 3), above);
    emptyPath = emptyFrom(pathSet, 0);
    path = fillNext(paths, psc2, pathSet, emptyPath, region, region << KEY_PAGE_SHIFT | own, cachedPath(entry, rights));
    store<u64>(linkAt(psc2, path), <u64>table | (<u64>generationOf(table) << 32));
  } else if (path != 0) hit(paths, psc2, path);
  if (l1 != 0) {
    const key = global ? globalKeyOf(page, 1) : keyOf(page, 1, tagOf(context));
    noteSeen(group, page, 1);
    if (l2 != 0) {
      empty2 = emptyFrom(set2, 0);
      fillNext(group, l2, set2, empty2, page, key, leaf);
    }
    empty1 = emptyFrom(set1, 0);
    fillNext(group, l1, set1, empty1, page, key, leaf);
  }
  // Calls come last: one before would send what is needed after it to the stack. Which cache ticks first does not matter.
  if (above == WIDE) fillWide(context, agent, va);
  if ((emptyPath | empty1 | empty2) != 0) {
    if (emptyPath != 0) occupy(psc2, pathSet);
    if (empty1 != 0) occupy(l1, set1);
    if (empty2 != 0) occupy(l2, set2);
  }
  return answerOf(leaf, 1, va);
}
