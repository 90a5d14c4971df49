// An IOMMU: PASIDs with a PASID cache, device TLBs in front, invalidations (docs/rules.md section 7; VT-d 3.6, 6.2, 6.5.2).
// A requester is what a translation starts from: the context of a device and a PASID, and for a device with ATS its own TLB
// in front of it. The IOTLB knows devices apart, the paging-structure caches do not (VT-d 6.2.1, table 17); both know domains.

import { DOMAINS_OF_PASID } from "../base/limits";
import { count } from "../base/memory";
import { flushRange, flushTag } from "../cache/flush";
import { groupOf } from "../cache/layout";
import { SPECULATIVE, USER, WRITE } from "../paging/access";
import { PAGE_SHIFT } from "../paging/format";
import { addressMask } from "../paging/mode";
import { fault, INTERRUPT_RANGE, isFault, levelOfOutcome, TRANSLATED } from "../paging/outcome";
import { AGENT_FAULTS, AGENT_INVALIDATIONS, AGENT_TRANSLATIONS, hasFlag, IS_CPU } from "./agent";
import {
  agentOf,
  CONTEXT_CACHED,
  CONTEXT_NEXT_SOURCE,
  CONTEXT_PASID,
  CONTEXT_SOURCE_ID,
  nameOf,
  pathTagIn,
  tagIn,
} from "./context";
import { isInterruptAddress, numbered, refusesAddress } from "./fault-report";
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
import { translateHere } from "./translate";

/** Address masks (log2 of pages) from here on name all pages. */
export const ALL_PAGES_MASK: u32 = 52;

/** SVA requests are user-privileged, whatever the requester wishes; and a fetch is a read, since VT-d 4.1. */
// @ts-ignore: decorator
@inline
export function asRequest(access: u32): u32 {
  return (access & (WRITE | SPECULATIVE)) | USER;
}

/** A request of a device without a TLB of its own. */
// @ts-ignore: decorator
@inline
export function request(context: usize, va: u64, access: u32): u64 {
  return ask(context, va, asRequest(access));
}

/** A request, with an access that is one: of a user, no fetch. */
export function ask(context: usize, va: u64, access: u32): u64 {
  assert(!hasFlag(agentOf(context), IS_CPU), "not an IOMMU");
  if (!load<u32>(context, CONTEXT_CACHED)) {
    const refused = readPasidEntry(context);
    if (refused != TRANSLATED) return refusedByEntry(context, access, refused);
    store<u32>(context, 1, CONTEXT_CACHED);
  }
  return asAnswer(context, access, translateHere(context, va, access));
}

/** What an IOMMU makes of the outcome of a translation. */
// @ts-ignore: decorator
@inline
export function asAnswer(context: usize, access: u32, outcome: u64): u64 {
  if (isFault(outcome)) return numbered(context, outcome);
  return isInterruptAddress(outcome) ? answerAt(context, access, outcome) : outcome;
}

function refusedByEntry(context: usize, access: u32, reason: u32): u64 {
  count(agentOf(context), AGENT_TRANSLATIONS);
  return refuse(context, access, fault(reason, 0, 0));
}

function refuse(context: usize, access: u32, outcome: u64): u64 {
  if (!(access & SPECULATIVE)) count(agentOf(context), AGENT_FAULTS);
  return numbered(context, outcome);
}

/** A cached translation to an address in the interrupt range is a hit, and refused. */
function answerAt(context: usize, access: u32, outcome: u64): u64 {
  if (!refusesAddress(agentOf(context), outcome)) return outcome;
  return refuse(context, access, fault(INTERRUPT_RANGE, levelOfOutcome(outcome), 0));
}

/** Page-selective invalidation by hand of a context's PASID, of every device and domain; from ALL_PAGES_MASK on it is PASID-selective. */
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

/** What a device TLB holds of the PASID with a dense index and overlaps the 2^am pages around `va`; all from ALL_PAGES_MASK on. */
export function invalidateDeviceTlb(deviceTlb: usize, name: u32, va: u64, am: u32): void {
  assert(deviceTlb > 1, "the device has no TLB");
  assert(am <= 0x3f, "an address mask has 6 bits");
  const size = sizeMask(am);
  const first = va & addressMask & ~size;
  const last = (first | size) & addressMask;
  drainDevice(deviceTlb, name, first, last);
  if (last - first == addressMask) flushTag(groupOf(deviceTlb), name);
  else flushRange(deviceTlb, first, last, name, false);
}

/** Address bits below an aligned block of 2^am pages. */
// @ts-ignore: decorator
@inline
function sizeMask(am: u32): u64 {
  return am >= 52 ? <u64>0 - 1 : ((<u64>1) << <u64>(PAGE_SHIFT + am)) - 1;
}
