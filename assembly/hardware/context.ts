// Contexts: what a request is translated with. The registers of a CPU, or one PASID of an IOMMU. A CPU has one context.

import { allocate } from "../base/memory";
import { checkOf as checkIn, FORMAT_SIZE, isMalformed as isMalformedIn, setRules } from "../paging/format";

// ---- a context ----
const CONTEXT_AGENT: usize = 0;
export const CONTEXT_TAG: usize = CONTEXT_AGENT + 4;
export const CONTEXT_ROOT: usize = CONTEXT_TAG + 4;
export const CONTEXT_CONTROLS: usize = CONTEXT_ROOT + 8;
/** PKRU. */
const CONTEXT_PKRU: usize = CONTEXT_CONTROLS + 4;
/** What the format makes of the controls. */
const CONTEXT_FORMAT: usize = CONTEXT_PKRU + 4;
/** IOMMU: whether the PASID cache holds this context, and the PASID-table entry behind it. */
export const CONTEXT_CACHED: usize = CONTEXT_FORMAT + FORMAT_SIZE;
export const CONTEXT_BOUND: usize = CONTEXT_CACHED + 4;
export const CONTEXT_BOUND_ROOT: usize = CONTEXT_BOUND + 4;
export const CONTEXT_BOUND_CONTROLS: usize = CONTEXT_BOUND_ROOT + 8;
export const CONTEXT_PASID: usize = CONTEXT_BOUND_CONTROLS + 4;
/** Number of the requester that the context was registered with. */
export const CONTEXT_REQUESTER: usize = CONTEXT_PASID + 4;
/** Next context of an IOMMU (all of them form one list, by IOMMU and PASID index), and number of the first device TLB's requester + 1. */
export const CONTEXT_NEXT: usize = CONTEXT_REQUESTER + 4;
export const CONTEXT_DEVICE_TLBS: usize = CONTEXT_NEXT + 4;
export const CONTEXT_SIZE: usize = CONTEXT_DEVICE_TLBS + 4;

if (CONTEXT_ROOT % 8 != 0 || CONTEXT_FORMAT % 8 != 0 || CONTEXT_BOUND_ROOT % 8 != 0)
  ERROR("the 64-bit fields of a context are not aligned");

/** A context of an agent; on an IOMMU `tag` is the dense index of its PASID. 0 if memory is out. */
export function createContext(agent: usize, tag: u32): usize {
  const context = allocate(CONTEXT_SIZE);
  if (context == 0) return 0;
  store<usize>(context, agent, CONTEXT_AGENT);
  store<u32>(context, tag, CONTEXT_TAG);
  setControls(context, 0, 0);
  return context;
}

// @ts-ignore: decorator
@inline
export function agentOf(context: usize): usize {
  assert(context != 0 && load<usize>(context, CONTEXT_AGENT) != 0, "a context without an agent");
  return load<usize>(context, CONTEXT_AGENT);
}

// @ts-ignore: decorator
@inline
export function tagOf(context: usize): u32 {
  return load<u32>(context, CONTEXT_TAG);
}

// @ts-ignore: decorator
@inline
export function controlsOf(context: usize): u32 {
  return load<u32>(context, CONTEXT_CONTROLS);
}

// @ts-ignore: decorator
@inline
export function rootOf(context: usize): u64 {
  assert(context != 0, "there is no context");
  return load<u64>(context, CONTEXT_ROOT);
}

// @ts-ignore: decorator
@inline
export function formatOf(context: usize): usize {
  return context + CONTEXT_FORMAT;
}

// @ts-ignore: decorator
@inline
export function checkOf(context: usize, access: u32): usize {
  return checkIn(formatOf(context), access);
}

// @ts-ignore: decorator
@inline
export function isMalformed(context: usize, entry: u64, level: u32, leaf: bool): bool {
  return isMalformedIn(formatOf(context), entry, level, leaf);
}

/** Sets the controls of a context and derives its reserved bits and rights checks. Drops nothing from any cache. */
export function setControls(context: usize, controls: u32, pkru: u32): void {
  store<u32>(context, controls, CONTEXT_CONTROLS);
  store<u32>(context, pkru, CONTEXT_PKRU);
  setRules(formatOf(context), controls, pkru);
}

// ---- for the host ----

export function contextRoot(context: usize): u64 {
  return rootOf(context);
}

export function setContextRoot(context: usize, frame: u64): void {
  store<u64>(context, frame, CONTEXT_ROOT);
}

export function contextTag(context: usize): u32 {
  return tagOf(context);
}

export function setContextTag(context: usize, tag: u32): void {
  store<u32>(context, tag, CONTEXT_TAG);
}

/** Tells a context which PASID it is. */
export function setPasid(context: usize, pasid: u32): void {
  assert(pasid >> 20 == 0, "a PASID has 20 bits");
  store<u32>(context, pasid, CONTEXT_PASID);
}
