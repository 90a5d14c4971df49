// What a driver submits for an invalidation (drivers/iommu/intel/cache.c, drivers/iommu/amd/iommu.c, 6.12). Every request goes
// through a real descriptor: encoded here, decoded and executed by the hardware's side (hardware/queue/execute.ts). Intel: an
// aligned power of two without a ceiling, batches of 16 with one wait. AMD: table entries always included, one wait per device.

import { AMD_COMMANDS, hasFlag } from "../hardware/agent";
import { agentOf, CONTEXT_DEVICE_TLBS, CONTEXT_PASID, CONTEXT_SOURCE_ID, DEFAULT_DOMAIN } from "../hardware/context";
import { ALL_PAGES_MASK } from "../hardware/iommu";
import { ANY } from "../hardware/pasid";
import * as amd from "../hardware/queue/amd";
import { executeAmd, executeVtd } from "../hardware/queue/execute";
import * as vtd from "../hardware/queue/vtd";
import { contextOf, nextDeviceTlb } from "../hardware/requesters";
import { DEVICE_TLB_INVALIDATIONS, IOTLB_INVALIDATIONS, QUEUE_WAITS, tally } from "./counters";

if (vtd.SVA_DOMAIN != DEFAULT_DOMAIN) ERROR("the driver submits for another domain than SVA's");

// ---- what a ranged invalidation names: the range, all of the PASID, the whole IOMMU ----
export const SCOPE_RANGE: u32 = 0;
export const SCOPE_PASID: u32 = 1;
export const SCOPE_ALL: u32 = 2;
/** How many there are. */
export const SCOPES: u32 = 3;
/** Descriptors that the Intel driver batches before it submits them with a wait. */
const BATCH: u32 = 16;

/** Descriptors in the batch, and the IOMMU that it is for. */
export const BATCHED: usize = memory.data(sizeof<u32>(), sizeof<u32>());
export const BATCH_AGENT: usize = memory.data(sizeof<usize>(), sizeof<usize>());

/** A round of invalidations begins: the first descriptor starts a batch, as that of another IOMMU does. */
export function startRound(): void {
  store<usize>(BATCH_AGENT, 0);
}

/** One descriptor more in the batch of an IOMMU; a new batch (so a wait) every 16 and at every change of IOMMU. */
function batch(agent: usize): void {
  assert(agent != 0 && load<u32>(BATCHED) <= BATCH, "a batch without an IOMMU, or over-full");
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
function alignedMask(first: u64, last: u64): u32 {
  assert(first <= last, "the range ends before it starts");
  const difference = (first ^ last) >> 12;
  return difference == 0 ? 0 : <u32>(64 - clz(difference));
}

/** The driver's invalidation of one PASID for [first, last]: the IOTLB, then the device TLBs in front. */
export function invalidateByQueue(context: usize, first: u64, last: u64, scope: u32): void {
  assert(scope <= SCOPE_ALL && first <= last, "there is no such scope, or no such range");
  const agent = agentOf(context);
  if (hasFlag(agent, AMD_COMMANDS)) submitAmd(context, first, last, scope);
  else submitVtd(context, agent, first, last, scope);
}

/** Source-id of the device whose TLB a requester goes through, by requester + 1. */
function sourceIdOf(deviceTlb: u32): u32 {
  return load<u32>(contextOf(deviceTlb - 1), CONTEXT_SOURCE_ID);
}

function submitVtd(context: usize, agent: usize, first: u64, last: u64, scope: u32): void {
  const pasid = load<u32>(context, CONTEXT_PASID);
  const ranged = scope == SCOPE_RANGE;
  const am = ranged ? alignedMask(first, last) : ALL_PAGES_MASK;
  const qw0 = scope == SCOPE_ALL ? vtd.globalIotlb() : ranged ? vtd.pageIotlb(pasid) : vtd.pasidIotlb(pasid);
  tally(IOTLB_INVALIDATIONS);
  executeVtd(context, ANY, qw0, ranged ? vtd.pageIotlbAddress(first, am, false) : 0);
  batch(agent);
  const address = vtd.deviceTlbAddress(ranged ? first : 0, am);
  for (let deviceTlb = load<u32>(context, CONTEXT_DEVICE_TLBS); deviceTlb != 0; deviceTlb = nextDeviceTlb(deviceTlb - 1)) {
    tally(DEVICE_TLB_INVALIDATIONS);
    executeVtd(context, ANY, vtd.deviceTlb(sourceIdOf(deviceTlb), pasid), address);
    batch(agent);
  }
}

function submitAmd(context: usize, first: u64, last: u64, scope: u32): void {
  const pasid = load<u32>(context, CONTEXT_PASID);
  const ranged = scope == SCOPE_RANGE;
  const w1 = ranged ? amd.pagesAddress(first, last, true) : amd.allPages();
  tally(IOTLB_INVALIDATIONS);
  if (scope == SCOPE_ALL) executeAmd(context, ANY, amd.invalidateAll(), 0);
  else executeAmd(context, ANY, amd.invalidatePages(DEFAULT_DOMAIN, pasid), w1);
  for (let deviceTlb = load<u32>(context, CONTEXT_DEVICE_TLBS); deviceTlb != 0; deviceTlb = nextDeviceTlb(deviceTlb - 1)) {
    tally(DEVICE_TLB_INVALIDATIONS);
    executeAmd(context, ANY, amd.invalidateDevicePages(sourceIdOf(deviceTlb), pasid), w1 & ~amd.PDE);
  }
  tally(QUEUE_WAITS);
}

/**
 * What the driver does when a PASID-table entry changes: PASID cache, IOTLB and device TLBs of the PASID. AMD's
 * INVALIDATE_IOMMU_PAGES of all pages takes the GCR3 entry with it (update_gcr3()).
 */
export function forgetPasid(context: usize): void {
  const pasid = load<u32>(context, CONTEXT_PASID);
  const isAmd = hasFlag(agentOf(context), AMD_COMMANDS);
  const w1 = amd.allPages();
  tally(QUEUE_WAITS);
  if (isAmd) executeAmd(context, ANY, amd.invalidatePages(DEFAULT_DOMAIN, pasid), w1);
  else {
    executeVtd(context, ANY, vtd.pasidCache(pasid), 0);
    executeVtd(context, ANY, vtd.pasidIotlb(pasid), 0);
  }
  for (let deviceTlb = load<u32>(context, CONTEXT_DEVICE_TLBS); deviceTlb != 0; deviceTlb = nextDeviceTlb(deviceTlb - 1)) {
    const sourceId = sourceIdOf(deviceTlb);
    if (isAmd) executeAmd(context, ANY, amd.invalidateDevicePages(sourceId, pasid), w1 & ~amd.PDE);
    else executeVtd(context, ANY, vtd.deviceTlb(sourceId, pasid), vtd.deviceTlbAddress(0, ALL_PAGES_MASK));
  }
}
