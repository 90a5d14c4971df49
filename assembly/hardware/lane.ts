// The lane: accesses of one CPU that follow each other in a program, played in one loop. The common case, a hit of a small page
// in the first l1 cache, is inlined and makes no call, so the host's compiler keeps its values in registers; clock and counters
// are written down when something else looks at them. A hit in l2 and a walk are told what the look-up before them found.
//
// It is a copy of the first lines of `translate` and of what follows them (translate.ts), for caches that hold small pages only:
// whatever else there is goes through `translate`. test/engine/lane.test.ts holds it to what single accesses do.

import { operationNumber, setOperationNumber } from "../base/clock";
import { count } from "../base/memory";
import { addressIn, OPERATION_SIZE, requesterIn, typeIn } from "../base/record";
import { fillAbsent } from "../cache/fill";
import { CACHE_CLOCK, CACHE_HITS, CACHE_MISSES, CACHE_SEEN, dataAt, TIME_USED, timesAt } from "../cache/layout";
import { CLOCK_LIMIT } from "../cache/living";
import { find, touch } from "../cache/lookup";
import { withoutSpeculativeWrite } from "../paging/access";
import { allowsAsCached, answerOf, isCachedGlobal, shiftOf } from "../paging/format";
import { addressMask, isCanonical } from "../paging/mode";
import { isFault, levelOfOutcome } from "../paging/outcome";
import { AGENT_L1, AGENT_L2, AGENT_TRANSLATIONS } from "./agent";
import { agentOf, checkOf, tagOf } from "./context";
import { contextOf, isCpu } from "./requesters";
import { afterFault, translate } from "./translate";
import { walkForAbsent } from "./walk";

/** Ticks before the clock's limit at which the lane leaves hits to `translate`: more than records are played at once. */
const MARGIN: u32 = 1 << 24;
/** Bit of CACHE_SEEN: leaves of small pages. */
const SMALL: u32 = 1 << 1;

/** Whether accesses of a requester have a lane: it is a CPU with a cache. */
// @ts-ignore: decorator
@inline
export function hasLane(requester: u32): bool {
  return isCpu(requester) && load<usize>(agentOf(contextOf(requester)), AGENT_L1) != 0;
}

/**
 * Plays records from `first` on for as long as they begin alike: accesses of one kind by one requester. Returns where it stopped;
 * each outcome goes to `results`, unless that is 0.
 */
export function playLane(first: usize, end: usize, results: usize): usize {
  assert(<u32>((end - first) / OPERATION_SIZE) < MARGIN, "the clock may run past its limit");
  const context = contextOf(requesterIn(first));
  const access = typeIn(first);
  const agent = agentOf(context);
  const l1 = load<usize>(agent, AGENT_L1);
  const tag = tagOf(context);
  const check = checkOf(context, withoutSpeculativeWrite(access));
  const head = load<u32>(first);
  const number = operationNumber();
  let at = first;
  let out = results;
  let now = load<u32>(l1, CACHE_CLOCK);
  let then = now;
  let usable = hasSmall(l1);
  let l2 = plainL2(agent);
  do {
    const va = addressIn(at);
    let outcome: u64 = 0;
    if (usable && isCanonical(va)) {
      const key = find(l1, (va & addressMask) >> shiftOf(1), 1, tag);
      if (key != 0) {
        const leaf = load<u64>(dataAt(l1, key));
        if (allowsAsCached(check, leaf)) {
          store<u32>(timesAt(l1, key), ++now, TIME_USED);
          outcome = answerOf(leaf, 1, va);
        }
      } else if (l2 != 0) {
        settle(agent, l1, now, then);
        setOperationNumber(number + <u64>((at - first) / OPERATION_SIZE));
        outcome = throughL2(context, agent, l1, l2, va, access);
        then = now = load<u32>(l1, CACHE_CLOCK);
        // The walk may have filled with a large page.
        if (!isFault(outcome) && levelOfOutcome(outcome) > 1) l2 = plainL2(agent);
      }
    }
    if (outcome == 0) {
      settle(agent, l1, now, then);
      setOperationNumber(number + <u64>((at - first) / OPERATION_SIZE));
      outcome = translate(context, va, access);
      then = now = load<u32>(l1, CACHE_CLOCK);
      usable = hasSmall(l1);
      l2 = plainL2(agent);
    }
    if (results != 0) {
      store<u64>(out, outcome);
      out += 8;
    }
    at += OPERATION_SIZE;
  } while (at < end && load<u32>(at) == head);
  settle(agent, l1, now, then);
  return at;
}

// @ts-ignore: decorator
@inline
function hasSmall(l1: usize): bool {
  return (load<u32>(l1, CACHE_SEEN) & SMALL) != 0 && load<u32>(l1, CACHE_CLOCK) < CLOCK_LIMIT - MARGIN;
}

/** Writes down the hits since a time. */
// @ts-ignore: decorator
@inline
function settle(agent: usize, l1: usize, now: u32, then: u32): void {
  const hits = <u64>(now - then);
  store<u32>(l1, now, CACHE_CLOCK);
  count(l1, CACHE_HITS, hits);
  count(agent, AGENT_TRANSLATIONS, hits);
}

/** The first l2 cache if small pages are all that it and the first l1 cache hold, and others hold nothing; else 0. */
function plainL2(agent: usize): usize {
  return holdsSmallOnly(agent + AGENT_L1) && holdsSmallOnly(agent + AGENT_L2) ? load<usize>(agent, AGENT_L2) : 0;
}

function holdsSmallOnly(list: usize): bool {
  let cache = load<usize>(list);
  if (cache == 0 || load<u32>(cache, CACHE_SEEN) != SMALL) return false;
  for (let at = list + sizeof<usize>(); (cache = load<usize>(at)) != 0; at += sizeof<usize>()) {
    if (load<u32>(cache, CACHE_SEEN) != 0) return false;
  }
  return true;
}

/** A small page that l1 does not hold: from l2, which fills l1, or by a walk. 0 if l2 holds it and does not plainly answer. */
function throughL2(context: usize, agent: usize, l1: usize, l2: usize, va: u64, asked: u32): u64 {
  const tag = tagOf(context);
  const access = withoutSpeculativeWrite(asked);
  const page = (va & addressMask) >> shiftOf(1);
  const at = find(l2, page, 1, tag);
  if (at == 0) return byWalk(context, agent, va, access);
  const leaf = load<u64>(dataAt(l2, at));
  if (!allowsAsCached(checkOf(context, access), leaf)) return 0;
  count(agent, AGENT_TRANSLATIONS);
  countMisses(agent + AGENT_L1);
  touch(l2, at);
  fillAbsent(l1, page, 1, tag, isCachedGlobal(leaf), leaf);
  return answerOf(leaf, 1, va);
}

function byWalk(context: usize, agent: usize, va: u64, access: u32): u64 {
  count(agent, AGENT_TRANSLATIONS);
  countMisses(agent + AGENT_L1);
  countMisses(agent + AGENT_L2);
  const outcome = walkForAbsent(context, agent, va, access);
  if (isFault(outcome)) afterFault(context, agent, va & addressMask, access, outcome);
  return outcome;
}

/** Every cache of a list was asked. */
// @ts-ignore: decorator
@inline
function countMisses(list: usize): void {
  let cache: usize;
  for (let at = list; (cache = load<usize>(at)) != 0; at += sizeof<usize>()) count(cache, CACHE_MISSES);
}
