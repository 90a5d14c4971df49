// The walker: from the table that a paging-structure cache names (or the root) to the leaf; A and D are set, caches filled.
// Rules: docs/rules.md sections 3 and 5 (SDM 4.5 to 4.7, 4.10.3). The loop over the levels is paging/descent.ts.

import { count } from "../base/memory";
import { GROUP_CACHES } from "../cache/group";
import { CACHE_MISSES, dataAt, linkAt } from "../cache/layout";
import { findPath, touch } from "../cache/lookup";
import { isUser, isWrite } from "../paging/access";
import { contentsBase, EntryAt, entryIn, loadEntry, markEntry, MAY_CHANGE } from "../paging/contents";
import { AGAIN, descend } from "../paging/descent";
import {
  accumulate,
  allowsOnceMarked,
  answerOf,
  cachedLeaf,
  FULL_RIGHTS,
  frameIn,
  honoursGlobal,
  isAccessed,
  isGlobalLeaf,
  isLeaf,
  isPresent,
  isUserReachable,
  leadsOn,
  leafMarks,
  refusal,
  rightsOfPath,
  shiftOf,
  TABLE_MARKS,
  USER_REACHABLE,
  withMarks,
} from "../paging/format";
import { frameOf, generationOf, LIVE_TABLE, standing, stateOf, TABLE } from "../paging/frames";
import { addressMask, levels } from "../paging/mode";
import { fault, INTERRUPT_RANGE } from "../paging/outcome";
import { bucketsAt, bucketsShift, slotFrom } from "../paging/slots";
import { entryAt, indexAt, tableAt } from "../paging/tables";
import {
  AGENT_AD_WRITES,
  AGENT_ENTRY_READS,
  AGENT_WALKS,
  CACHE_SUPERVISOR_LEAVES,
  hasFlag,
  IS_CPU,
  pathsOf,
  pscOf,
  STOP_AT_SUPERVISOR,
} from "./agent";
import { agentOf, checkOf, controlsOf, formatOf, isMalformed, nameOf, pathTagOf, rootOf } from "./context";
import { refusesAddress } from "./fault-report";
import { fillLists, fillPath, fillTranslation } from "./fills";
import { badSlot, beginWalk, detecting, meet, meetWrite, reportWalk } from "./hazard";
import { settled } from "./hit";
import { Request } from "./request";
import { beginning, hold } from "./walks";

// ---- scratch: nothing survives a call ----
/** The leaf that the last completed translation used, as cached; a device TLB is filled with it. */
export let answeredLeaf: u64 = 0;

/** The walk is for a page that no translation cache of the agent holds: they are filled without a search for it. */
let nowhere: bool = false;

/** Outcome of a completed translation. */
// @ts-ignore: decorator
@inline
export function translated(leaf: u64, level: u32, va: u64): u64 {
  answeredLeaf = leaf;
  return answerOf(leaf, level, va);
}

/** Walks for an access that no translation cache answered; `absent`: nor did any hold an entry that covers the address. */
export function walk(context: usize, agent: usize, va: u64, access: u32, absent: bool): u64 {
  nowhere = absent;
  count(agent, AGENT_WALKS);
  beginWalk();
  const outcome = walkFrom(context, agent, va, access);
  if (badSlot != 0) reportWalk(agent, nameOf(context), va, access, outcome);
  return outcome;
}

/** Rule 12: whether the table is no longer what the pointer that led to it meant. */
// @ts-ignore: decorator
@inline
function watch(slot: u32, level: u32, generation: u32): void {
  if (standing(slot) != (<u64>generation | LIVE_TABLE)) meet(slot, level, generation);
}

/** Where the paging-structure cache of a level has the path of an address; 0 if it has not, which is counted. */
// @ts-ignore: decorator
@inline
function pathAt(context: usize, agent: usize, va: u64, level: u32): usize {
  const psc = pscOf(agent, level);
  if (psc == 0) return 0;
  const at = findPath(psc, (va & addressMask) >> shiftOf(level), pathTagOf(context));
  if (at == 0) count(psc, CACHE_MISSES);
  return at;
}

function pathAbove(context: usize, agent: usize, va: u64, level: u32): usize {
  return pathAt(context, agent, va, level);
}

/** Asks the paging-structure caches, lowest level first, and descends from what they know. */
// @ts-ignore: decorator
@inline
function walkFrom(context: usize, agent: usize, va: u64, access: u32): u64 {
  let level = levels;
  let rights = FULL_RIGHTS;
  let frame = rootOf(context);
  let slot: u32 = 0;
  let link: usize = 0;
  if (load<usize>(pathsOf(agent), GROUP_CACHES) != 0) {
    // Lowest level first. Not a loop, whose every turn would have the host look at its stack.
    let cached: u32 = 2;
    let at = pathAt(context, agent, va, 2);
    if (at == 0) at = pathAbove(context, agent, va, (cached = 3));
    if (at == 0 && levels >= 4) at = pathAbove(context, agent, va, (cached = 4));
    if (at == 0 && levels >= 5) at = pathAbove(context, agent, va, (cached = 5));
    if (at != 0) {
      const psc = pscOf(agent, cached);
      touch(psc, at);
      const path = load<u64>(dataAt(psc, at));
      rights = rightsOfPath(path);
      frame = frameIn(path);
      link = linkAt(psc, at);
      slot = load<u32>(link);
      assert(frame == 0 || slot == 0 || frameOf(slot) == frame, "a cached path and its link name different frames");
      level = cached - 1;
    }
  }
  if (beginning != 0) return onlyTo(context, va, access, level, frame, slot, link, rights);
  if (slot != 0) {
    if (detecting) watch(slot, level, load<u32>(link, 4));
  } else {
    slot = tableAt(context, frame);
    if (detecting && slot != 0) watch(slot, level, generationOf(slot));
  }
  return down(context, agent, va, access, level, frame, slot, rights);
}

/**
 * The descent with a copy of its common case: entries that plainly lead on (`leadsOn` of the format), and a small page at the
 * end. At the first entry that is anything else, `descend` takes over.
 */
// @ts-ignore: decorator
@inline
function down(context: usize, agent: usize, va: u64, access: u32, from: u32, root: u64, first: u32, path: u64): u64 {
  // A right without which the path ends.
  const needed: u64 = isUser(access) && hasFlag(agent, STOP_AT_SUPERVISOR) ? USER_REACHABLE : 0;
  // What the loop would look up at every level.
  const buckets = bucketsAt();
  const shift = bucketsShift();
  const contents = contentsBase();
  const format = formatOf(context);
  const watching = detecting;
  const caching = load<usize>(pathsOf(agent), GROUP_CACHES) != 0;
  let frame = root;
  let table = first;
  let rights = path;
  let level = from;
  while (level > 1) {
    if (table == 0) break;
    const entry = loadEntry(entryIn(contents, table, frame, indexAt(va, level)));
    if (!leadsOn(format, entry, level)) break;
    const so = accumulate(rights, entry);
    if ((so & needed) != needed) break;
    rights = so;
    frame = frameIn(entry);
    table = slotFrom(buckets, shift, frame);
    if (caching) fillPath(context, agent, va, level, entry, rights, table, generationOf(table), true);
    level--;
    if (watching && table != 0 && stateOf(table) != TABLE && badSlot == 0) meet(table, level, generationOf(table));
  }
  const visitor = changetype<Walk>(agent);
  count(agent, AGENT_ENTRY_READS, from - level);
  if (level == 1 && table != 0) {
    const at = entryAt(table, va, 1);
    const entry = loadEntry(at);
    if (isPresent(entry) && isLeaf(entry, 1) && !isMalformed(context, entry, 1, true)) {
      visitor.read(entry, 1, frame);
      const outcome = endAt(context, agent, va, access, 1, at, entry, accumulate(rights, entry));
      if (!MAY_CHANGE || outcome != 0) return outcome;
    }
  }
  return plainly(context, agent, va, access, level, frame, table, rights);
}

function plainly(context: usize, agent: usize, va: u64, access: u32, from: u32, frame: u64, table: u32, rights: u64): u64 {
  return descend<Walk>(changetype<Walk>(agent), context, va, access, from, frame, table, rights);
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
  target(level: u32, at: EntryAt): u64 {
    return 0;
  }

  @inline
  read(entry: u64, level: u32, frame: u64): void {
    count(changetype<usize>(this), AGENT_ENTRY_READS);
  }

  @inline
  leaf(context: usize, va: u64, access: u32, level: u32, at: EntryAt, entry: u64, rights: u64): u64 {
    return endAt(context, changetype<usize>(this), va, access, level, at, entry, rights);
  }

  /** Rule 3.5. */
  @inline
  enter(context: usize, va: u64, level: u32, at: EntryAt, entry: u64, rights: u64, frame: u64): u32 {
    const agent = changetype<usize>(this);
    if ((entry & TABLE_MARKS) != TABLE_MARKS && !writeBack(agent, at, entry, TABLE_MARKS)) return AGAIN;
    return this.pass(context, va, level, entry, rights, frame);
  }

  @inline
  pass(context: usize, va: u64, level: u32, entry: u64, rights: u64, frame: u64): u32 {
    const agent = changetype<usize>(this);
    const slot = tableAt(context, frame);
    // Absent: the walk has asked this cache, and those below, before it began higher up.
    fillPath(context, agent, va, level, entry, rights, slot, generationOf(slot), true);
    if (detecting && badSlot == 0 && slot != 0) watch(slot, level - 1, generationOf(slot));
    return slot;
  }
}

/** Rule 3.6; 0: the leaf has changed since it was read (rule 18.13). */
function endAt(context: usize, agent: usize, va: u64, access: u32, level: u32, at: EntryAt, entry: u64, rights: u64): u64 {
  const leaf = leafOf(context, agent, va, level, entry, rights);
  const counted = settled(access, leaf);
  if (!allowsOnceMarked(checkOf(context, counted), leaf)) return refuse(context, agent, va, access, level, entry, leaf, nowhere);
  if (leadsAstray(agent, va, level, leaf)) return fault(INTERRUPT_RANGE, level, 0);
  const marks = leafMarks(isWrite(counted));
  if ((entry & marks) != marks && !writeBack(agent, at, entry, marks)) return 0;
  return complete(context, agent, va, level, leaf, marks, nowhere);
}

// @ts-ignore: decorator
@inline
function writeBack(agent: usize, at: EntryAt, entry: u64, marks: u64): bool {
  if (!markEntry(at, entry, entry | marks)) return false;
  count(agent, AGENT_AD_WRITES);
  if (badSlot != 0) meetWrite();
  return true;
}

/** The leaf that a walk has read, as caches hold it. */
// @ts-ignore: decorator
@inline
export function leafOf(context: usize, agent: usize, va: u64, level: u32, entry: u64, rights: u64): u64 {
  const global = hasFlag(agent, IS_CPU) && isGlobalLeaf(entry, rights) && honoursGlobal(controlsOf(context));
  return cachedLeaf(entry, level, va, rights, global);
}

/** The leaf's rights refuse the access; rule 7.2 says when it is cached all the same. */
export function refuse(
  context: usize,
  agent: usize,
  va: u64,
  access: u32,
  level: u32,
  entry: u64,
  leaf: u64,
  absent: bool,
): u64 {
  const refused = refusal(formatOf(context), controlsOf(context), access, leaf, level);
  if (!hasFlag(agent, IS_CPU) && !isUserReachable(leaf) && isAccessed(entry) && hasFlag(agent, CACHE_SUPERVISOR_LEAVES)) {
    fillLists(context, agent, va, level, leaf, absent);
  }
  return refused;
}

/** Rule 7.16: an IOMMU refuses the address that the leaf gives. */
// @ts-ignore: decorator
@inline
export function leadsAstray(agent: usize, va: u64, level: u32, leaf: u64): bool {
  return !hasFlag(agent, IS_CPU) && refusesAddress(agent, answerOf(leaf, level, va));
}

/** The same as `complete`, for a walk made step by step: caches may hold the translation by now. */
export function completeStepwise(context: usize, agent: usize, va: u64, level: u32, leaf: u64, marks: u64): u64 {
  const marked = withMarks(leaf, marks);
  fillLists(context, agent, va, level, marked, false);
  return translated(marked, level, va);
}

/** The leaf is marked, and the walk completes. */
// @ts-ignore: decorator
@inline
function complete(context: usize, agent: usize, va: u64, level: u32, leaf: u64, marks: u64, absent: bool): u64 {
  const marked = withMarks(leaf, marks);
  fillTranslation(context, agent, va, level, marked, absent);
  return translated(marked, level, va);
}
