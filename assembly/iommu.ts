// An IOMMU: PASIDs with a PASID cache, device TLBs in front, invalidations (docs/rules.md section 7; VT-d 3.6, 6.2, 6.5.2).
// A tag is the dense index of a PASID. A requester is what a translation starts from: a context, and for a device with
// ATS its own TLB in front of it.

import { fault, isFault, levelOfOutcome, NO_PASID } from "./access";
import {
  AGENT_FAULTS,
  AGENT_INVALIDATIONS,
  AGENT_TRANSLATIONS,
  addressMask,
  agentOf,
  CONTEXT_BOUND,
  CONTEXT_BOUND_CONTROLS,
  CONTEXT_BOUND_ROOT,
  CONTEXT_CACHED,
  CONTEXT_ROOT,
  CONTEXT_TAG,
  checkOf,
  isCanonical,
  setControls,
} from "./agent";
import { flushRange, flushTag } from "./cache/flush";
import { CACHE_LEVELS, CACHE_MISSES, dataAt, levelAt } from "./cache/layout";
import { touch } from "./cache/lookup";
import { fill } from "./cache/fill";
import { shiftOf } from "./entry";
import { dropPathRange, dropTranslationRange, flushBoth, GLOBALS_AND_OTHER_TAGS, NOTHING } from "./invalidation";
import { count } from "./layout";
import { allowsAsCached } from "./rights";
import { lookUp, translate } from "./translate";
import { answeredLeaf, translated } from "./walk";

/** Writes the PASID-table entry of a context: root frame and controls, or not present. Caches do not notice. */
export function bind(context: usize, present: bool, root: u64, controls: u32): void {
  store<u32>(context, present ? 1 : 0, CONTEXT_BOUND);
  store<u64>(context, root, CONTEXT_BOUND_ROOT);
  store<u32>(context, controls, CONTEXT_BOUND_CONTROLS);
}

/** Drops the PASID-cache entry of a context. */
export function invalidatePasidCache(context: usize): void {
  count(agentOf(context), AGENT_INVALIDATIONS);
  store<u32>(context, 0, CONTEXT_CACHED);
}

/** Reads the PASID-table entry into the PASID cache; false if it is not present. */
function cachePasid(context: usize): bool {
  if (!load<u32>(context, CONTEXT_BOUND)) return false;
  store<u64>(context, load<u64>(context, CONTEXT_BOUND_ROOT), CONTEXT_ROOT);
  setControls(context, load<u32>(context, CONTEXT_BOUND_CONTROLS), 0);
  store<u32>(context, 1, CONTEXT_CACHED);
  return true;
}

/** A request of a device without a TLB of its own. */
export function request(context: usize, va: u64, access: u32): u64 {
  if (!load<u32>(context, CONTEXT_CACHED) && !cachePasid(context)) {
    const agent = agentOf(context);
    count(agent, AGENT_TRANSLATIONS);
    count(agent, AGENT_FAULTS);
    return fault(NO_PASID, 0, 0);
  }
  return translate(context, va, access);
}

/** A request of a device with a TLB: only completed translations get into it; what it refuses or misses asks the IOMMU. */
export function requestThrough(front: usize, context: usize, va: u64, access: u32): u64 {
  const tag = load<u32>(context, CONTEXT_TAG);
  const page = va & addressMask;
  if (isCanonical(va)) {
    const key = lookUp(front, page, tag);
    if (key != 0) {
      const leaf = load<u64>(dataAt(front, key));
      if (allowsAsCached(checkOf(context, access), leaf)) {
        touch(front, key);
        return translated(leaf, levelAt(key), va);
      }
    }
    count(front, CACHE_MISSES);
  }
  const outcome = request(context, va, access);
  if (isFault(outcome)) return outcome;
  const level = levelOfOutcome(outcome);
  if (load<u32>(front, CACHE_LEVELS) & (1 << level)) fill(front, page >> shiftOf(level), level, tag, false, answeredLeaf);
  return outcome;
}

/** PASID-selective IOTLB invalidation: all translations and paging-structure entries of the PASID. */
export function invalidatePasid(agent: usize, tag: u32): void {
  count(agent, AGENT_INVALIDATIONS);
  flushBoth(agent, GLOBALS_AND_OTHER_TAGS, tag);
}

/**
 * Page-selective IOTLB invalidation: translations of the PASID that overlap the 2^am pages around `va`; with the hint
 * `leavesOnly` (IH) the paging-structure entries stay.
 */
export function invalidatePages(agent: usize, tag: u32, va: u64, am: u32, leavesOnly: bool): void {
  count(agent, AGENT_INVALIDATIONS);
  const size = sizeMask(am);
  const first = va & addressMask & ~size;
  const last = (first | size) & addressMask;
  dropTranslationRange(agent, first, last, tag, false);
  if (!leavesOnly) dropPathRange(agent, first, last, tag);
}

/** Everything of every PASID. */
export function invalidateAll(agent: usize): void {
  count(agent, AGENT_INVALIDATIONS);
  flushBoth(agent, NOTHING, 0);
}

export function invalidateFront(front: usize, tag: u32): void {
  flushTag(front, tag);
}

export function invalidateFrontPages(front: usize, tag: u32, va: u64, am: u32): void {
  const size = sizeMask(am);
  const first = va & addressMask & ~size;
  flushRange(front, first, (first | size) & addressMask, tag, false);
}

/** Address bits below an aligned block of 2^am pages. */
// @ts-ignore: decorator
@inline
function sizeMask(am: u32): u64 {
  return am >= 52 ? <u64>0 - 1 : ((<u64>1) << (12 + <u64>am)) - 1;
}
