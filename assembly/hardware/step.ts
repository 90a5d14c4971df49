// Making the steps of walks under way (walks.ts), and waiting for them: docs/rules.md section 14. What a step does with the
// entry that it reads is the walker's (walk.ts, request.ts); here it stops after one.

import { MAX_WALKS } from "../base/limits";
import { count } from "../base/memory";
import { isWrite } from "../paging/access";
import { EntryAt, exchangeEntry } from "../paging/contents";
import { descend } from "../paging/descent";
import { allowsOnceMarked, leafMarks, TABLE_MARKS } from "../paging/format";
import { generationOf, LIVE_TABLE, siteOf, standing } from "../paging/frames";
import { addressMask } from "../paging/mode";
import { fault, INTERRUPT_RANGE, isFault, reasonOf, UNDER_WAY } from "../paging/outcome";
import { tableAt } from "../paging/tables";
import { AGENT_AD_WRITES, AGENT_ENTRY_READS, DRAIN_NONE, DRAIN_PAGE, hasFlag, IS_CPU } from "./agent";
import { takeAnswer } from "./answer";
import { agentOf, checkOf, nameOf } from "./context";
import { numbered } from "./fault-report";
import { fillPath } from "./fills";
import { detecting, FORGED_TRANSLATION, reportStep, worsen, WRITE_AFTER_FREE } from "./hazard";
import { settled } from "./hit";
import { Request } from "./request";
import { afterFault } from "./translate";
import { completeStepwise, leadsAstray, leafOf, refuse } from "./walk";
import {
  isUnderWay,
  letGo,
  OWN_BITS,
  standBefore,
  WALK_ACCESS,
  WALK_ADDRESS,
  WALK_AT,
  WALK_BELOW,
  WALK_CONTEXT,
  WALK_DEVICE_TLB,
  WALK_ENTRY,
  WALK_FRAME,
  WALK_GENERATION,
  WALK_LEVEL,
  WALK_MARKS,
  WALK_OWN,
  WALK_RECORD,
  WALK_RIGHTS,
  WALK_SITE,
  WALK_SLOT,
  WALK_WROTE,
  walkAt,
  walksAreUnderWay,
} from "./walks";

/** One step of a walk: a read of memory, or a setting of A or D. Its outcome, which is *under way* unless that was the last. */
export function stepWalk(number: u32): u64 {
  const walk = walkAt(number);
  if (!isUnderWay(walk)) return 0;
  const outcome = load<u32>(walk, WALK_MARKS) ? mark(walk) : read(walk);
  if (isFault(outcome) && reasonOf(outcome) == UNDER_WAY) return fault(UNDER_WAY, load<u32>(walk, WALK_LEVEL), 0);
  return end(walk, outcome);
}

/** The steps that are left; nothing may come in between. */
export function finishWalk(number: u32): u64 {
  let outcome = stepWalk(number);
  while (isUnderWay(walkAt(number))) outcome = stepWalk(number);
  return outcome;
}

function end(walk: usize, outcome: u64): u64 {
  const context = walk + WALK_CONTEXT;
  const va = load<u64>(walk, WALK_ADDRESS);
  letGo(walk);
  const agent = agentOf(context);
  if (isFault(outcome)) afterFault(context, agent, va & addressMask, load<u32>(walk, WALK_ACCESS), outcome);
  else if (load<u64>(walk, WALK_RECORD) != 0) worsen(load<u64>(walk, WALK_RECORD), load<u32>(walk, WALK_SITE), FORGED_TRANSLATION);
  if (hasFlag(agent, IS_CPU)) return outcome;
  const answer = isFault(outcome) ? numbered(context, outcome) : outcome;
  const deviceTlb = load<usize>(walk, WALK_DEVICE_TLB);
  if (deviceTlb == 0) return answer;
  const own = load<u32>(walk, WALK_OWN);
  return takeAnswer(deviceTlb, own >> OWN_BITS, context, va, own & ((1 << OWN_BITS) - 1), answer, false);
}

/** Rules 12.2 and 14.8: whether the table is no longer what the pointer that led to it meant. */
function look(walk: usize, byWrite: bool): void {
  if (!detecting) return;
  if (load<u64>(walk, WALK_RECORD) != 0) {
    if (!byWrite || load<u32>(walk, WALK_WROTE)) return;
    store<u32>(walk, 1, WALK_WROTE);
    worsen(load<u64>(walk, WALK_RECORD), load<u32>(walk, WALK_SITE), WRITE_AFTER_FREE);
    return;
  }
  const slot = load<u32>(walk, WALK_SLOT);
  const generation = load<u32>(walk, WALK_GENERATION);
  if (standing(slot) == (<u64>generation | LIVE_TABLE)) return;
  const context = walk + WALK_CONTEXT;
  const va = load<u64>(walk, WALK_ADDRESS);
  const access = load<u32>(walk, WALK_ACCESS);
  const level = load<u32>(walk, WALK_LEVEL);
  store<u64>(walk, reportStep(agentOf(context), nameOf(context), va, access, slot, level, generation, byWrite), WALK_RECORD);
  store<u32>(walk, siteOf(slot), WALK_SITE);
  store<u32>(walk, byWrite ? 1 : 0, WALK_WROTE);
}

// ---- scratch: nothing survives a call ----
/** The step in hand has met its entry; it goes on from one that it has marked, which is no second read of it. */
let met: bool = false;
let marked: bool = false;

function read(walk: usize): u64 {
  look(walk, false);
  return onward(walk, false);
}

/** Sets A or D if the entry is as it was read; if not, the next step reads it again (rule 14.7). */
function mark(walk: usize): u64 {
  const at = load<EntryAt>(walk, WALK_AT);
  const entry = load<u64>(walk, WALK_ENTRY);
  const level = load<u32>(walk, WALK_LEVEL);
  const marks = load<u32>(walk, WALK_MARKS);
  store<u32>(walk, 0, WALK_MARKS);
  if (!exchangeEntry(at, entry, entry | <u64>marks)) return fault(UNDER_WAY, level, 0);
  look(walk, true);
  count(agentOf(walk + WALK_CONTEXT), AGENT_AD_WRITES);
  return onward(walk, true);
}

function onward(walk: usize, fromMarked: bool): u64 {
  met = false;
  marked = fromMarked;
  const va = load<u64>(walk, WALK_ADDRESS);
  const access = load<u32>(walk, WALK_ACCESS);
  const level = load<u32>(walk, WALK_LEVEL);
  const frame = load<u64>(walk, WALK_FRAME);
  const slot = load<u32>(walk, WALK_SLOT);
  return descend<Step>(changetype<Step>(walk), walk + WALK_CONTEXT, va, access, level, frame, slot, load<u64>(walk, WALK_RIGHTS));
}

/** A descent that stops before its second entry; the visitor is the walk. */
@unmanaged
class Step extends Request {
  @inline
  target(level: u32, at: EntryAt): u64 {
    return met ? fault(UNDER_WAY, level, 0) : 0;
  }

  @inline
  read(entry: u64, level: u32, frame: u64): void {
    met = true;
    if (!marked) count(agentOf(changetype<usize>(this) + WALK_CONTEXT), AGENT_ENTRY_READS);
  }

  @inline
  leaf(context: usize, va: u64, access: u32, level: u32, at: EntryAt, entry: u64, rights: u64): u64 {
    const walk = changetype<usize>(this);
    const agent = agentOf(context);
    const leaf = leafOf(context, agent, va, level, entry, rights);
    const counted = settled(access, leaf);
    if (!allowsOnceMarked(checkOf(context, counted), leaf)) return refuse(context, agent, va, access, level, entry, leaf, false);
    if (leadsAstray(agent, va, level, leaf)) return fault(INTERRUPT_RANGE, level, 0);
    const marks = leafMarks(isWrite(counted));
    if ((entry & marks) != marks) return waitForMark(walk, level, at, entry, 0, marks);
    return completeStepwise(context, agent, va, level, leaf, marks);
  }

  @inline
  enter(context: usize, va: u64, level: u32, at: EntryAt, entry: u64, rights: u64, frame: u64): u32 {
    const walk = changetype<usize>(this);
    const slot = tableAt(context, frame);
    const generation = marked ? load<u32>(walk, WALK_BELOW) : generationOf(slot);
    if ((entry & TABLE_MARKS) != TABLE_MARKS) {
      waitForMark(walk, level, at, entry, generation, TABLE_MARKS);
      // Not the table below, which may be absent: the descent stops before it looks at any.
      return load<u32>(walk, WALK_SLOT);
    }
    fillPath(context, agentOf(context), va, level, entry, rights, slot, generation, false);
    standBefore(walk, level - 1, frame, slot, generation, rights);
    return slot;
  }
}

/** The entry has to be marked before the walk goes on. */
function waitForMark(walk: usize, level: u32, at: EntryAt, entry: u64, below: u32, marks: u64): u64 {
  store<u32>(walk, <u32>marks, WALK_MARKS);
  store<u64>(walk, entry, WALK_ENTRY);
  store<EntryAt>(walk, at, WALK_AT);
  store<u32>(walk, below, WALK_BELOW);
  return fault(UNDER_WAY, level, 0);
}

// ---- waiting: an invalidation is complete when the walks that began before it have ended (rules 14.11 to 14.14) ----

/** In place of a tag, which on an IOMMU is the PASID's index: walks with any. */
export const EVERY_TAG: u32 = 0xffff_ffff;
const EVERYWHERE: u64 = 0xffff_ffff_ffff_ffff;

/** An agent invalidates the pages from `first` to `last` (translated bits) of a tag; a CPU waits whatever the tag. */
// @ts-ignore: decorator
@inline
export function drainPages(agent: usize, tag: u32, first: u64, last: u64): void {
  if (walksAreUnderWay()) finishBefore(agent, tag, first, last, 0);
}

/** An agent invalidates all of a tag. */
// @ts-ignore: decorator
@inline
export function drain(agent: usize, tag: u32): void {
  if (walksAreUnderWay()) finishBefore(agent, tag, 0, EVERYWHERE, 0);
}

/** The TLB of a device is invalidated for the pages from `first` to `last` of a tag. */
export function drainDevice(deviceTlb: usize, tag: u32, first: u64, last: u64): void {
  if (walksAreUnderWay()) finishBefore(0, tag, first, last, deviceTlb);
}

function finishBefore(agent: usize, tag: u32, first: u64, last: u64, deviceTlb: usize): void {
  for (let number: u32 = 0; number < MAX_WALKS; number++) {
    const walk = walkAt(number);
    if (!isUnderWay(walk)) continue;
    const context = walk + WALK_CONTEXT;
    const walker = agentOf(context);
    if (deviceTlb != 0 ? load<usize>(walk, WALK_DEVICE_TLB) != deviceTlb : walker != agent) continue;
    if (hasFlag(walker, DRAIN_NONE)) continue;
    if (tag != EVERY_TAG && !hasFlag(walker, IS_CPU) && nameOf(context) != tag) continue;
    const page = load<u64>(walk, WALK_ADDRESS) & addressMask;
    if (hasFlag(walker, DRAIN_PAGE) && (page < first || page > last)) continue;
    finishWalk(number);
  }
}
