// Invalidation on a CPU: INVLPG, INVPCID, MOV CR3, MOV CR4 (docs/rules.md section 6; SDM 4.10.4.1).

import { PCIDS } from "../base/limits";
import { count } from "../base/memory";
import { GENERAL_PROTECTION, refuse } from "../base/refusals";
import { PAGE_SHIFT } from "../paging/format";
import { addressMask, isCanonical } from "../paging/mode";
import { PCIDE, PGE, SMEP } from "../paging/x86-64/controls";
import { AGENT_INVALIDATIONS, hasFlag, INVLPG_ALL, INVLPG_PATH, IS_CPU } from "./agent";
import { agentOf, CONTEXT_ROOT, controlsOf, setContextTag, setControls, tagOf } from "./context";
import {
  dropPath,
  dropPathRange,
  dropTranslationRange,
  dropTranslations,
  flushBoth,
  flushPagingStructures,
  GLOBALS,
  GLOBALS_AND_OTHER_TAGS,
  NOTHING,
} from "./invalidation";
import { drain, drainPages, EVERY_TAG } from "./step";
import { walksAreUnderWay } from "./walks";

export const INVPCID_ADDRESS: u32 = 0;
export const INVPCID_CONTEXT: u32 = 1;
export const INVPCID_ALL: u32 = 2;
export const INVPCID_ALL_BUT_GLOBAL: u32 = 3;

/** What INVLPG does to the paging-structure caches depends on the processor. */
// @ts-ignore: decorator
@inline
export function dropPagingStructures(agent: usize, page: u64, tag: u32): void {
  if (hasFlag(agent, INVLPG_PATH)) dropPath(agent, page, tag);
  else flushPagingStructures(agent, hasFlag(agent, INVLPG_ALL) ? NOTHING : GLOBALS_AND_OTHER_TAGS, tag);
}

/** With an address that is not canonical it does nothing, and is counted all the same. */
export function invlpg(context: usize, va: u64): void {
  assert(hasFlag(agentOf(context), IS_CPU), "not a CPU");
  count(agentOf(context), AGENT_INVALIDATIONS);
  if (isCanonical(va)) dropPage(context, va & addressMask);
}

/** What INVLPG drops, for the translated bits of an address. */
function dropPage(context: usize, va: u64): void {
  const agent = agentOf(context);
  const tag = tagOf(context);
  drainPages(agent, tag, va & ~0xfff, va | 0xfff);
  dropTranslations(agent, va, tag, true);
  dropPagingStructures(agent, va, tag);
}

/** INVLPG of each 4 KiB page from `start` for `pages` pages, none beyond 2^64. Pages that are not canonical drop nothing. */
export function invlpgRange(context: usize, start: u64, pages: u64): void {
  assert(hasFlag(agentOf(context), IS_CPU), "not a CPU");
  if (pages == 0) return;
  const first = start & ~0xfff;
  const reached = min<u64>(pages, (~first >> PAGE_SHIFT) + 1);
  const last = first + ((reached - 1) << PAGE_SHIFT) + 0xfff;
  count(agentOf(context), AGENT_INVALIDATIONS, reached);
  const lower = addressMask >> 1;
  if (first <= lower) dropRange(context, first, min<u64>(last, lower));
  if (last >= ~lower) dropRange(context, max<u64>(first, ~lower), last);
}

/**
 * The same for whole pages, canonical and of one half. The translation caches see one range; if nothing is filled in between,
 * that leaves what page after page would have left. Walks under way do fill.
 */
function dropRange(context: usize, start: u64, end: u64): void {
  if (walksAreUnderWay()) {
    const pages = ((end - start) >> PAGE_SHIFT) + 1;
    for (let page: u64 = 0; page < pages; page++) dropPage(context, (start & addressMask) + (page << PAGE_SHIFT));
    return;
  }
  const agent = agentOf(context);
  const tag = tagOf(context);
  const first = start & addressMask;
  const last = end & addressMask;
  dropTranslationRange(agent, first, last, tag, true);
  if (hasFlag(agent, INVLPG_PATH)) dropPathRange(agent, first, last, tag);
  else dropPagingStructures(agent, first, tag);
}

/** False if the instruction is a general-protection fault, which drops nothing and counts nothing. */
export function invpcid(context: usize, type: u32, tag: u32, va: u64): bool {
  assert(type <= INVPCID_ALL_BUT_GLOBAL, "there is no such type of INVPCID");
  assert(hasFlag(agentOf(context), IS_CPU), "not a CPU");
  const agent = agentOf(context);
  if (type == INVPCID_ADDRESS && !isCanonical(va)) return refuse(GENERAL_PROTECTION);
  if (type <= INVPCID_CONTEXT && tag != 0 && !(controlsOf(context) & PCIDE)) return refuse(GENERAL_PROTECTION);
  count(agent, AGENT_INVALIDATIONS);
  if (type == INVPCID_ADDRESS) {
    drainPages(agent, tag, va & addressMask & ~0xfff, (va & addressMask) | 0xfff);
    dropTranslations(agent, va & addressMask, tag, false);
    dropPath(agent, va & addressMask, tag);
  } else if (type == INVPCID_CONTEXT) {
    drain(agent, tag);
    flushBoth(agent, GLOBALS_AND_OTHER_TAGS, tag);
  } else {
    drain(agent, EVERY_TAG);
    flushBoth(agent, type == INVPCID_ALL ? NOTHING : GLOBALS, 0);
  }
  return true;
}

/** MOV CR3. `root` is a frame number; the lowest PCID is 0, the only one without CR4.PCIDE. */
export function movToCr3(context: usize, root: u64, pcid: u32, noFlush: bool): void {
  assert(hasFlag(agentOf(context), IS_CPU), "not a CPU");
  assert(pcid < PCIDS, "a PCID has 12 bits");
  const hasPcids = (controlsOf(context) & PCIDE) != 0;
  const tag = hasPcids ? pcid : 0;
  drain(agentOf(context), EVERY_TAG);
  store<u64>(context, root, CONTEXT_ROOT);
  setContextTag(context, tag);
  if (hasPcids && noFlush) return;
  count(agentOf(context), AGENT_INVALIDATIONS);
  flushBoth(agentOf(context), GLOBALS_AND_OTHER_TAGS, tag);
}

/** MOV to CR0, CR4, EFER, RFLAGS or PKRU: new controls, and the invalidations that some changes imply. */
export function changeControls(context: usize, controls: u32, pkru: u32): void {
  assert(hasFlag(agentOf(context), IS_CPU), "not a CPU");
  const before = controlsOf(context);
  const agent = agentOf(context);
  drain(agent, EVERY_TAG);
  setControls(context, controls, pkru);
  if ((before ^ controls) & PGE || before & ~controls & PCIDE) {
    count(agent, AGENT_INVALIDATIONS);
    flushBoth(agent, NOTHING, 0);
    if (!(controls & PCIDE)) setContextTag(context, 0);
  } else if (~before & controls & SMEP) {
    count(agent, AGENT_INVALIDATIONS);
    flushBoth(agent, GLOBALS_AND_OTHER_TAGS, tagOf(context));
  }
}

/** CR4.PGE off and on again, the classic way to drop everything; or INVPCID type 2, which does the same. */
export function flushEverything(context: usize): void {
  count(agentOf(context), AGENT_INVALIDATIONS);
  drain(agentOf(context), EVERY_TAG);
  flushBoth(agentOf(context), NOTHING, 0);
}
