// The walker: from the table that a paging-structure cache names (or the root) to the leaf; A and D are set, caches filled.
// Rules: docs/rules.md sections 3 and 5 (SDM 4.5 to 4.7, 4.10.3). The loop over the levels is paging/descent.ts.

import { count } from "../base/memory";
import { fill } from "../cache/fill";
import { CACHE_LEVELS, CACHE_MISSES, dataAt, linkAt } from "../cache/layout";
import { find, touch } from "../cache/lookup";
import { isWrite } from "../paging/access";
import { descend } from "../paging/descent";
import {
  allowsOnceMarked,
  answerOf,
  cachedLeaf,
  cachedPath,
  FULL_RIGHTS,
  frameIn,
  honoursGlobal,
  isAccessed,
  isCachedGlobal,
  isGlobalLeaf,
  isUserReachable,
  leafMarks,
  refusal,
  rightsOfPath,
  shiftOf,
  TABLE_MARKS,
  withMarks,
} from "../paging/format";
import { generationOf, LIVE_TABLE, standing, frameOf } from "../paging/frames";
import { addressMask, levels } from "../paging/mode";
import { tableAt } from "../paging/tables";
import {
  AGENT_AD_WRITES,
  AGENT_ENTRY_READS,
  AGENT_L1,
  AGENT_L2,
  AGENT_WALKS,
  CACHE_SUPERVISOR_LEAVES,
  hasFlag,
  IS_CPU,
  PASS_SUPERVISOR_UNCACHED,
  pscOf,
} from "./agent";
import { checkOf, controlsOf, formatOf, rootOf, tagOf } from "./context";
import { badSlot, beginWalk, detecting, meet, meetWrite, reportWalk } from "./hazard";
import { PSC_KEY } from "./invalidation";
import { Request } from "./request";

// ---- scratch: nothing survives a call ----
/** The leaf that the last completed translation used, as cached; a device TLB is filled with it. */
export let answeredLeaf: u64 = 0;

/** Outcome of a completed translation. */
// @ts-ignore: decorator
@inline
export function translated(leaf: u64, level: u32, va: u64): u64 {
  answeredLeaf = leaf;
  return answerOf(leaf, level, va);
}

/** Walks for an access that no translation cache answered. */
export function walk(context: usize, agent: usize, va: u64, access: u32): u64 {
  count(agent, AGENT_WALKS);
  beginWalk();
  const outcome = walkFrom(context, agent, va, access);
  if (badSlot != 0) reportWalk(agent, tagOf(context), va, access, outcome);
  return outcome;
}

/** Rule 12: whether the table is no longer what the pointer that led to it meant. */
// @ts-ignore: decorator
@inline
function watch(slot: u32, level: u32, generation: u32): void {
  if (standing(slot) != (<u64>generation | LIVE_TABLE)) meet(slot, level, generation);
}

/** Asks the paging-structure caches, lowest level first, and descends from what they know. */
// @ts-ignore: decorator
@inline
function walkFrom(context: usize, agent: usize, va: u64, access: u32): u64 {
  const tag = tagOf(context);
  const page = va & addressMask;
  let level = levels;
  let rights = FULL_RIGHTS;
  let frame = rootOf(context);
  let slot: u32 = 0;
  for (let cached: u32 = 2; cached <= levels; cached++) {
    const psc = pscOf(agent, cached);
    if (psc == 0) continue;
    const at = find(psc, page >> shiftOf(cached), PSC_KEY, tag);
    if (at == 0) {
      count(psc, CACHE_MISSES);
      continue;
    }
    touch(psc, at);
    const path = load<u64>(dataAt(psc, at));
    rights = rightsOfPath(path);
    frame = frameIn(path);
    slot = load<u32>(linkAt(psc, at));
    assert(frame == 0 || slot == 0 || frameOf(slot) == frame, "a cached path and its link name different frames");
    level = cached - 1;
    if (detecting && slot != 0) watch(slot, level, load<u32>(linkAt(psc, at), 4));
    break;
  }
  if (slot == 0) {
    slot = tableAt(context, frame);
    if (detecting && slot != 0) watch(slot, level, generationOf(slot));
  }
  return descend<Walk>(changetype<Walk>(agent), context, va, access, level, frame, slot, rights);
}

/** What the walker does on its way; the visitor is the agent. */
@unmanaged
class Walk extends Request {
  @inline
  read(entry: u64, level: u32, frame: u64): void {
    count(changetype<usize>(this), AGENT_ENTRY_READS);
  }

  /** Rule 3.6. */
  @inline
  leaf(context: usize, va: u64, access: u32, level: u32, at: usize, entry: u64, rights: u64): u64 {
    const agent = changetype<usize>(this);
    const isCpu = hasFlag(agent, IS_CPU);
    const global = isCpu && isGlobalLeaf(entry, rights) && honoursGlobal(controlsOf(context));
    const leaf = cachedLeaf(entry, level, va, rights, global);
    if (!allowsOnceMarked(checkOf(context, access), leaf)) {
      const refused = refusal(formatOf(context), controlsOf(context), access, leaf, level);
      if (!isCpu && !isUserReachable(leaf) && isAccessed(entry) && hasFlag(agent, CACHE_SUPERVISOR_LEAVES)) {
        fillTranslation(context, agent, va, level, leaf);
      }
      return refused;
    }
    const marks = leafMarks(isWrite(access));
    if ((entry & marks) != marks) writeBack(agent, at, entry | marks);
    const marked = withMarks(leaf, marks);
    fillTranslation(context, agent, va, level, marked);
    return translated(marked, level, va);
  }

  /** Rule 3.5. */
  @inline
  enter(context: usize, va: u64, level: u32, at: usize, entry: u64, rights: u64, frame: u64): u32 {
    const agent = changetype<usize>(this);
    if ((entry & TABLE_MARKS) != TABLE_MARKS) writeBack(agent, at, entry | TABLE_MARKS);
    const slot = tableAt(context, frame);
    const psc = pscOf(agent, level);
    if (psc != 0 && (isUserReachable(rights) || !hasFlag(agent, PASS_SUPERVISOR_UNCACHED))) {
      const key = fill(psc, (va & addressMask) >> shiftOf(level), PSC_KEY, tagOf(context), false, cachedPath(entry, rights));
      store<u64>(linkAt(psc, key), <u64>slot | (<u64>generationOf(slot) << 32));
    }
    if (detecting && badSlot == 0 && slot != 0) watch(slot, level - 1, generationOf(slot));
    return slot;
  }
}

// @ts-ignore: decorator
@inline
function writeBack(agent: usize, at: usize, entry: u64): void {
  store<u64>(at, entry);
  count(agent, AGENT_AD_WRITES);
  if (badSlot != 0) meetWrite();
}

/** A completed walk fills l2, then l1. */
function fillTranslation(context: usize, agent: usize, va: u64, level: u32, leaf: u64): void {
  assert(level >= 1 && leaf != 0, "there is no leaf to fill with");
  const tag = tagOf(context);
  fillList(agent + AGENT_L2, va, level, tag, leaf);
  fillList(agent + AGENT_L1, va, level, tag, leaf);
}

/** Fills the cache of a list that holds leaves of this level, if there is one. */
// @ts-ignore: decorator
@inline
export function fillList(list: usize, va: u64, level: u32, tag: u32, leaf: u64): void {
  let cache: usize;
  while ((cache = load<usize>(list)) != 0) {
    if (load<u32>(cache, CACHE_LEVELS) & (1 << level)) {
      fill(cache, (va & addressMask) >> shiftOf(level), level, tag, isCachedGlobal(leaf), leaf);
      return;
    }
    list += sizeof<usize>();
  }
}
