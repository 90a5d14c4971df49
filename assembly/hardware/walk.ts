// The walker: one loop over the levels, from the table that a paging-structure cache names (or the root) to the leaf.
// Rules: docs/rules.md sections 3 and 5 (SDM 4.5 to 4.7, 4.10.3).

import {
  ABSENT,
  attemptedBits,
  ERROR_P,
  ERROR_RSVD,
  fault,
  isUser,
  isWrite,
  NOT_PRESENT,
  OK_LEVEL_SHIFT,
  PGE,
  RESERVED,
  SUPERVISOR_PAGE,
} from "../paging/access";
import {
  AGENT_AD_WRITES,
  AGENT_ENTRY_READS,
  AGENT_FLAGS,
  AGENT_L1,
  AGENT_L2,
  AGENT_WALKS,
  addressMask,
  CACHE_SUPERVISOR_LEAVES,
  CONTEXT_CONTROLS,
  CONTEXT_ROOT,
  CONTEXT_TAG,
  checkOf,
  IS_CPU,
  levels,
  pscOf,
  reservedBits,
  STOP_AT_SUPERVISOR,
} from "./agent";
import { fill } from "../cache/fill";
import { CACHE_LEVELS, CACHE_MISSES, dataAt, linkAt } from "../cache/layout";
import { find, touch } from "../cache/lookup";
import { A, accumulate, D, FRAME, G, isLeaf, KEY, leafFrame, P, RIGHTS, RW, shiftOf, US } from "../paging/entry";
import { contentsOf, generationOf, slotOf, standing, TABLE } from "../paging/frames";
import { badSlot, beginWalk, detecting, meet, meetWrite, reportWalk } from "./hazard";
import { count } from "../base/memory";
import { allowsOnceDirty, refusal } from "../paging/rights";

/** Paging-structure caches hold one kind of entry; this stands for the level in their keys. */
export const PSC_KEY: u32 = 1;

/** State of a live table in the word that `standing` gives. */
const LIVE_TABLE: u64 = (<u64>TABLE) << 32;

/** The leaf that the last completed translation used, as cached; a device TLB is filled with it. */
export let answeredLeaf: u64 = 0;

/** Outcome of a completed translation. */
// @ts-ignore: decorator
@inline
export function translated(leaf: u64, level: u32, va: u64): u64 {
  answeredLeaf = leaf;
  const offset = va & (((<u64>1) << shiftOf(level)) - 1);
  return (leaf & FRAME) | offset | (<u64>level << OK_LEVEL_SHIFT);
}

// @ts-ignore: decorator
@inline
export function entryAddress(slot: u32, va: u64, level: u32): usize {
  return contentsOf(slot) + ((<usize>(va >> shiftOf(level)) & 511) << 3);
}

/** Walks for an access that no translation cache answered; sets A and D, fills the caches of the agent. */
export function walk(context: usize, agent: usize, va: u64, access: u32): u64 {
  count(agent, AGENT_WALKS);
  beginWalk();
  const outcome = descend(context, agent, va, access);
  if (badSlot != 0) reportWalk(agent, load<u32>(context, CONTEXT_TAG), va, access, outcome);
  return outcome;
}

/** Rule 12: whether the table is no longer what the pointer that led to it meant. */
// @ts-ignore: decorator
@inline
function watch(slot: u32, level: u32, generation: u32): void {
  if (standing(slot) != (<u64>generation | LIVE_TABLE)) meet(slot, level, generation);
}

// @ts-ignore: decorator
@inline
function descend(context: usize, agent: usize, va: u64, access: u32): u64 {
  const tag = load<u32>(context, CONTEXT_TAG);
  const page = va & addressMask;
  let level = levels;
  let rights = RW | US;
  let frame = load<u64>(context, CONTEXT_ROOT);
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
    const entry = load<u64>(dataAt(psc, at));
    rights = entry & RIGHTS;
    frame = (entry & FRAME) >> 12;
    slot = load<u32>(linkAt(psc, at));
    level = cached - 1;
    if (detecting && slot != 0) watch(slot, level, load<u32>(linkAt(psc, at), 4));
    break;
  }
  if (slot == 0) {
    slot = slotOf(frame);
    if (detecting && slot != 0) watch(slot, level, generationOf(slot));
  }

  while (true) {
    if (slot == 0) return fault(ABSENT, level, frame);
    const at = entryAddress(slot, va, level);
    const entry = load<u64>(at);
    count(agent, AGENT_ENTRY_READS);
    if (!(entry & P)) return fault(NOT_PRESENT, level, attemptedBits(access, load<u32>(context, CONTEXT_CONTROLS)));
    const leaf = isLeaf(entry, level);
    if (entry & reservedBits(context, level, leaf)) return malformed(context, access, level);
    rights = accumulate(rights, entry);
    if (leaf) return finish(context, agent, va, access, level, at, entry, rights);
    if (!(rights & US) && isUser(access) && load<u32>(agent, AGENT_FLAGS) & STOP_AT_SUPERVISOR) {
      return fault(SUPERVISOR_PAGE, level, ERROR_P | attemptedBits(access, load<u32>(context, CONTEXT_CONTROLS)));
    }
    if (!(entry & A)) writeBack(agent, at, entry | A);
    frame = (entry & FRAME) >> 12;
    slot = slotOf(frame);
    const psc = pscOf(agent, level);
    if (psc != 0) {
      const key = fill(psc, page >> shiftOf(level), PSC_KEY, tag, false, (entry & FRAME) | rights | P | A);
      store<u64>(linkAt(psc, key), <u64>slot | (<u64>generationOf(slot) << 32));
    }
    level--;
    if (detecting && badSlot == 0 && slot != 0) watch(slot, level, generationOf(slot));
  }
}

export function malformed(context: usize, access: u32, level: u32): u64 {
  return fault(RESERVED, level, ERROR_P | ERROR_RSVD | attemptedBits(access, load<u32>(context, CONTEXT_CONTROLS)));
}

// @ts-ignore: decorator
@inline
function writeBack(agent: usize, at: usize, entry: u64): void {
  store<u64>(at, entry);
  count(agent, AGENT_AD_WRITES);
  if (badSlot != 0) meetWrite();
}

/** Rule 3.6: the leaf of a walk. */
// @ts-ignore: decorator
@inline
function finish(context: usize, agent: usize, va: u64, access: u32, level: u32, at: usize, entry: u64, rights: u64): u64 {
  const isCpu = (load<u32>(agent, AGENT_FLAGS) & IS_CPU) != 0;
  const global = isCpu && (entry & G) != 0 && (load<u32>(context, CONTEXT_CONTROLS) & PGE) != 0;
  const leaf = leafFrame(entry, level) | (entry & (D | KEY)) | rights | (global ? G : 0) | P | A;
  if (!allowsOnceDirty(checkOf(context, access), leaf)) {
    const refused = refusal(context, access, leaf, level);
    if (!isCpu && !(leaf & US) && entry & A && load<u32>(agent, AGENT_FLAGS) & CACHE_SUPERVISOR_LEAVES) {
      fillTranslation(context, agent, va, level, leaf);
    }
    return refused;
  }
  const marks = isWrite(access) ? A | D : A;
  if ((entry & marks) != marks) writeBack(agent, at, entry | marks);
  const cached = leaf | (marks & D);
  fillTranslation(context, agent, va, level, cached);
  return translated(cached, level, va);
}

/** A completed walk fills l2, then l1. */
function fillTranslation(context: usize, agent: usize, va: u64, level: u32, leaf: u64): void {
  const tag = load<u32>(context, CONTEXT_TAG);
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
      fill(cache, (va & addressMask) >> shiftOf(level), level, tag, (leaf & G) != 0, leaf);
      return;
    }
    list += 4;
  }
}
