// Translation agents and their contexts.
// An agent owns caches: l1 and l2 lists of translation caches, one paging-structure cache a level. A context is what a
// request is translated with: the registers of a CPU, or one PASID of an IOMMU. A CPU is an agent with one context.

import {
  AC,
  FETCH,
  IMPLICIT,
  isUser,
  NXE,
  PKE,
  SMAP,
  SMEP,
  SPECULATIVE,
  TYPE,
  WP,
  WRITE,
} from "../paging/access";
import { D, PS, RW, STALE, shiftOf, US, XD } from "../paging/entry";
import { allocate } from "../base/memory";

export const MAX_CACHES: u32 = 3;

// ---- agent ----
/** Up to three caches each, closed by 0. */
export const AGENT_L1: usize = 0;
export const AGENT_L2: usize = AGENT_L1 + 16;
/** Paging-structure cache of level L at AGENT_PSC + 4 * L; 0 if there is none. */
export const AGENT_PSC: usize = AGENT_L2 + 16;
export const AGENT_FLAGS: usize = AGENT_PSC + 24;
export const AGENT_ID: usize = AGENT_FLAGS + 4;
export const AGENT_TRANSLATIONS: usize = AGENT_ID + 4;
export const AGENT_FAULTS: usize = AGENT_TRANSLATIONS + 8;
export const AGENT_WALKS: usize = AGENT_FAULTS + 8;
export const AGENT_ENTRY_READS: usize = AGENT_WALKS + 8;
export const AGENT_AD_WRITES: usize = AGENT_ENTRY_READS + 8;
export const AGENT_INVALIDATIONS: usize = AGENT_AD_WRITES + 8;
const AGENT_SIZE: usize = AGENT_INVALIDATIONS + 8;

/** The agent is a CPU: its faults are page faults, its leaves may be global. */
export const IS_CPU: u32 = 1;
/** A user request ends at the first non-leaf entry with U/S = 0. */
export const STOP_AT_SUPERVISOR: u32 = 1 << 1;
/** A walk refused at a supervisor leaf still fills the translation caches. */
export const CACHE_SUPERVISOR_LEAVES: u32 = 1 << 2;
/** INVLPG drops paging-structure entries of every PCID (AMD, TCE = 0), or only those on the path (AMD, TCE = 1). */
export const INVLPG_ALL: u32 = 1 << 3;
export const INVLPG_PATH: u32 = 1 << 4;
/** Invalidations reach this IOMMU as AMD commands, not as VT-d descriptors. */
export const AMD_COMMANDS: u32 = 1 << 5;

// ---- context ----
export const CONTEXT_AGENT: usize = 0;
export const CONTEXT_TAG: usize = CONTEXT_AGENT + 4;
export const CONTEXT_ROOT: usize = CONTEXT_TAG + 4;
export const CONTEXT_CONTROLS: usize = CONTEXT_ROOT + 8;
export const CONTEXT_PKRU: usize = CONTEXT_CONTROLS + 4;
/** Reserved bits of non-leaf entries, then of leaves, 8 bytes a level (0 is not used). */
export const CONTEXT_RESERVED: usize = CONTEXT_PKRU + 4;
export const CONTEXT_RESERVED_LEAF: usize = CONTEXT_RESERVED + 6 * 8;
/** Per access (without its speculative mark): what a leaf must be, and which protection keys refuse. */
export const CONTEXT_CHECKS: usize = CONTEXT_RESERVED_LEAF + 6 * 8;
export const CHECK_MASK: usize = 0;
export const CHECK_WANTED: usize = CHECK_MASK + 8;
export const CHECK_KEYS: usize = CHECK_WANTED + 8;
const CHECK_SHIFT: usize = 5;
/** IOMMU: whether the PASID cache holds this context, and the PASID-table entry behind it. */
export const CONTEXT_CACHED: usize = CONTEXT_CHECKS + (16 << CHECK_SHIFT);
export const CONTEXT_BOUND: usize = CONTEXT_CACHED + 4;
export const CONTEXT_BOUND_ROOT: usize = CONTEXT_BOUND + 4;
export const CONTEXT_BOUND_CONTROLS: usize = CONTEXT_BOUND_ROOT + 8;
/** The PASID, and the mm that the kernel bound it to (+ 1; 0 = none). */
export const CONTEXT_PASID: usize = CONTEXT_BOUND_CONTROLS + 4;
export const CONTEXT_MM: usize = CONTEXT_PASID + 4;
/** Next context of an IOMMU (all of them form one list, by IOMMU and PASID index), and number of the first device TLB's requester + 1. */
export const CONTEXT_NEXT: usize = CONTEXT_MM + 4;
export const CONTEXT_DEVICE_TLBS: usize = CONTEXT_NEXT + 4;
const CONTEXT_SIZE: usize = CONTEXT_DEVICE_TLBS + 8;

/** Paging mode of the machine: levels, translated address bits, reserved frame bits, 1 GiB pages. */
export let levels: u32 = 4;
export let canonicalShift: u64 = 16;
export let addressMask: u64 = (1 << 48) - 1;
let frameReserved: u64 = 0;
let pages1G: bool = true;

export function setPagingMode(levelCount: u32, maxPhyAddr: u32, hugePages: bool): void {
  levels = levelCount;
  const bits: u64 = 12 + 9 * <u64>levelCount;
  canonicalShift = 64 - bits;
  addressMask = ((<u64>1) << bits) - 1;
  frameReserved = ((<u64>1 << 52) - 1) & ~((<u64>1 << <u64>maxPhyAddr) - 1);
  pages1G = hugePages;
}

// @ts-ignore: decorator
@inline
export function isCanonical(va: u64): bool {
  return (<i64>(va << canonicalShift)) >> canonicalShift == <i64>va;
}

export function createAgent(id: u32, flags: u32): usize {
  const agent = allocate(AGENT_SIZE);
  if (agent == 0) return 0;
  store<u32>(agent, flags, AGENT_FLAGS);
  store<u32>(agent, id, AGENT_ID);
  return agent;
}

/** Appends a cache to the l1 (1) or l2 (2) list. False if the list is full. */
export function addTranslationCache(agent: usize, list: u32, cache: usize): bool {
  const first = agent + (list == 1 ? AGENT_L1 : AGENT_L2);
  for (let i: u32 = 0; i < MAX_CACHES; i++) {
    if (load<u32>(first + (i << 2)) != 0) continue;
    store<usize>(first + (i << 2), cache);
    return true;
  }
  return false;
}

export function setPagingStructureCache(agent: usize, level: u32, cache: usize): void {
  store<usize>(agent + (<usize>level << 2), cache, AGENT_PSC);
}

// @ts-ignore: decorator
@inline
export function pscOf(agent: usize, level: u32): usize {
  return load<usize>(agent + (<usize>level << 2), AGENT_PSC);
}

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
  return load<usize>(context, CONTEXT_AGENT);
}

// @ts-ignore: decorator
@inline
export function checkOf(context: usize, access: u32): usize {
  return context + CONTEXT_CHECKS + (<usize>(access & ~SPECULATIVE) << CHECK_SHIFT);
}

// @ts-ignore: decorator
@inline
export function reservedBits(context: usize, level: u32, leaf: bool): u64 {
  const at = context + (<usize>level << 3);
  return leaf ? load<u64>(at, CONTEXT_RESERVED_LEAF) : load<u64>(at, CONTEXT_RESERVED);
}

/** Sets the controls of a context and derives its reserved bits and rights checks. Drops nothing from any cache. */
export function setControls(context: usize, controls: u32, pkru: u32): void {
  store<u32>(context, controls, CONTEXT_CONTROLS);
  store<u32>(context, pkru, CONTEXT_PKRU);
  const reserved = frameReserved | (controls & NXE ? 0 : XD);
  for (let level: u32 = 1; level <= 5; level++) {
    const at = context + (<usize>level << 3);
    const frameBits = level == 1 ? 0 : (((<u64>1) << shiftOf(level)) - 1) & ~0x1fff;
    store<u64>(at, reserved | (level >= 4 ? PS : 0), CONTEXT_RESERVED);
    store<u64>(at, reserved | frameBits | (level == 3 && !pages1G ? PS : 0), CONTEXT_RESERVED_LEAF);
  }
  for (let access: u32 = 0; access < 16; access++) setCheck(checkOf(context, access), access, controls, pkru);
}

/** Folds the rights rules for one kind of access into "leaf & mask == wanted", plus a set of refusing keys. */
function setCheck(check: usize, access: u32, controls: u32, pkru: u32): void {
  const type = access & TYPE;
  const user = isUser(access);
  // A stale translation never passes: its use is looked at (translate.ts).
  let mask: u64 = STALE;
  let wanted: u64 = 0;
  if (type == FETCH && controls & NXE) mask |= XD;
  // A cached entry answers a write only if its D is set.
  if (type == WRITE) {
    mask |= D;
    wanted |= D;
    if (user || controls & WP) {
      mask |= RW;
      wanted |= RW;
    }
  }
  if (user) {
    mask |= US;
    wanted |= US;
  } else if (type == FETCH ? (controls & SMEP) != 0 : smapApplies(access, controls)) {
    mask |= US;
  }
  store<u64>(check, mask, CHECK_MASK);
  store<u64>(check, wanted, CHECK_WANTED);
  store<u32>(check, controls & PKE && type != FETCH ? refusingKeys(type, user || (controls & WP) != 0, pkru) : 0, CHECK_KEYS);
}

// @ts-ignore: decorator
@inline
function smapApplies(access: u32, controls: u32): bool {
  return (controls & SMAP) != 0 && ((access & IMPLICIT) != 0 || (controls & AC) == 0);
}

/** Bit k: key k refuses this access to a user page (SDM 4.6.2): AD, or WD for writes that it binds. */
function refusingKeys(type: u32, writeDisableBinds: bool, pkru: u32): u32 {
  let keys: u32 = 0;
  for (let key: u32 = 0; key < 16; key++) {
    const accessDisable = (pkru >> (2 * key)) & 1;
    const writeDisable = (pkru >> (2 * key + 1)) & 1;
    if (accessDisable || (type == WRITE && writeDisable && writeDisableBinds)) keys |= 1 << key;
  }
  return keys;
}

// ---- for the host ----

/** Counters by number: translations, faults, walks, entry reads, A/D writes, invalidations. */
export function agentCounter(agent: usize, which: u32): u64 {
  return load<u64>(agent + AGENT_TRANSLATIONS + (<usize>which << 3));
}

export function contextRoot(context: usize): u64 {
  return load<u64>(context, CONTEXT_ROOT);
}

export function setContextRoot(context: usize, frame: u64): void {
  store<u64>(context, frame, CONTEXT_ROOT);
}

export function contextTag(context: usize): u32 {
  return load<u32>(context, CONTEXT_TAG);
}

export function setContextTag(context: usize, tag: u32): void {
  store<u32>(context, tag, CONTEXT_TAG);
}
