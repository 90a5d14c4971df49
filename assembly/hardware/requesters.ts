// Requesters, by number: what an operation of a program names. A CPU; or a device with a PASID, with or without a TLB of its own.

import { MAX_REQUESTERS } from "../base/limits";
import { allocate } from "../base/memory";
import { withoutSpeculativeWrite } from "../paging/access";
import { hasFlag, IS_CPU, STEPWISE_WALKS } from "./agent";
import { agentOf, CONTEXT_DEVICE_TLBS, CONTEXT_REQUESTER, entryOf } from "./context";
import { createDeviceRules, requestThrough } from "./device";
import { asRequest, request } from "./iommu";
import { addPasid } from "./pasid";
import { translate } from "./translate";
import { beginning, isUnderWay, onlyBegin, OWN_BITS, WALK_DEVICE_TLB, WALK_OWN, WALK_REQUESTER, walkAt } from "./walks";

// ---- a requester ----
const CONTEXT: usize = 0;
const DEVICE_TLB: usize = CONTEXT + 4;
/** Number of the next requester with a TLB of its own and the same PASID, + 1; 0 = none. */
const NEXT_DEVICE_TLB: usize = DEVICE_TLB + 4;
/** What its device does (device.ts). */
const DEVICE: usize = NEXT_DEVICE_TLB + 4;
const REQUESTER_SHIFT: usize = 4;

if (DEVICE + 4 > 1 << REQUESTER_SHIFT) ERROR("a requester does not fit into its 2^REQUESTER_SHIFT bytes");

/** In place of a device's TLB: the requester is a CPU. */
const CPU: usize = 1;

// ---- set up once ----
let requesters: usize = 0;
export let requesterCount: u32 = 0;

/** Room for requesters; called once. False if memory cannot hold it. */
export function createRequesters(): bool {
  assert(requesters == 0, "there is one list of requesters");
  requesters = allocate(<usize>MAX_REQUESTERS << REQUESTER_SHIFT);
  return requesters != 0;
}

/** Registers a requester; its number, or -1 if there are too many. */
export function addRequester(context: usize, deviceTlb: usize): i32 {
  assert(context != 0, "a requester without a context");
  if (requesterCount == MAX_REQUESTERS || (deviceTlb != 0 && !createDeviceRules())) return -1;
  const at = requesterAt(requesterCount);
  store<usize>(at, context, CONTEXT);
  const cpu = hasFlag(agentOf(context), IS_CPU);
  store<usize>(at, cpu ? CPU : deviceTlb, DEVICE_TLB);
  if (deviceTlb != 0) addDeviceTlb(entryOf(context), requesterCount);
  else {
    store<u32>(context, requesterCount, CONTEXT_REQUESTER);
    if (!cpu && entryOf(context) == context) addPasid(context);
  }
  return requesterCount++;
}

/** Says what the device of a requester with a TLB does. */
export function setDevice(requester: u32, device: u32): void {
  assert(hasDeviceTlb(requester), "the requester has no TLB of its own");
  store<u32>(requesterAt(requester), device, DEVICE);
}

function addDeviceTlb(context: usize, requester: u32): void {
  assert(context != 0 && !hasFlag(agentOf(context), IS_CPU), "a CPU has no device in front of it");
  let link = context + CONTEXT_DEVICE_TLBS;
  while (load<u32>(link) != 0) link = requesterAt(load<u32>(link) - 1) + NEXT_DEVICE_TLB;
  store<u32>(link, requester + 1);
}

// @ts-ignore: decorator
@inline
function requesterAt(requester: u32): usize {
  assert(requester <= requesterCount && requester < MAX_REQUESTERS, "there is no such requester");
  return requesters + (<usize>requester << REQUESTER_SHIFT);
}

// @ts-ignore: decorator
@inline
export function contextOf(requester: u32): usize {
  assert(requester < requesterCount, "there is no such requester");
  return load<usize>(requesterAt(requester), CONTEXT);
}

// @ts-ignore: decorator
@inline
export function deviceTlbOf(requester: u32): usize {
  assert(requester < requesterCount, "there is no such requester");
  return load<usize>(requesterAt(requester), DEVICE_TLB);
}

/** Requester + 1 of the next device TLB for the same PASID; 0 = none. */
export function nextDeviceTlb(requester: u32): u32 {
  return load<u32>(requesterAt(requester), NEXT_DEVICE_TLB);
}

// @ts-ignore: decorator
@inline
export function isCpu(requester: u32): bool {
  return load<usize>(requesterAt(requester), DEVICE_TLB) == CPU;
}

/** Whether it is a device with a TLB of its own. */
// @ts-ignore: decorator
@inline
export function hasDeviceTlb(requester: u32): bool {
  return deviceTlbOf(requester) > CPU;
}

/** One access by a requester: a CPU's translation, or a request of a device. Its packed outcome. */
export function access(requester: u32, va: u64, access: u32): u64 {
  return accessInline(requester, va, access);
}

/** The same for the loop that plays programs. */
// @ts-ignore: decorator
@inline
export function accessInline(requester: u32, va: u64, access: u32): u64 {
  if (isCpu(requester)) return translate(contextOf(requester), va, access);
  return requestOf(requester, va, access);
}

/**
 * An access whose walk, if it comes to one, stops before its first read and is under way from then on, under this number. On an
 * agent whose walks are atomic it is the whole access. 0 if a walk of that number is under way already.
 */
export function beginWalk(number: u32, requester: u32, va: u64, kind: u32): u64 {
  const walk = walkAt(number);
  if (isUnderWay(walk)) return 0;
  if (!hasFlag(agentOf(contextOf(requester)), STEPWISE_WALKS)) return access(requester, va, kind);
  store<u32>(walk, requester + 1, WALK_REQUESTER);
  store<usize>(walk, deviceTlbOf(requester), WALK_DEVICE_TLB);
  const own = asRequest(withoutSpeculativeWrite(kind));
  store<u32>(walk, own | (load<u32>(requesterAt(requester), DEVICE) << OWN_BITS), WALK_OWN);
  onlyBegin(walk);
  const outcome = access(requester, va, kind);
  if (beginning != 0) {
    onlyBegin(0);
    store<u32>(walk, 0, WALK_REQUESTER);
  }
  return outcome;
}

function requestOf(requester: u32, va: u64, access: u32): u64 {
  const context = contextOf(requester);
  const deviceTlb = deviceTlbOf(requester);
  if (deviceTlb == 0) return request(context, va, access);
  return requestThrough(deviceTlb, load<u32>(requesterAt(requester), DEVICE), context, va, access);
}
