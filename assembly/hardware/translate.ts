// One translation: l1, l2, then a walk; and what a page fault does to the caches of a CPU.
// Rules: docs/rules.md sections 4 and 6 (SDM 4.10.2, 4.10.4.1).

import { count } from "../base/memory";
import { fillAbsent } from "../cache/fill";
import { GROUP_CLOCK, GROUP_SEEN } from "../cache/group";
import { CACHE_HITS, CACHE_MISSES, dataAt, groupOf, levelAt, seenIn, TIME_USED, timesAt } from "../cache/layout";
import { CLOCK_LIMIT } from "../cache/living";
import { find, touch } from "../cache/lookup";
import { SPECULATIVE, withoutSpeculativeWrite, ACCESS_CODES } from "../paging/access";
import { allowsAsCached, isCachedGlobal, refusal, shiftOf } from "../paging/format";
import { addressMask, isCanonical } from "../paging/mode";
import { ABSENT, fault, isFault, NON_CANONICAL, reasonOf, UNDER_WAY } from "../paging/outcome";
import {
  AGENT_FAULTS,
  AGENT_L1,
  AGENT_L2,
  AGENT_SMALL_FIRST,
  AGENT_TRANSLATIONS,
  IS_CPU,
  MAX_CACHES,
  SMALL,
  hasFlag,
  leavesOf,
} from "./agent";
import { agentOf, checkOf, controlsOf, formatOf, nameOf, pathTagOf, tagOf } from "./context";
import { fillList } from "./fills";
import { reportStaleHit } from "./hazard";
import { ALLOWED, judge, lookUpLarge, lookUpRarely, mayBeLarge, MISS, REFUSED, settled, STALE_HIT } from "./hit";
import { dropPath, dropTranslations } from "./invalidation";
import { translated, walk } from "./walk";

/** Translates an address for an access; see outcome.ts for the result. */
export function translate(context: usize, va: u64, access: u32): u64 {
  return translateHere(context, va, access);
}

/**
 * The same for who asks for others. The common case, a hit of a small page in the first cache, is all in here and makes no call: a call
 * would have the host's compiler keep every value on the stack. It is the one copy of the hit rule (hit.ts, ALLOWED) and of `touch`.
 */
// @ts-ignore: decorator
@inline
export function translateHere(context: usize, va: u64, access: u32): u64 {
  assert(access < ACCESS_CODES, "there is no such access");
  const agent = agentOf(context);
  if (!isCanonical(va)) return nonCanonical(agent, access);
  const cache = load<usize>(agent, AGENT_L1);
  if (cache == 0 || !(seenIn(cache) & SMALL)) return translateFrom(context, va, access, 0);
  const key = find(cache, (va & addressMask) >> shiftOf(1), 1, tagOf(context));
  if (key == 0) return translateFrom(context, va, access, 0);
  const leaf = load<u64>(dataAt(cache, key));
  if (!allowsAsCached(checkOf(context, withoutSpeculativeWrite(access)), leaf)) return translateFrom(context, va, access, key);
  const group = groupOf(cache);
  const now = load<u32>(group, GROUP_CLOCK) + 1;
  if (now >= CLOCK_LIMIT) return translateFrom(context, va, access, key);
  store<u32>(group, now, GROUP_CLOCK);
  store<u32>(timesAt(cache, key), now, TIME_USED);
  count(cache, CACHE_HITS);
  count(agent, AGENT_TRANSLATIONS);
  return translated(leaf, 1, va);
}

function nonCanonical(agent: usize, access: u32): u64 {
  count(agent, AGENT_TRANSLATIONS);
  if (!(access & SPECULATIVE)) count(agent, AGENT_FAULTS);
  return fault(NON_CANONICAL, 0, 0);
}

/**
 * The whole translation of a canonical address that the common case has left; `found` is the small page's key in the first l1
 * cache, 0 if not there. Where there are small pages only, in the first cache of each list, its first lines know the way.
 */
export function translateFrom(context: usize, va: u64, asked: u32, found: usize): u64 {
  assert(isCanonical(va), "the address is not canonical");
  const agent = agentOf(context);
  const access = withoutSpeculativeWrite(asked);
  const tag = tagOf(context);
  if (found == 0 && isSmallOnly(agent, va)) {
    const small = (va & addressMask) >> shiftOf(1);
    const l2 = load<usize>(agent, AGENT_L2);
    const key: usize = l2 == 0 ? 0 : find(l2, small, 1, tag);
    if (key == 0) return walkNowhere(context, agent, va, access);
    const leaf = load<u64>(dataAt(l2, key));
    if (allowsAsCached(checkOf(context, access), leaf)) {
      count(agent, AGENT_TRANSLATIONS);
      countMisses(agent + AGENT_L1);
      touch(l2, key);
      fillAbsent(load<usize>(agent, AGENT_L1), small, 1, tag, isCachedGlobal(leaf), leaf);
      return translated(leaf, 1, va);
    }
  }
  count(agent, AGENT_TRANSLATIONS);
  const page = va & addressMask;
  const first = agent + AGENT_L1;
  let absent = true;
  let cache: usize;
  for (let list = first; (cache = load<usize>(list)) != 0; list += sizeof<usize>()) {
    let key = found;
    if (list != first) key = lookUpRarely(cache, page, tag);
    else if (key == 0 && seenIn(cache) != SMALL) {
      key = lookUpLarge(cache, page, tag, seenIn(cache));
    }
    if (key != 0) {
      const verdict = judgeFor(context, access, load<u64>(dataAt(cache, key)));
      if (verdict != MISS) return answer(context, agent, va, access, cache, key, verdict);
      absent = false;
    }
    count(cache, CACHE_MISSES);
  }
  const absentInL1 = absent;
  for (let list = agent + AGENT_L2; (cache = load<usize>(list)) != 0; list += sizeof<usize>()) {
    const key = lookUpRarely(cache, page, tag);
    if (key != 0) {
      const verdict = judgeFor(context, access, load<u64>(dataAt(cache, key)));
      if (verdict != MISS) {
        const outcome = answer(context, agent, va, access, cache, key, verdict);
        // A refused hit fills no l1; a copy keeps its mark.
        if (verdict != REFUSED) fillList(agent + AGENT_L1, va, levelAt(key), tag, load<u64>(dataAt(cache, key)), absentInL1);
        return outcome;
      }
      absent = false;
    }
    count(cache, CACHE_MISSES);
  }
  return byWalk(context, agent, va, access, absent);
}

/** Whether all that an agent's caches may hold for an address are small pages, in the first of each list. */
// @ts-ignore: decorator
@inline
export function isSmallOnly(agent: usize, va: u64): bool {
  const group = leavesOf(agent);
  return load<u32>(group, GROUP_SEEN) & SMALL && load<u32>(agent, AGENT_SMALL_FIRST) && !mayBeLarge(group, va & addressMask);
}

/** A walk for an access that no translation cache has anything for, as those with small pages only know by one look each. */
// @ts-ignore: decorator
@inline
export function walkNowhere(context: usize, agent: usize, va: u64, access: u32): u64 {
  count(agent, AGENT_TRANSLATIONS);
  countMisses(agent + AGENT_L1);
  countMisses(agent + AGENT_L2);
  return byWalk(context, agent, va, access, true);
}

/** Every cache of a list was asked: two or three where the format has three page sizes, and no loop for them. */
// @ts-ignore: decorator
@inline
export function countMisses(list: usize, by: u64 = 1): void {
  const first = load<usize>(list);
  if (first == 0) return;
  count(first, CACHE_MISSES, by);
  const second = load<usize>(list, sizeof<usize>());
  if (second == 0) return;
  count(second, CACHE_MISSES, by);
  const third = load<usize>(list, 2 * sizeof<usize>());
  if (third == 0) return;
  count(third, CACHE_MISSES, by);
  if (MAX_CACHES == 3) return;
  let cache: usize;
  for (let at = list + 3 * sizeof<usize>(); (cache = load<usize>(at)) != 0; at += sizeof<usize>()) count(cache, CACHE_MISSES, by);
}

// @ts-ignore: decorator
@inline
function judgeFor(context: usize, access: u32, leaf: u64): u32 {
  return judge(checkOf(context, settled(access, leaf)), leaf);
}

// @ts-ignore: decorator
@inline
function byWalk(context: usize, agent: usize, va: u64, access: u32, absent: bool): u64 {
  const outcome = walk(context, agent, va, access, absent);
  if (isFault(outcome)) afterFault(context, agent, va & addressMask, access, outcome);
  return outcome;
}

/** A hit, whatever comes of it: the entry is touched. */
function answer(context: usize, agent: usize, va: u64, access: u32, cache: usize, key: usize, verdict: u32): u64 {
  assert(key != 0 && verdict != MISS, "a miss answers nothing");
  touch(cache, key);
  const leaf = load<u64>(dataAt(cache, key));
  if (verdict != ALLOWED) return answerOther(context, agent, va, access, leaf, levelAt(key), verdict);
  return translated(leaf, levelAt(key), va);
}

/** A stale translation answers like any other, and its use is a hazard; rights that refuse fault at once, from what is cached. */
function answerOther(context: usize, agent: usize, va: u64, access: u32, leaf: u64, level: u32, verdict: u32): u64 {
  if (verdict == STALE_HIT) {
    reportStaleHit(agent, nameOf(context), va, access, leaf, level);
    return translated(leaf, level, va);
  }
  const outcome = refusal(formatOf(context), controlsOf(context), access, leaf, level);
  afterFault(context, agent, va & addressMask, access, outcome);
  return outcome;
}

/** What a fault does besides: it is counted, and on a CPU it drops what is cached for the address (rule 6.1). */
export function afterFault(context: usize, agent: usize, page: u64, access: u32, outcome: u64): void {
  assert(isFault(outcome), "not a fault");
  if (access & SPECULATIVE || reasonOf(outcome) == ABSENT || reasonOf(outcome) == UNDER_WAY) return;
  count(agent, AGENT_FAULTS);
  if (!hasFlag(agent, IS_CPU)) return;
  dropTranslations(agent, page, tagOf(context), true);
  dropPath(agent, page, pathTagOf(context));
}
