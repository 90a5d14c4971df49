// Requesters, by number: what an operation of a program names. A CPU; or a device with a PASID, with or without a TLB of its own.

import { AGENT_FLAGS, agentOf, IS_CPU } from "./agent";
import { createDeviceRules, request, requestThrough } from "./iommu";
import { translate } from "./translate";

export const MOST_REQUESTERS: u32 = 1024;
/** In place of a number: every CPU. */
export const EVERY_CPU: u32 = 0xffff;

const REQUESTERS: usize = memory.data(1024 * 8, 8);
const CONTEXT: usize = 0;
const FRONT: usize = 4;

export let requesterCount: u32 = 0;

/** Registers a requester; its number, or -1 if there are too many. */
export function addRequester(context: usize, front: usize): i32 {
  if (requesterCount == MOST_REQUESTERS || (front != 0 && !createDeviceRules())) return -1;
  const at = REQUESTERS + (<usize>requesterCount << 3);
  store<usize>(at, context, CONTEXT);
  store<usize>(at, front, FRONT);
  return requesterCount++;
}

// @ts-ignore: decorator
@inline
export function contextOf(requester: u32): usize {
  return load<usize>(REQUESTERS + (<usize>requester << 3), CONTEXT);
}

// @ts-ignore: decorator
@inline
export function frontOf(requester: u32): usize {
  return load<usize>(REQUESTERS + (<usize>requester << 3), FRONT);
}

// @ts-ignore: decorator
@inline
export function isCpu(requester: u32): bool {
  return (load<u32>(agentOf(contextOf(requester)), AGENT_FLAGS) & IS_CPU) != 0;
}

export function access(requester: u32, va: u64, wish: u32): u64 {
  const context = contextOf(requester);
  if (isCpu(requester)) return translate(context, va, wish);
  const front = frontOf(requester);
  return front == 0 ? request(context, va, wish) : requestThrough(front, context, va, wish);
}
