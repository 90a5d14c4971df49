// The walker: from the table that a paging-structure cache names (or the root) to the leaf; A and D are set, caches filled.
// Rules: docs/rules.md sections 3 and 5 (SDM 4.5 to 4.7, 4.10.3). The loop over the levels is paging/descent.ts.

import { count } from "../base/memory";
import { fill, fillAbsent } from "../cache/fill";
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
import { frameOf, generationOf, LIVE_TABLE, setEntry, standing } from "../paging/frames";
import { addressMask, levels } from "../paging/mode";
import { fault, INTERRUPT_RANGE, levelOfOutcome } from "../paging/outcome";
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
import { agentOf, checkOf, controlsOf, formatOf, nameOf, pathTagOf, rootOf, tagOf } from "./context";
import { refusesAddress } from "./fault-report";
import { badSlot, beginWalk, detecting, meet, meetWrite, reportWalk } from "./hazard";
import { settled } from "./hit";
import { PSC_KEY } from "./invalidation";
import { Request } from "./request";
import { beginning, hold } from "./walks";

// ---- scratch: nothing survives a call ----
/** The leaf that the last completed translation used, as cached; a device TLB is filled with it. */
export let answeredLeaf: u64 = 0;

/** The walk is for a small page that is in no cache: they are filled without a search for it. */
let nowhere: bool = false;

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
  if (badSlot != 0) reportWalk(agent, nameOf(context), va, access, outcome);
  return outcome;
}

/** The same, where the first caches of l1 and l2 hold small pages, but not this one. */
export function walkForAbsent(context: usize, agent: usize, va: u64, access: u32): u64 {
  nowhere = true;
  const outcome = walk(context, agent, va, access);
  nowhere = false;
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
  const tag = pathTagOf(context);
  const page = va & addressMask;
  let level = levels;
  let rights = FULL_RIGHTS;
  let frame = rootOf(context);
  let slot: u32 = 0;
  let link: usize = 0;
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
    link = linkAt(psc, at);
    slot = load<u32>(link);
    assert(frame == 0 || slot == 0 || frameOf(slot) == frame, "a cached path and its link name different frames");
    level = cached - 1;
    break;
  }
  if (beginning != 0) return onlyTo(context, va, access, level, frame, slot, link, rights);
  if (slot != 0) {
    if (detecting) watch(slot, level, load<u32>(link, 4));
  } else {
    slot = tableAt(context, frame);
    if (detecting && slot != 0) watch(slot, level, generationOf(slot));
  }
  return descend<Walk>(changetype<Walk>(agent), context, va, access, level, frame, slot, rights);
}

/** The walk shall begin and no more: it waits before the first entry that it would read (walks.ts). */
function onlyTo(context: usize, va: u64, access: u32, level: u32, frame: u64, known: u32, link: usize, rights: u64): u64 {
  const slot = known != 0 ? known : tableAt(context, frame);
  if (slot == 0) return changetype<Walk>(agentOf(context)).absent(level, frame);
  const generation = known != 0 ? load<u32>(link, 4) : generationOf(slot);
  return hold(context, va, access, level, frame, slot, generation, rights);
}

/** What the walker does on its way; the visitor is the agent. */
@unmanaged
class Walk extends Request {
  @inline
  target(level: u32, at: usize): u64 {
    return 0;
  }

  @inline
  read(entry: u64, level: u32, frame: u64): void {
    count(changetype<usize>(this), AGENT_ENTRY_READS);
  }

  /** Rule 3.6. */
  @inline
  leaf(context: usize, va: u64, access: u32, level: u32, at: usize, entry: u64, rights: u64): u64 {
    const agent = changetype<usize>(this);
    const leaf = leafOf(context, agent, va, level, entry, rights);
    const counted = settled(access, leaf);
    if (!allowsOnceMarked(checkOf(context, counted), leaf)) return refuse(context, agent, va, access, level, entry, leaf);
    if (leadsAstray(agent, va, level, leaf)) return fault(INTERRUPT_RANGE, level, 0);
    const marks = leafMarks(isWrite(counted));
    if ((entry & marks) != marks) writeBack(agent, at, entry | marks);
    return complete(context, agent, va, level, leaf, marks);
  }

  /** Rule 3.5. */
  @inline
  enter(context: usize, va: u64, level: u32, at: usize, entry: u64, rights: u64, frame: u64): u32 {
    const agent = changetype<usize>(this);
    if ((entry & TABLE_MARKS) != TABLE_MARKS) writeBack(agent, at, entry | TABLE_MARKS);
    const slot = tableAt(context, frame);
    // Absent: the walk has asked this cache, and those below, before it began higher up.
    fillPath(context, agent, va, level, entry, rights, slot, generationOf(slot), true);
    if (detecting && badSlot == 0 && slot != 0) watch(slot, level - 1, generationOf(slot));
    return slot;
  }
}

// @ts-ignore: decorator
@inline
function writeBack(agent: usize, at: usize, entry: u64): void {
  setEntry(at, entry);
  count(agent, AGENT_AD_WRITES);
  if (badSlot != 0) meetWrite();
}

/** The leaf that a walk has read, as caches hold it. */
// @ts-ignore: decorator
@inline
export function leafOf(context: usize, agent: usize, va: u64, level: u32, entry: u64, rights: u64): u64 {
  const global = hasFlag(agent, IS_CPU) && isGlobalLeaf(entry, rights) && honoursGlobal(controlsOf(context));
  return cachedLeaf(entry, level, va, rights, global);
}

/** The leaf's rights refuse the access; rule 7.2 says when it is cached all the same. */
// @ts-ignore: decorator
@inline
export function refuse(context: usize, agent: usize, va: u64, access: u32, level: u32, entry: u64, leaf: u64): u64 {
  const refused = refusal(formatOf(context), controlsOf(context), access, leaf, level);
  if (!hasFlag(agent, IS_CPU) && !isUserReachable(leaf) && isAccessed(entry) && hasFlag(agent, CACHE_SUPERVISOR_LEAVES)) {
    fillTranslation(context, agent, va, level, leaf);
  }
  return refused;
}

/** Rule 7.16: an IOMMU refuses the address that the leaf gives. */
// @ts-ignore: decorator
@inline
export function leadsAstray(agent: usize, va: u64, level: u32, leaf: u64): bool {
  return !hasFlag(agent, IS_CPU) && refusesAddress(agent, answerOf(leaf, level, va));
}

/** The leaf is marked, and the walk completes. */
// @ts-ignore: decorator
@inline
export function complete(context: usize, agent: usize, va: u64, level: u32, leaf: u64, marks: u64): u64 {
  const marked = withMarks(leaf, marks);
  fillTranslation(context, agent, va, level, marked);
  return translated(marked, level, va);
}

/** The walk goes through an entry that is marked: its paging-structure cache is filled, with the table's generation when it was read. */
// @ts-ignore: decorator
@inline
export function fillPath(
  context: usize,
  agent: usize,
  va: u64,
  level: u32,
  entry: u64,
  rights: u64,
  slot: u32,
  generation: u32,
  absent: bool,
): void {
  const psc = pscOf(agent, level);
  if (psc == 0 || (!isUserReachable(rights) && hasFlag(agent, PASS_SUPERVISOR_UNCACHED))) return;
  const page = (va & addressMask) >> shiftOf(level);
  const key = absent
    ? fillAbsent(psc, page, PSC_KEY, pathTagOf(context), false, cachedPath(entry, rights))
    : fill(psc, page, PSC_KEY, pathTagOf(context), false, cachedPath(entry, rights));
  store<u64>(linkAt(psc, key), <u64>slot | (<u64>generation << 32));
}

/** A completed walk fills l2, then l1. */
function fillTranslation(context: usize, agent: usize, va: u64, level: u32, leaf: u64): void {
  assert(level >= 1 && leaf != 0, "there is no leaf to fill with");
  const tag = tagOf(context);
  if (nowhere && level == 1) {
    const page = (va & addressMask) >> shiftOf(1);
    fillAbsent(load<usize>(agent, AGENT_L2), page, 1, tag, isCachedGlobal(leaf), leaf);
    fillAbsent(load<usize>(agent, AGENT_L1), page, 1, tag, isCachedGlobal(leaf), leaf);
    return;
  }
  fillList(agent + AGENT_L2, va, level, tag, leaf);
  fillList(agent + AGENT_L1, va, level, tag, leaf);
}

/** A translation that completed fills the TLB of the device that asked, if it holds leaves of this size. */
export function fillDeviceTlb(deviceTlb: usize, tag: u32, va: u64, outcome: u64): void {
  const level = levelOfOutcome(outcome);
  if (!(load<u32>(deviceTlb, CACHE_LEVELS) & (1 << level))) return;
  fill(deviceTlb, (va & addressMask) >> shiftOf(level), level, tag, false, answeredLeaf);
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
