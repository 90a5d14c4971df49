// The lane's loop: hits of small pages in the first l1 cache, and in the first l2 cache with what they put into a full set of l1. The
// engine's hottest place, where instructions count: the loop of hits makes no call, the one around it plays what is no hit.
//
// It is a copy of the first lines of `translate` and of `translateFrom` (translate.ts), of `find` (cache/lookup.ts) and of `fillAbsent`
// (cache/fill.ts), for the case that the first candidate is the entry; whatever else comes takes the plain path. Once large pages have
// been cached, a look for them (hit.ts) comes before what is found or not found of a small one.
// test/engine/lane.test.ts holds it to what single accesses do.

import { addressIn, OPERATION_SIZE, typeIn } from "../base/record";
import { isPlain, oldestOfTwelve } from "../cache/fill";
import { GROUP_CLOCK, GROUP_GLOBAL_SINCE, GROUP_LAST_FLUSH, GROUP_SEEN, tagSince } from "../cache/group";
import {
  CACHE_BASE,
  CACHE_DATA,
  CACHE_KEYS,
  CACHE_SET_BYTES,
  CACHE_SET_MASK,
  CACHE_SETS,
  CACHE_WAYS,
  candidatesOf,
  dataAt,
  emptyFrom,
  globalKeyOf,
  groupOf,
  KEY_PAGE_SHIFT,
  keyOf,
  keysOf,
  partialTag,
  SET_PARTIALS,
  SET_SWEPT,
  TIME_USED,
  timesAt,
  VECTOR,
} from "../cache/layout";
import { ACCESS_CODES, withoutSpeculativeWrite } from "../paging/access";
import { allowsAsCached, allowsAtOnce, answerOf, FORMAT_SIZE, frameOfLeaf, shiftOf } from "../paging/format";
import { addressMask } from "../paging/mode";
import { AGENT_L1, AGENT_L2, AGENT_SMALL_FIRST, SMALL } from "./agent";
import { agentOf, checkOf, CONTEXT_CACHED, CONTEXT_FORMAT, tagOf } from "./context";
import { hasLarge, mayBeLarge } from "./hit";
import { INTERRUPT_FRAMES, INTERRUPT_FRAMES_SHIFT } from "./fault-report";
import { asRequest } from "./iommu";
import { countFrom, countTo, isSameLane, laneContext, NOT_IN_L1, NOWHERE, ofDevice, playPlainly, UNKNOWN } from "./lane-counts";
import { setOf } from "./lane-walk";

// ---- set up once ----
/** For each kind of access in a record, from a context to its check; of CPUs, then of devices. */
const KINDS_OF_DEVICES: usize = sizeof<u16>() * <usize>ACCESS_CODES;
const KINDS_BYTES: i32 = 2 * <i32>KINDS_OF_DEVICES;
const KINDS: usize = memory.data(KINDS_BYTES, sizeof<u16>());
if (CONTEXT_FORMAT + FORMAT_SIZE > <usize>u16.MAX_VALUE) ERROR("the way from a context to its checks is too long for KINDS");
for (let kind: u32 = 0; kind < ACCESS_CODES; kind++) {
  store<u16>(KINDS + (<usize>kind << 1), <u16>checkOf(0, withoutSpeculativeWrite(kind)));
  store<u16>(KINDS + KINDS_OF_DEVICES + (<usize>kind << 1), <u16>checkOf(0, withoutSpeculativeWrite(asRequest(kind))));
}

/** Whether the loop knows a cache: its sets are found by a mask. */
// @ts-ignore: decorator
@inline
export function knows(l1: usize): bool {
  return load<u32>(l1, CACHE_SET_MASK) != 0 || load<u32>(l1, CACHE_SETS) == 1;
}

/**
 * Plays records of the lane from `first` on, to the lane's end, or until the caches are no longer as they were when it began. Outcomes go
 * to `results` unless that is 0. Returns where it stopped; all is counted.
 */
export function playHits(l1: usize, first: usize, end: usize, results: usize): usize {
  assert(knows(l1), "the lane does not know this cache");
  const context = laneContext;
  const agent = agentOf(context);
  const group = groupOf(l1);
  const tag = tagOf(context);
  const ways = load<u32>(l1, CACHE_WAYS);
  const l2 = load<usize>(agent, AGENT_L2);
  let miss = NOT_IN_L1;
  let below: usize = 0;
  if (ways > VECTOR) miss = UNKNOWN;
  else if (load<u32>(agent, AGENT_SMALL_FIRST) != 0) {
    if (l2 == 0) miss = NOWHERE;
    else if (knows(l2) && load<u32>(l2, CACHE_WAYS) <= VECTOR && isPlain(l1)) below = l2;
  }
  return loop(
    first,
    end,
    load<u32>(first),
    context,
    KINDS + (ofDevice ? KINDS_OF_DEVICES : 0),
    load<usize>(l1, CACHE_BASE),
    load<u32>(l1, CACHE_SET_MASK),
    load<usize>(l1, CACHE_SET_BYTES),
    load<usize>(l1, CACHE_KEYS),
    load<usize>(l1, CACHE_DATA),
    ways,
    miss,
    below,
    keyOf(0, 1, tag),
    tagSince(group, tag),
    group,
    load<u32>(group, GROUP_LAST_FLUSH),
    load<u32>(group, GROUP_SEEN),
    load<u32>(group, GROUP_CLOCK),
    results == 0 ? 0 : results - (first >> 1) - NEVER_ZERO,
    (addressMask >> 1) + 1,
    addressMask,
    ofDevice ? INTERRUPT_FRAMES : u64.MAX_VALUE,
  );
}

/** Taken from an address of outcomes, and added in the store: the address is a multiple of 8, so that 0 goes on to mean none. */
const NEVER_ZERO: usize = 7;

/**
 * Conditions stand one inside the other where the second loads something: joined, they would become a number that is asked again.
 *
 * What is the same for every record is a parameter: left to the compiler, it would be found out each time. Parameters stand on the
 * stack, where instructions take them from for nothing.
 */
function loop(
  first: usize,
  end: usize,
  head: u32,
  checks: usize,
  kinds: usize,
  sets: usize,
  setMask: u32,
  setBytes: usize,
  keys: usize,
  data: usize,
  ways: u32,
  miss: u32,
  l2: usize,
  own: u64,
  since: u32,
  group: usize,
  lastFlush: u32,
  seen: u32,
  clock: u32,
  results: usize,
  half: u64,
  translatedBits: u64,
  interrupts: u64,
): usize {
  let at = first;
  let now = clock;
  countFrom(at, now);
  while (true) {
    let known = UNKNOWN;
    while (true) {
      const va = addressIn(at);
      // Not canonical.
      if (va + half > translatedBits) break;
      const page = (va & translatedBits) >> shiftOf(1);
      const block = sets + <usize>(<u32>page & setMask) * setBytes;
      const candidates = candidatesOf(block, 0, page);
      if (candidates != 0) {
        const key = block + (<usize>ctz(candidates) << 3) + keys;
        let dead = since;
        // A key is its page's bits and its tag's: what is left without the page's.
        const rest = load<u64>(key) ^ (page << KEY_PAGE_SHIFT);
        if (rest != own) {
          if (rest == globalKeyOf(0, 1)) dead = load<u32>(group, GROUP_GLOBAL_SINCE);
          else if ((candidates & (candidates - 1)) != 0) break;
          else dead = u32.MAX_VALUE;
        }
        if (load<u32>(block, SET_SWEPT) >= dead) {
          const leaf = load<u64>(key + data);
          const check = checks + load<u16>(kinds + (<usize>typeIn(at) << 1));
          if (!allowsAtOnce(check, leaf)) {
            if (!allowsAsCached(check, leaf)) break;
          }
          if (frameOfLeaf(leaf) >> INTERRUPT_FRAMES_SHIFT == interrupts) break;
          store<u32>(key + (data << 1), ++now, TIME_USED);
          if (results != 0) store<u64>((at >> 1) + results, answerOf(leaf, 1, va), NEVER_ZERO);
          at += OPERATION_SIZE;
          if (at != end) {
            if (isSameLane(at, head)) continue;
          }
          countTo(at, now);
          return at;
        }
        // A dead one, with another behind it.
        if ((candidates & (candidates - 1)) != 0) break;
      }
      known = miss;
      if (l2 == 0) break;
      const lower = setOf(l2, page);
      const others = candidatesOf(lower, 0, page);
      known = NOWHERE;
      if (others == 0) break;
      // One candidate that is not it is as good as none.
      if ((others & (others - 1)) != 0) known = NOT_IN_L1;
      const key = keysOf(l2, lower) + (<usize>ctz(others) << 3);
      const found = load<u64>(key);
      let dead = since;
      if (found != (page << KEY_PAGE_SHIFT | own)) {
        if (found != globalKeyOf(page, 1)) break;
        dead = load<u32>(group, GROUP_GLOBAL_SINCE);
      }
      if (load<u32>(lower, SET_SWEPT) < dead) break;
      known = NOT_IN_L1;
      if (seen != SMALL) {
        if (mayBeLarge(group, page << shiftOf(1))) {
          if (isLarge(at, AGENT_L1)) break;
        }
      }
      const leaf = load<u64>(dataAt(l2, key));
      const check = checks + load<u16>(kinds + (<usize>typeIn(at) << 1));
      if (!allowsAtOnce(check, leaf)) {
        if (!allowsAsCached(check, leaf)) break;
      }
      if (frameOfLeaf(leaf) >> INTERRUPT_FRAMES_SHIFT == interrupts) break;
      // Into a set that is full of the living.
      if (load<u32>(block, SET_SWEPT) < lastFlush || emptyFrom(block, 0) != 0) break;
      const way = oldestOfTwelve(block + keys + (data << 1), ways);
      const victim = block + keys + (<usize>way << 3);
      store<u32>(timesAt(l2, key), now + 1, TIME_USED);
      now += 2;
      store<u64>(victim, found);
      store<u8>(block + way, partialTag(page), SET_PARTIALS);
      store<u64>(victim + data, leaf);
      store<u64>(victim + (data << 1), <u64>now | (<u64>now << 32));
      if (results != 0) store<u64>((at >> 1) + results, answerOf(leaf, 1, va), NEVER_ZERO);
      at += OPERATION_SIZE;
      known = UNKNOWN;
      if (at != end) {
        if (isSameLane(at, head)) continue;
      }
      countTo(at, now);
      return at;
    }
    if (known == NOWHERE && seen != SMALL && mayBeLarge(group, addressIn(at) & translatedBits)) {
      if (isLarge(at, AGENT_L1) || isLarge(at, AGENT_L2)) known = NOT_IN_L1;
    }
    countTo(at, now);
    const outcome = playPlainly(at, known);
    if (results != 0) store<u64>((at >> 1) + results, outcome, NEVER_ZERO);
    at += OPERATION_SIZE;
    now = load<u32>(group, GROUP_CLOCK);
    countFrom(at, now);
    if (at == end || !isSameLane(at, head) || hasChanged(checks, own, group, lastFlush, seen)) break;
  }
  return at;
}

/** Whether a cache of the requester's list has a large page for the address of a record. */
function isLarge(at: usize, list: usize): bool {
  const context = laneContext;
  return hasLarge(agentOf(context) + list, addressIn(at) & addressMask, tagOf(context));
}

/** Whether the caches of a lane are no longer as they were when its loop began. */
// @ts-ignore: decorator
@inline
function hasChanged(context: usize, own: u64, group: usize, lastFlush: u32, seen: u32): bool {
  if (load<u32>(group, GROUP_LAST_FLUSH) != lastFlush || load<u32>(group, GROUP_SEEN) != seen) return true;
  return keyOf(0, 1, tagOf(context)) != own || (ofDevice && load<u32>(context, CONTEXT_CACHED) == 0);
}
