// Contexts: what a request is translated with. The registers of a CPU, which has one context; or one PASID of one device
// behind an IOMMU.

import { DOMAINS_OF_PASID } from "../base/limits";
import { allocate } from "../base/memory";
import { checkOf as checkIn, FORMAT_SIZE, isMalformed as isMalformedIn, setRules } from "../paging/format";
import { AMD_TABLES, hasFlag } from "./agent";

// ---- a context ----
const CONTEXT_AGENT: usize = 0;
/** Of translation caches. */
const CONTEXT_TAG: usize = CONTEXT_AGENT + 4;
export const CONTEXT_ROOT: usize = CONTEXT_TAG + 4;
export const CONTEXT_CONTROLS: usize = CONTEXT_ROOT + 8;
/** PKRU. */
const CONTEXT_PKRU: usize = CONTEXT_CONTROLS + 4;
/** Of paging-structure caches: those of an IOMMU do not tell devices apart. */
const CONTEXT_PATH_TAG: usize = CONTEXT_PKRU + 4;
/** In device TLBs and hazards: the PCID, or the dense index of the PASID. */
const CONTEXT_NAME: usize = CONTEXT_PATH_TAG + 4;
/** What the format makes of the controls. */
export const CONTEXT_FORMAT: usize = CONTEXT_NAME + 4;
/** IOMMU: whether the PASID cache holds this context, and the PASID-table entry (of the context that `entryOf` names). */
export const CONTEXT_CACHED: usize = CONTEXT_FORMAT + FORMAT_SIZE;
export const CONTEXT_BOUND: usize = CONTEXT_CACHED + 4;
export const CONTEXT_BOUND_ROOT: usize = CONTEXT_BOUND + 4;
export const CONTEXT_BOUND_FIELDS: usize = CONTEXT_BOUND_ROOT + 8;
/** Fields of the PASID-table entry as they were read last. */
export const CONTEXT_FIELDS: usize = CONTEXT_BOUND_FIELDS + 4;
export const CONTEXT_PASID: usize = CONTEXT_FIELDS + 4;
/** Number of the requester that the context was registered with. */
export const CONTEXT_REQUESTER: usize = CONTEXT_PASID + 4;
/** Next context of an IOMMU (all of them form one list, by IOMMU and PASID index), and number of the first device TLB's requester + 1. */
export const CONTEXT_NEXT: usize = CONTEXT_REQUESTER + 4;
export const CONTEXT_DEVICE_TLBS: usize = CONTEXT_NEXT + 4;
/** The context of the first device with the same PASID, which holds the PASID-table entry; and of the next device. */
const CONTEXT_ENTRY: usize = CONTEXT_DEVICE_TLBS + 4;
export const CONTEXT_NEXT_SOURCE: usize = CONTEXT_ENTRY + 4;
/** Source-id (bus, device, function) of the device. */
export const CONTEXT_SOURCE_ID: usize = CONTEXT_NEXT_SOURCE + 4;
/** The tag of the first domain in translation caches; the others follow, and then the next device's with the same PASID. */
const CONTEXT_FIRST_TAG: usize = CONTEXT_SOURCE_ID + 4;
/** How many devices the IOMMU has. */
export const CONTEXT_SOURCES: usize = CONTEXT_FIRST_TAG + 4;
/** Place in the list of domains under which requests are made; of the PASID-table entry; that list: domain id + 1, 0 = not taken. */
export const CONTEXT_PLACE: usize = CONTEXT_SOURCES + 4;
export const CONTEXT_BOUND_PLACE: usize = CONTEXT_PLACE + 4;
export const CONTEXT_DOMAINS: usize = CONTEXT_BOUND_PLACE + 4;
export const CONTEXT_SIZE: usize = CONTEXT_DOMAINS + 4 * DOMAINS_OF_PASID;

/** The domain of SVA in Intel's driver (FLPT_DEFAULT_DID); the first place of a PASID's list is its for good. */
export const DEFAULT_DOMAIN: u32 = 1;

if (CONTEXT_ROOT % 8 != 0 || CONTEXT_FORMAT % 8 != 0 || CONTEXT_BOUND_ROOT % 8 != 0)
  ERROR("the 64-bit fields of a context are not aligned");

/** A context of an agent. 0 if memory is out. */
export function createContext(agent: usize, tag: u32): usize {
  const context = allocate(CONTEXT_SIZE);
  if (context == 0) return 0;
  store<usize>(context, agent, CONTEXT_AGENT);
  setContextTag(context, tag);
  setControls(context, 0, 0);
  return context;
}

/**
 * The context of a device (its `source` number of `sources`) and a PASID (by its dense index, one of `pasids`) on an IOMMU;
 * `first` is that of the first device, 0 if this is it. Translation caches have a tag for each (PASID, device, domain),
 * paging-structure caches for each (PASID, domain), in this order: what a PASID has stands together. 0 if memory is out.
 */
export function createPasidContext(
  agent: usize,
  pasid: u32,
  index: u32,
  pasids: u32,
  source: u32,
  sources: u32,
  sourceId: u32,
  first: usize,
): usize {
  assert(index < pasids && source < sources && (first == 0) == (source == 0), "there is no such device, or no such PASID");
  assert(pasid >> 20 == 0 && sourceId >> 16 == 0, "a PASID has 20 bits, a source-id 16");
  const context = createContext(agent, index);
  if (context == 0) return 0;
  store<u32>(context, pasid, CONTEXT_PASID);
  store<u32>(context, sourceId, CONTEXT_SOURCE_ID);
  store<u32>(context, (index * sources + source) * DOMAINS_OF_PASID, CONTEXT_FIRST_TAG);
  store<u32>(context, sources, CONTEXT_SOURCES);
  store<usize>(context, first == 0 ? context : first, CONTEXT_ENTRY);
  store<u32>(context, DEFAULT_DOMAIN + 1, CONTEXT_DOMAINS);
  enterDomain(context, 0);
  let last = first;
  while (last != 0 && load<usize>(last, CONTEXT_NEXT_SOURCE) != 0) last = load<usize>(last, CONTEXT_NEXT_SOURCE);
  if (last != 0) store<usize>(last, context, CONTEXT_NEXT_SOURCE);
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
export function pathTagOf(context: usize): u32 {
  return load<u32>(context, CONTEXT_PATH_TAG);
}

// @ts-ignore: decorator
@inline
export function nameOf(context: usize): u32 {
  return load<u32>(context, CONTEXT_NAME);
}

/** IOMMU: the context that holds the PASID-table entry; the devices' contexts of the PASID begin there. */
// @ts-ignore: decorator
@inline
export function entryOf(context: usize): usize {
  assert(load<usize>(context, CONTEXT_ENTRY) != 0, "a CPU has no PASID-table entry");
  return load<usize>(context, CONTEXT_ENTRY);
}

/** IOMMU: the tag of translation caches under the domain at a place. */
// @ts-ignore: decorator
@inline
export function tagIn(context: usize, place: u32): u32 {
  assert(place < DOMAINS_OF_PASID, "there is no such place");
  return place + load<u32>(context, CONTEXT_FIRST_TAG);
}

/** IOMMU: the tag of paging-structure caches under the domain at a place. */
// @ts-ignore: decorator
@inline
export function pathTagIn(context: usize, place: u32): u32 {
  assert(place < DOMAINS_OF_PASID, "there is no such place");
  return place + nameOf(context) * DOMAINS_OF_PASID;
}

/** IOMMU: what is cached from now on belongs to the domain at a place. */
export function enterDomain(context: usize, place: u32): void {
  store<u32>(context, place, CONTEXT_PLACE);
  store<u32>(context, tagIn(context, place), CONTEXT_TAG);
  store<u32>(context, pathTagIn(context, place), CONTEXT_PATH_TAG);
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
  // What a device checks by itself has no agent, and reads no tables.
  const agent = load<usize>(context, CONTEXT_AGENT);
  setRules(formatOf(context), controls, pkru, agent != 0 && hasFlag(agent, AMD_TABLES));
}

// ---- for the host ----

/** Frame number of the root table. */
export function contextRoot(context: usize): u64 {
  return rootOf(context);
}

/** Sets the frame number of the root table; nothing is dropped from any cache. */
export function setContextRoot(context: usize, frame: u64): void {
  store<u64>(context, frame, CONTEXT_ROOT);
}

/** PCID, or dense index of the PASID. */
export function contextTag(context: usize): u32 {
  return tagOf(context);
}

/** A CPU's PCID. */
export function setContextTag(context: usize, tag: u32): void {
  store<u32>(context, tag, CONTEXT_TAG);
  store<u32>(context, tag, CONTEXT_PATH_TAG);
  store<u32>(context, tag, CONTEXT_NAME);
}

/** Domain id at a place of a PASID's list; all ones if the place is not taken. For the host. */
export function domainAt(context: usize, place: u32): u32 {
  return load<u32>(entryOf(context) + (<usize>place << 2), CONTEXT_DOMAINS) - 1;
}
