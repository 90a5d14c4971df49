// An IOMMU: PASIDs with a PASID cache, device TLBs in front, invalidations (docs/rules.md section 7; VT-d 3.6, 6.2, 6.5.2).
// A requester is what a translation starts from: the context of a device and a PASID, and for a device with ATS its own TLB
// in front of it. The IOTLB knows devices apart, the paging-structure caches do not (VT-d 6.2.1, table 17); both know domains.

import { DOMAINS_OF_PASID } from "../base/limits";
import { count } from "../base/memory";
import { flushRange, flushTag } from "../cache/flush";
import { CACHE_MISSES, dataAt, levelAt } from "../cache/layout";
import { touch } from "../cache/lookup";
import { SPECULATIVE, TYPE, USER, withoutSpeculativeWrite } from "../paging/access";
import { PAGE_SHIFT, STALE } from "../paging/format";
import { addressMask, isCanonical } from "../paging/mode";
import { fault, isFault, NO_PASID } from "../paging/outcome";
import { NXE } from "../paging/x86-64/controls";
import { AGENT_FAULTS, AGENT_INVALIDATIONS, AGENT_TRANSLATIONS, hasFlag, IS_CPU } from "./agent";
import {
  agentOf,
  CONTEXT_CACHED,
  CONTEXT_NEXT_SOURCE,
  CONTEXT_PASID,
  CONTEXT_SOURCE_ID,
  checkOf,
  createContext,
  nameOf,
  pathTagIn,
  setControls,
  tagIn,
} from "./context";
import { reportStaleHit } from "./hazard";
import { judge, lookUp, MISS, REFUSED, STALE_HIT } from "./hit";
import {
  dropPathRange,
  dropTranslationRange,
  flushBoth,
  flushPagingStructures,
  flushTranslations,
  GLOBALS_AND_OTHER_TAGS,
  NOTHING,
} from "./invalidation";
import { ANY, firstEntry, isDomain, nextEntry, readPasidEntry } from "./pasid";
import { drainDevice, drainPages, drain, EVERY_TAG } from "./step";
import { translate } from "./translate";
import { fillDeviceTlb, translated } from "./walk";

/** SVA requests are user-privileged, whatever the requester wishes. */
// @ts-ignore: decorator
@inline
function asUser(access: u32): u32 {
  return (access & (TYPE | SPECULATIVE)) | USER;
}

/** A request of a device without a TLB of its own. */
export function request(context: usize, va: u64, access: u32): u64 {
  assert(!hasFlag(agentOf(context), IS_CPU), "not an IOMMU");
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

// ---- set up once ----
/** What a device checks by itself: user rights, and XD whatever the tables' NXE. Made with the first device TLB. */
let deviceRules: usize = 0;

export function createDeviceRules(): bool {
  if (deviceRules == 0) deviceRules = createContext(0, 0);
  if (deviceRules != 0) setControls(deviceRules, NXE, 0);
  return deviceRules != 0;
}

/** A request of a device with a TLB: only completed translations get into it; what it refuses or misses asks the IOMMU. */
export function requestThrough(deviceTlb: usize, context: usize, va: u64, access: u32): u64 {
  assert(deviceTlb > 1 && deviceRules != 0, "the device has no TLB");
  if (!isCanonical(va)) return request(context, va, access);
  const tag = nameOf(context);
  const page = va & addressMask;
  const key = lookUp(deviceTlb, page, tag);
  const leaf = key == 0 ? 0 : load<u64>(dataAt(deviceTlb, key));
  const verdict = key == 0 ? MISS : judge(checkOf(deviceRules, asUser(withoutSpeculativeWrite(access))), leaf);
  // A refusal is a hit all the same; an entry that is not dirty yet does not answer a write.
  if (verdict != MISS) touch(deviceTlb, key);
  else count(deviceTlb, CACHE_MISSES);
  if (verdict == STALE_HIT) reportStaleHit(agentOf(context), tag, va, access, leaf & ~STALE, levelAt(key));
  if (verdict != MISS && verdict != REFUSED) return translated(leaf, levelAt(key), va);
  const outcome = request(context, va, access);
  if (!isFault(outcome)) fillDeviceTlb(deviceTlb, tag, va, outcome);
  return outcome;
}

/** Page-selective invalidation by hand of a context's PASID, of every device and domain; from am = 52 on it is PASID-selective. */
export function invalidatePages(context: usize, va: u64, am: u32, leavesOnly: bool): void {
  count(agentOf(context), AGENT_INVALIDATIONS);
  drop(context, load<u32>(context, CONTEXT_PASID), ANY, ANY, va, am, leavesOnly);
}

/**
 * Translations of a PASID of a context's IOMMU under a domain, of a device (each may be ANY), that overlap the 2^am pages
 * around `va`; and, but for `leavesOnly`, the paging-structure entries of PASID and domain whose span does.
 */
export function drop(near: usize, pasid: u32, domain: u32, device: u32, va: u64, am: u32, leavesOnly: bool): void {
  const agent = agentOf(near);
  assert(!hasFlag(agent, IS_CPU), "not an IOMMU");
  assert(am <= 0x3f, "an address mask has 6 bits");
  const size = sizeMask(am);
  const first = va & addressMask & ~size;
  const last = (first | size) & addressMask;
  const whole = last - first == addressMask;
  let entry = firstEntry(near, pasid);
  if (entry == 0) return;
  drainPages(agent, pasid == ANY ? EVERY_TAG : nameOf(entry), first, last);
  for (; entry != 0; entry = nextEntry(entry, pasid)) {
    for (let place: u32 = 0; place < DOMAINS_OF_PASID; place++) {
      if (!isDomain(entry, place, domain)) continue;
      for (let source = entry; source != 0; source = load<usize>(source, CONTEXT_NEXT_SOURCE)) {
        if (device != ANY && load<u32>(source, CONTEXT_SOURCE_ID) != device) continue;
        if (whole) flushTranslations(agent, GLOBALS_AND_OTHER_TAGS, tagIn(source, place));
        else dropTranslationRange(agent, first, last, tagIn(source, place), false);
      }
      if (leavesOnly) continue;
      if (whole) flushPagingStructures(agent, GLOBALS_AND_OTHER_TAGS, pathTagIn(entry, place));
      else dropPathRange(agent, first, last, pathTagIn(entry, place));
    }
  }
}

/** Everything of every PASID. */
export function invalidateAll(agent: usize): void {
  assert(!hasFlag(agent, IS_CPU), "not an IOMMU");
  count(agent, AGENT_INVALIDATIONS);
  drain(agent, EVERY_TAG);
  flushBoth(agent, NOTHING, 0);
}

/** What a device TLB holds of the PASID with a dense index and overlaps the 2^am pages around `va`; all from am = 52 on. */
export function invalidateDeviceTlb(deviceTlb: usize, name: u32, va: u64, am: u32): void {
  assert(deviceTlb > 1, "the device has no TLB");
  assert(am <= 0x3f, "an address mask has 6 bits");
  const size = sizeMask(am);
  const first = va & addressMask & ~size;
  const last = (first | size) & addressMask;
  drainDevice(deviceTlb, name, first, last);
  if (last - first == addressMask) flushTag(deviceTlb, name);
  else flushRange(deviceTlb, first, last, name, false);
}

/** Address bits below an aligned block of 2^am pages. */
// @ts-ignore: decorator
@inline
function sizeMask(am: u32): u64 {
  return am >= 52 ? <u64>0 - 1 : ((<u64>1) << <u64>(PAGE_SHIFT + am)) - 1;
}
