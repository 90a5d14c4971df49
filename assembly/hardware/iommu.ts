// An IOMMU: PASIDs with a PASID cache, device TLBs in front, invalidations (docs/rules.md section 7; VT-d 3.6, 6.2, 6.5.2).
// A tag is the dense index of a PASID. A requester is what a translation starts from: a context, and for a device with
// ATS its own TLB in front of it.

import {
  fault,
  isFault,
  levelOfOutcome,
  NO_PASID,
  NXE,
  SPECULATIVE,
  TYPE,
  USER,
  withoutSpeculativeWrite,
} from "../paging/access";
import {
  AGENT_FAULTS,
  AGENT_FLAGS,
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
  createContext,
  IS_CPU,
  isCanonical,
  setControls,
} from "./agent";
import { fill } from "../cache/fill";
import { flushRange, flushTag } from "../cache/flush";
import { CACHE_LEVELS, CACHE_MISSES, dataAt, levelAt } from "../cache/layout";
import { touch } from "../cache/lookup";
import { STALE, shiftOf } from "../paging/entry";
import { reportStaleHit } from "./hazard";
import { dropPathRange, dropTranslationRange, flushBoth, GLOBALS_AND_OTHER_TAGS, NOTHING } from "./invalidation";
import { count } from "../base/memory";
import { allowsAsCached, allowsOnceDirty } from "../paging/rights";
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

/**
 * Takes root and controls of a context that the PASID cache does not hold from its PASID-table entry. False if there is
 * none; a CPU needs none.
 */
export function readPasidEntry(context: usize): bool {
  if (load<u32>(context, CONTEXT_CACHED) || load<u32>(agentOf(context), AGENT_FLAGS) & IS_CPU) return true;
  if (!load<u32>(context, CONTEXT_BOUND)) return false;
  store<u64>(context, load<u64>(context, CONTEXT_BOUND_ROOT), CONTEXT_ROOT);
  setControls(context, load<u32>(context, CONTEXT_BOUND_CONTROLS), 0);
  return true;
}

/** SVA requests are user-privileged, whatever the requester wishes. */
// @ts-ignore: decorator
@inline
function asUser(access: u32): u32 {
  return (access & (TYPE | SPECULATIVE)) | USER;
}

/** A request of a device without a TLB of its own. */
export function request(context: usize, va: u64, access: u32): u64 {
  if (!load<u32>(context, CONTEXT_CACHED) && isCanonical(va)) {
    if (!readPasidEntry(context)) return unbound(agentOf(context), access);
    store<u32>(context, 1, CONTEXT_CACHED);
  }
  return translate(context, va, asUser(access));
}

function unbound(agent: usize, access: u32): u64 {
  count(agent, AGENT_TRANSLATIONS);
  if (!(access & SPECULATIVE)) count(agent, AGENT_FAULTS);
  return fault(NO_PASID, 0, 0);
}

/** What a device checks by itself: user rights, and XD whatever the tables' NXE. Made with the first device TLB. */
let deviceRules: usize = 0;

export function createDeviceRules(): bool {
  if (deviceRules == 0) deviceRules = createContext(0, 0);
  if (deviceRules != 0) setControls(deviceRules, NXE, 0);
  return deviceRules != 0;
}

/** A request of a device with a TLB: only completed translations get into it; what it refuses or misses asks the IOMMU. */
export function requestThrough(deviceTlb: usize, context: usize, va: u64, access: u32): u64 {
  if (!isCanonical(va)) return request(context, va, access);
  const tag = load<u32>(context, CONTEXT_TAG);
  const page = va & addressMask;
  const check = checkOf(deviceRules, asUser(withoutSpeculativeWrite(access)));
  const key = lookUp(deviceTlb, page, tag);
  const cached = key == 0 ? 0 : load<u64>(dataAt(deviceTlb, key));
  const leaf = cached & ~STALE;
  if (key != 0 && allowsAsCached(check, leaf)) {
    touch(deviceTlb, key);
    if (cached & STALE) reportStaleHit(agentOf(context), tag, va, access, leaf, levelAt(key));
    return translated(cached, levelAt(key), va);
  }
  // A refusal is a hit all the same; an entry that is not dirty yet does not answer a write.
  if (key != 0 && !allowsOnceDirty(check, leaf)) touch(deviceTlb, key);
  else count(deviceTlb, CACHE_MISSES);
  const outcome = request(context, va, access);
  if (isFault(outcome)) return outcome;
  const level = levelOfOutcome(outcome);
  if (load<u32>(deviceTlb, CACHE_LEVELS) & (1 << level)) fill(deviceTlb, page >> shiftOf(level), level, tag, false, answeredLeaf);
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

export function invalidateDeviceTlb(deviceTlb: usize, tag: u32): void {
  flushTag(deviceTlb, tag);
}

export function invalidateDeviceTlbPages(deviceTlb: usize, tag: u32, va: u64, am: u32): void {
  const size = sizeMask(am);
  const first = va & addressMask & ~size;
  flushRange(deviceTlb, first, (first | size) & addressMask, tag, false);
}

/** Address bits below an aligned block of 2^am pages. */
// @ts-ignore: decorator
@inline
function sizeMask(am: u32): u64 {
  return am >= 52 ? <u64>0 - 1 : ((<u64>1) << (12 + <u64>am)) - 1;
}
