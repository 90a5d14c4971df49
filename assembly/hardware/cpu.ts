// Invalidation on a CPU: INVLPG, INVPCID, MOV CR3, MOV CR4 (docs/rules.md section 6; SDM 4.10.4.1).

import { PCIDS } from "../base/limits";
import { count } from "../base/memory";
import { addressMask } from "../paging/mode";
import { PCIDE, PGE, SMEP } from "../paging/x86-64/controls";
import { AGENT_INVALIDATIONS, hasFlag, INVLPG_ALL, INVLPG_PATH, IS_CPU } from "./agent";
import { agentOf, CONTEXT_ROOT, CONTEXT_TAG, controlsOf, setControls, tagOf } from "./context";
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
function dropPagingStructures(agent: usize, page: u64, tag: u32): void {
  if (hasFlag(agent, INVLPG_PATH)) dropPath(agent, page, tag);
  else flushPagingStructures(agent, hasFlag(agent, INVLPG_ALL) ? NOTHING : GLOBALS_AND_OTHER_TAGS, tag);
}

export function invlpg(context: usize, va: u64): void {
  assert(hasFlag(agentOf(context), IS_CPU), "not a CPU");
  const agent = agentOf(context);
  const tag = tagOf(context);
  count(agent, AGENT_INVALIDATIONS);
  drainPages(agent, tag, va & addressMask & ~0xfff, (va & addressMask) | 0xfff);
  dropTranslations(agent, va & addressMask, tag, true);
  dropPagingStructures(agent, va & addressMask, tag);
}

/**
 * INVLPG of each 4 KiB page from `start` for `pages` pages. The translation caches see one range; if nothing is filled in
 * between, that leaves what page after page would have left. Walks under way do fill.
 */
export function invlpgRange(context: usize, start: u64, pages: u64): void {
  assert(hasFlag(agentOf(context), IS_CPU), "not a CPU");
  if (pages == 0) return;
  if (walksAreUnderWay()) {
    invlpgEach(context, start & addressMask & ~0xfff, pages);
    return;
  }
  const agent = agentOf(context);
  const tag = tagOf(context);
  const first = start & addressMask & ~0xfff;
  const last = min<u64>(first + (pages << 12) - 1, addressMask);
  count(agent, AGENT_INVALIDATIONS, pages);
  dropTranslationRange(agent, first, last, tag, true);
  if (hasFlag(agent, INVLPG_PATH)) dropPathRange(agent, first, last, tag);
  else dropPagingStructures(agent, first, tag);
}

function invlpgEach(context: usize, first: u64, pages: u64): void {
  for (let page: u64 = 0; page < pages; page++) {
    const va = first + (page << 12);
    if (va <= addressMask) invlpg(context, va);
    else count(agentOf(context), AGENT_INVALIDATIONS);
  }
}

/** A workload gives it to an IOMMU too (program/workload.ts): there it drops what has the tag, as a PASID's invalidation would. */
export function invpcid(context: usize, type: u32, tag: u32, va: u64): void {
  assert(type <= INVPCID_ALL_BUT_GLOBAL, "there is no such type of INVPCID");
  const agent = agentOf(context);
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
}

/** MOV CR3. `root` is a frame number; the lowest PCID is 0, the only one without CR4.PCIDE. */
export function movToCr3(context: usize, root: u64, pcid: u32, noFlush: bool): void {
  assert(hasFlag(agentOf(context), IS_CPU), "not a CPU");
  assert(pcid < PCIDS, "a PCID has 12 bits");
  const hasPcids = (controlsOf(context) & PCIDE) != 0;
  const tag = hasPcids ? pcid : 0;
  drain(agentOf(context), EVERY_TAG);
  store<u64>(context, root, CONTEXT_ROOT);
  store<u32>(context, tag, CONTEXT_TAG);
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
    if (!(controls & PCIDE)) store<u32>(context, 0, CONTEXT_TAG);
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
