// One translation: l1, l2, then a walk; and what a page fault does to the caches of a CPU.
// Rules: docs/rules.md sections 4 and 6 (SDM 4.10.2, 4.10.4.1).

import { ABSENT, fault, isFault, NON_CANONICAL, reasonOf, SPECULATIVE, withoutSpeculativeWrite } from "../paging/access";
import {
  AGENT_FAULTS,
  AGENT_FLAGS,
  AGENT_L1,
  AGENT_L2,
  AGENT_TRANSLATIONS,
  addressMask,
  agentOf,
  CONTEXT_TAG,
  checkOf,
  IS_CPU,
  isCanonical,
} from "./agent";
import { CACHE_CLOCK, CACHE_HITS, CACHE_MISSES, CACHE_SEEN, dataAt, levelAt, TIME_USED, timesAt } from "../cache/layout";
import { CLOCK_LIMIT } from "../cache/living";
import { find, touch } from "../cache/lookup";
import { STALE, shiftOf } from "../paging/entry";
import { reportStaleHit } from "./hazard";
import { dropPath, dropTranslations } from "./invalidation";
import { count } from "../base/memory";
import { allowsAsCached, allowsOnceDirty, refusal } from "../paging/rights";
import { fillList, translated, walk } from "./walk";

/**
 * Translates an address for an access; see access.ts for the outcome. The common case, a hit of a small page in the first
 * cache, is all in here and makes no call: a call would have the host's compiler keep every value on the stack.
 */
export function translate(context: usize, va: u64, access: u32): u64 {
  const agent = agentOf(context);
  if (!isCanonical(va)) return nonCanonical(agent, access);
  const cache = load<usize>(agent, AGENT_L1);
  if (cache == 0 || !(load<u32>(cache, CACHE_SEEN) & 2)) return translateFrom(context, va, access, 0);
  const key = find(cache, (va & addressMask) >> shiftOf(1), 1, load<u32>(context, CONTEXT_TAG));
  if (key == 0) return translateFrom(context, va, access, 0);
  const leaf = load<u64>(dataAt(cache, key));
  if (!allowsAsCached(checkOf(context, withoutSpeculativeWrite(access)), leaf)) return translateFrom(context, va, access, key);
  const now = load<u32>(cache, CACHE_CLOCK) + 1;
  if (now >= CLOCK_LIMIT) return translateFrom(context, va, access, key);
  store<u32>(cache, now, CACHE_CLOCK);
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

/** The whole translation of a canonical address; `found` is the small page's key in the first l1 cache, 0 if not there. */
function translateFrom(context: usize, va: u64, access: u32, found: usize): u64 {
  const agent = agentOf(context);
  count(agent, AGENT_TRANSLATIONS);
  access = withoutSpeculativeWrite(access);
  const check = checkOf(context, access);
  const tag = load<u32>(context, CONTEXT_TAG);
  const page = va & addressMask;

  const first = agent + AGENT_L1;
  let cache: usize;
  for (let list = first; (cache = load<usize>(list)) != 0; list += 4) {
    let key = found;
    if (list != first) key = lookUp(cache, page, tag);
    else if (key == 0 && load<u32>(cache, CACHE_SEEN) != 2) {
      key = lookUpLarge(cache, page, tag, load<u32>(cache, CACHE_SEEN));
    }
    if (key != 0) {
      const leaf = load<u64>(dataAt(cache, key));
      if (allowsAsCached(check, leaf)) {
        touch(cache, key);
        return translated(leaf, levelAt(key), va);
      }
      if (leaf & STALE) {
        const outcome = staleHit(context, agent, va, access, cache, key);
        if (outcome != 0) return outcome;
      } else if (!allowsOnceDirty(check, leaf)) return refuse(context, agent, va, access, cache, key);
    }
    count(cache, CACHE_MISSES);
  }
  return beyondL1(context, agent, va, access);
}

/** The key of the entry that covers an address, of any size that the cache holds; 0 if there is none. */
// @ts-ignore: decorator
@inline
export function lookUp(cache: usize, page: u64, tag: u32): usize {
  const seen = load<u32>(cache, CACHE_SEEN);
  if (seen & 2) {
    const key = find(cache, page >> shiftOf(1), 1, tag);
    if (key != 0 || seen == 2) return key;
  }
  return lookUpLarge(cache, page, tag, seen);
}

function lookUpLarge(cache: usize, page: u64, tag: u32, seen: u32): usize {
  for (let level: u32 = 2; level <= 3; level++) {
    if (!(seen & (1 << level))) continue;
    const key = find(cache, page >> shiftOf(level), level, tag);
    if (key != 0) return key;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function beyondL1(context: usize, agent: usize, va: u64, access: u32): u64 {
  const check = checkOf(context, access);
  const tag = load<u32>(context, CONTEXT_TAG);
  const page = va & addressMask;
  let cache: usize;
  for (let list = agent + AGENT_L2; (cache = load<usize>(list)) != 0; list += 4) {
    const key = lookUp(cache, page, tag);
    if (key != 0) {
      const leaf = load<u64>(dataAt(cache, key));
      if (allowsAsCached(check, leaf)) {
        const level = levelAt(key);
        touch(cache, key);
        fillList(agent + AGENT_L1, va, level, tag, leaf);
        return translated(leaf, level, va);
      }
      if (leaf & STALE) {
        const outcome = staleHit(context, agent, va, access, cache, key);
        if (outcome != 0) {
          if (!isFault(outcome)) fillList(agent + AGENT_L1, va, levelAt(key), tag, leaf);
          return outcome;
        }
      } else if (!allowsOnceDirty(check, leaf)) return refuse(context, agent, va, access, cache, key);
    }
    count(cache, CACHE_MISSES);
  }
  const outcome = walk(context, agent, va, access);
  if (isFault(outcome)) afterFault(context, agent, page, access, outcome);
  return outcome;
}

/**
 * An entry whose page was unmapped after the entry was cached: it answers like any other, and its use is a hazard.
 * 0 if it does not answer (a write that it is not dirty for).
 */
function staleHit(context: usize, agent: usize, va: u64, access: u32, cache: usize, key: usize): u64 {
  const leaf = load<u64>(dataAt(cache, key));
  const check = checkOf(context, access);
  if (!allowsOnceDirty(check, leaf & ~STALE)) return refuse(context, agent, va, access, cache, key);
  if (!allowsAsCached(check, leaf & ~STALE)) return 0;
  touch(cache, key);
  reportStaleHit(agent, load<u32>(context, CONTEXT_TAG), va, access, leaf, levelAt(key));
  return translated(leaf, levelAt(key), va);
}

/** A hit whose rights refuse the access faults at once, from what is cached. */
function refuse(context: usize, agent: usize, va: u64, access: u32, cache: usize, key: usize): u64 {
  touch(cache, key);
  const outcome = refusal(context, access, load<u64>(dataAt(cache, key)), levelAt(key));
  afterFault(context, agent, va & addressMask, access, outcome);
  return outcome;
}

function afterFault(context: usize, agent: usize, page: u64, access: u32, outcome: u64): void {
  if (access & SPECULATIVE || reasonOf(outcome) == ABSENT) return;
  count(agent, AGENT_FAULTS);
  if (!(load<u32>(agent, AGENT_FLAGS) & IS_CPU)) return;
  const tag = load<u32>(context, CONTEXT_TAG);
  dropTranslations(agent, page, tag, true);
  dropPath(agent, page, tag);
}
