// What a driver submits for an invalidation, executed as the IOMMU executes it: every request goes through a real
// descriptor, encoded and decoded again. Intel: an aligned power of two without a ceiling, batches of 16 with one wait
// (cache_tag_flush_range). AMD: table entries always included, one wait a device.

import { AGENT_FLAGS, AMD_COMMANDS, agentOf, CONTEXT_DEVICE_TLBS, CONTEXT_PASID, CONTEXT_TAG } from "../agent";
import {
  invalidateAll,
  invalidateDeviceTlb,
  invalidateDeviceTlbPages,
  invalidatePages,
  invalidatePasid,
  invalidatePasidCache,
} from "../iommu";
import {
  DEVICE_TLB_INVALIDATIONS,
  GLOBAL_INVALIDATIONS,
  IOTLB_INVALIDATIONS,
  PAGE_SELECTIVE,
  PAGES_INVALIDATED,
  PASID_CACHE_INVALIDATIONS,
  PASID_SELECTIVE,
  QUEUE_WAITS,
  tally,
} from "../../kernel/counters";
import { deviceTlbOf, nextDeviceTlb } from "../requesters";
import * as amd from "./amd";
import * as vtd from "./vtd";

/** Last address of a range that is everything. */
export const NO_LIMIT: u64 = 0xffff_ffff_ffff_ffff;
// ---- what a ranged invalidation names: the range, all of the PASID, the whole IOMMU ----
export const SCOPE_RANGE: u32 = 0;
export const SCOPE_PASID: u32 = 1;
const SCOPE_ALL: u32 = 2;
/** Descriptors that the Intel driver batches before it submits them with a wait. */
const BATCH: u32 = 16;

const STATE: usize = memory.data(16, 8);
const BATCHED: usize = STATE;
const BATCH_AGENT: usize = STATE + 4;

/** A round of invalidations begins: the first descriptor starts a batch. */
export function startRound(): void {
  store<u32>(BATCHED, 0);
  store<u32>(BATCH_AGENT, 0);
}

/** One descriptor more in the batch of an IOMMU; a new batch (so a wait) every 16 and at every change of IOMMU. */
function batch(agent: usize): void {
  const batched = load<u32>(BATCHED);
  if (load<usize>(BATCH_AGENT) != agent || batched == BATCH) {
    store<usize>(BATCH_AGENT, agent);
    store<u32>(BATCHED, 1);
    tally(QUEUE_WAITS);
  } else {
    store<u32>(BATCHED, batched + 1);
  }
}

/** Smallest AM so that the aligned 2^am pages cover [first, last] (calculate_psi_aligned_address). */
export function alignedMask(first: u64, last: u64): u32 {
  const difference = (first ^ last) >> 12;
  return difference == 0 ? 0 : <u32>(64 - clz(difference));
}

/** The driver's invalidation of one PASID for [first, last]: the IOTLB, then the device TLBs in front. */
export function invalidateByQueue(context: usize, first: u64, last: u64, scope: u32): void {
  const agent = agentOf(context);
  if (load<u32>(agent, AGENT_FLAGS) & AMD_COMMANDS) submitAmd(context, agent, first, last, scope);
  else submitVtd(context, agent, first, last, scope);
}

function submitVtd(context: usize, agent: usize, first: u64, last: u64, scope: u32): void {
  const pasid = load<u32>(context, CONTEXT_PASID);
  const ranged = scope == SCOPE_RANGE && last != NO_LIMIT;
  const am = ranged ? alignedMask(first, last) : 52;
  tally(IOTLB_INVALIDATIONS);
  if (scope == SCOPE_ALL) {
    tally(GLOBAL_INVALIDATIONS);
    invalidateAll(agent);
  } else {
    const qw0 = ranged ? vtd.pageIotlb(pasid) : vtd.pasidIotlb(pasid);
    executeVtd(context, 0, qw0, ranged ? vtd.pageIotlbAddress(first, am, false) : 0);
  }
  batch(agent);
  let deviceTlb = load<u32>(context, CONTEXT_DEVICE_TLBS);
  while (deviceTlb != 0) {
    tally(DEVICE_TLB_INVALIDATIONS);
    executeVtd(context, deviceTlb, vtd.deviceTlb(pasid), ranged ? vtd.deviceTlbAddress(first, am) : vtd.deviceTlbAddress(0, 52));
    batch(agent);
    deviceTlb = nextDeviceTlb(deviceTlb - 1);
  }
}

/** The effect of a descriptor on the context that its PASID names; `deviceTlb` = requester + 1 of the device TLB it is sent to. */
export function executeVtd(context: usize, deviceTlb: u32, qw0: u64, qw1: u64): void {
  const agent = agentOf(context);
  const tag = load<u32>(context, CONTEXT_TAG);
  const type = vtd.typeOf(qw0);
  if (type == vtd.TYPE_PASID_IOTLB) {
    if (vtd.granularityOf(qw0) == vtd.IOTLB_ALL_OF_PASID) {
      tally(PASID_SELECTIVE);
      invalidatePasid(agent, tag);
    } else {
      const am = <u32>qw1 & 0x3f;
      tally(PAGE_SELECTIVE);
      tally(PAGES_INVALIDATED, am >= 52 ? <u64>1 << 52 : (<u64>1) << am);
      invalidatePages(agent, tag, qw1 & ~0xfff, am, vtd.hasHint(qw1));
    }
  } else if (type == vtd.TYPE_PASID_CACHE) {
    tally(PASID_CACHE_INVALIDATIONS);
    invalidatePasidCache(context);
  } else if (type == vtd.TYPE_PASID_DEVICE_TLB && deviceTlb != 0) {
    dropDeviceTlb(deviceTlb - 1, tag, qw1, vtd.deviceTlbMask(qw1));
  }
}

function submitAmd(context: usize, agent: usize, first: u64, last: u64, scope: u32): void {
  const pasid = load<u32>(context, CONTEXT_PASID);
  const ranged = scope == SCOPE_RANGE && last != NO_LIMIT;
  const w1 = ranged ? amd.pagesAddress(first, last, true) : amd.pagesAddress(0, NO_LIMIT, true);
  tally(IOTLB_INVALIDATIONS);
  if (scope == SCOPE_ALL) {
    tally(GLOBAL_INVALIDATIONS);
    invalidateAll(agent);
  } else {
    executeAmd(context, 0, amd.invalidatePages(pasid), w1);
  }
  let deviceTlb = load<u32>(context, CONTEXT_DEVICE_TLBS);
  while (deviceTlb != 0) {
    tally(DEVICE_TLB_INVALIDATIONS);
    executeAmd(context, deviceTlb, amd.invalidateDevicePages(deviceTlb - 1, pasid), w1 & ~amd.PDE);
    deviceTlb = nextDeviceTlb(deviceTlb - 1);
  }
  tally(QUEUE_WAITS);
}

/** The effect of an AMD command. Without PDE the cached table entries stay. */
export function executeAmd(context: usize, deviceTlb: u32, w0: u64, w1: u64): void {
  const agent = agentOf(context);
  const tag = load<u32>(context, CONTEXT_TAG);
  const am = amd.pagesMask(w1);
  const opcode = amd.opcodeOf(w0);
  if (opcode == amd.OP_INVALIDATE_IOMMU_PAGES) {
    if (am >= 52 && amd.coversTables(w1)) {
      tally(PASID_SELECTIVE);
      invalidatePasid(agent, tag);
    } else {
      tally(PAGE_SELECTIVE);
      tally(PAGES_INVALIDATED, (<u64>1) << min<u32>(am, 52));
      invalidatePages(agent, tag, w1 & ~0xfff, am, !amd.coversTables(w1));
    }
  } else if (opcode == amd.OP_INVALIDATE_IOTLB_PAGES && deviceTlb != 0) {
    dropDeviceTlb(deviceTlb - 1, tag, w1, am);
  }
}

function dropDeviceTlb(requester: u32, tag: u32, va: u64, am: u32): void {
  if (am >= 52) invalidateDeviceTlb(deviceTlbOf(requester), tag);
  else invalidateDeviceTlbPages(deviceTlbOf(requester), tag, va & ~0xfff, am);
}

/** What the driver does when a PASID-table entry changes: PASID cache, IOTLB and device TLBs of the PASID. */
export function forgetPasid(context: usize): void {
  const pasid = load<u32>(context, CONTEXT_PASID);
  tally(QUEUE_WAITS);
  executeVtd(context, 0, vtd.pasidCache(pasid), 0);
  executeVtd(context, 0, vtd.pasidIotlb(pasid), 0);
  for (let deviceTlb = load<u32>(context, CONTEXT_DEVICE_TLBS); deviceTlb != 0; deviceTlb = nextDeviceTlb(deviceTlb - 1)) {
    executeVtd(context, deviceTlb, vtd.deviceTlb(pasid), vtd.deviceTlbAddress(0, 52));
  }
}

/** Tells a context which PASID it is. */
export function setPasid(context: usize, pasid: u32): void {
  store<u32>(context, pasid, CONTEXT_PASID);
}
