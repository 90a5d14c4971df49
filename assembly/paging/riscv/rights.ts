// What a context's controls make of entries and accesses: reserved encodings, rights checks, faults (privileged specification,
// "Virtual Address Translation Process", steps 3 to 9). All of it is folded when the controls are set, so that a walk or a hit
// only compares.
//
// A fault is one page fault for each kind of access, whatever the reason; its cause stands in place of an error code.

import { FETCH, isUser, isWrite, SPECULATIVE, TYPE, WRITE } from "../access";
import {
  FETCH_REFUSED,
  fault,
  MARK_MISSING,
  NOT_PRESENT,
  READ_REFUSED,
  RESERVED,
  SMAP_REFUSED,
  SMEP_REFUSED,
  SUPERVISOR_PAGE,
  WRITE_REFUSED,
} from "../outcome";
import { ADUE, MXR, PBMTE, SUM, SVNAPOT } from "./controls";
import {
  A,
  D,
  MAX_LEVELS,
  N,
  NAPOT_64K,
  NAPOT_SIZE,
  PAGE_SHIFT,
  PBMT,
  R,
  READ_OR_EXECUTE,
  RESERVED_BITS,
  shiftOf,
  STALE,
  STALE_RIGHTS,
  tableEntry,
  U,
  V,
  W,
  X,
} from "./entry";

// ---- the part of a context that is the format's own ----
/** Bits that must be 0 in non-leaf entries, then in leaves, 8 bytes per level (0 is not used). */
const FORMAT_RESERVED: usize = 0;
const FORMAT_RESERVED_LEAF: usize = FORMAT_RESERVED + (MAX_LEVELS + 1) * 8;
/** Per access (without its speculative mark): what a leaf must be, and the marks that the hardware sets for it. */
const FORMAT_CHECKS: usize = FORMAT_RESERVED_LEAF + (MAX_LEVELS + 1) * 8;
const CHECK_MASK: usize = 0;
const CHECK_WANTED: usize = CHECK_MASK + 8;
const CHECK_MARKS: usize = CHECK_WANTED + 8;
const CHECK_SHIFT: usize = 5;
/** As many as there are codes below SPECULATIVE. */
const CHECKS: usize = SPECULATIVE;
export const FORMAT_SIZE: usize = FORMAT_CHECKS + (CHECKS << CHECK_SHIFT);

// ---- causes (scause) ----
const INSTRUCTION_PAGE_FAULT: u64 = 12;
const LOAD_PAGE_FAULT: u64 = 13;
const STORE_PAGE_FAULT: u64 = 15;

/** Nothing to set up: physical addresses have 56 bits, and superpages of every level are always there. */
export function setFormatMode(maxPhyAddr: u32, hugePages: bool): void {}

/** Derives reserved bits and rights checks from controls; protection keys and AMD there are none. */
export function setRules(format: usize, controls: u32, pkru: u32, amd: bool): void {
  const leaves = RESERVED_BITS | (controls & PBMTE ? 0 : PBMT);
  for (let level: u32 = 1; level <= MAX_LEVELS; level++) {
    const at = format + (<usize>level << 3);
    const misaligned = tableEntry((((<u64>1) << shiftOf(level)) - 1) >> PAGE_SHIFT, 0);
    const napot = level == 1 && controls & SVNAPOT ? 0 : N;
    // A pointer at the last level leads nowhere: every bit of it is wrong.
    store<u64>(at, level == 1 ? ~(<u64>0) : N | PBMT | RESERVED_BITS | D | A | U | W, FORMAT_RESERVED);
    store<u64>(at, leaves | misaligned | napot, FORMAT_RESERVED_LEAF);
  }
  for (let access: u32 = 0; access < <u32>CHECKS; access++) setCheck(checkOf(format, access), access, controls);
}

// @ts-ignore: decorator
@inline
export function checkOf(format: usize, access: u32): usize {
  return format + FORMAT_CHECKS + (<usize>(access & ~SPECULATIVE) << CHECK_SHIFT);
}

/** Folds the rights rules for one kind of access into "leaf & mask == wanted", once the marks are set that the hardware sets. */
function setCheck(check: usize, access: u32, controls: u32): void {
  const type = access & TYPE;
  let wanted: u64 = A;
  if (type == FETCH) wanted |= X;
  else if (type == WRITE) wanted |= W | D;
  else wanted |= controls & MXR ? READ_OR_EXECUTE : R;
  // A stale translation never passes: its use is looked at (hardware/hit.ts).
  let mask: u64 = STALE | wanted | (type == WRITE ? STALE_RIGHTS : 0);
  if (isUser(access)) {
    mask |= U;
    wanted |= U;
  } else if (type == FETCH || !(controls & SUM)) {
    mask |= U;
  }
  store<u64>(check, mask, CHECK_MASK);
  store<u64>(check, wanted, CHECK_WANTED);
  store<u64>(check, controls & ADUE ? A | D : 0, CHECK_MARKS);
}

// ---- checks ----

/** Step 3, and of step 4 the pointer at the last level, of step 5 the misaligned superpage. Reserved encodings fault first. */
// @ts-ignore: decorator
@inline
export function isMalformed(format: usize, entry: u64, level: u32, leaf: bool): bool {
  const at = format + (<usize>level << 3);
  if (!leaf) return (entry & load<u64>(at, FORMAT_RESERVED)) != 0;
  if ((entry & load<u64>(at, FORMAT_RESERVED_LEAF)) != 0) return true;
  return (entry & (R | W)) == W || (entry & PBMT) == PBMT || ((entry & N) != 0 && (entry & NAPOT_SIZE) != NAPOT_64K);
}

/** Whether all that a non-leaf entry does is lead on: it is valid, no leaf, and well-formed. */
// @ts-ignore: decorator
@inline
export function leadsOn(format: usize, entry: u64, level: u32): bool {
  return (entry & (load<u64>(format + (<usize>level << 3), FORMAT_RESERVED) | V | R | W | X)) == V;
}

/** The whole check of a cached leaf in a few instructions: allowed, with the marks that the access needs, and not stale. */
// @ts-ignore: decorator
@inline
export function allowsAsCached(check: usize, leaf: u64): bool {
  return (leaf & load<u64>(check, CHECK_MASK)) == load<u64>(check, CHECK_WANTED);
}

/** The same: there are no protection keys. */
// @ts-ignore: decorator
@inline
export function allowsAtOnce(check: usize, leaf: u64): bool {
  return allowsAsCached(check, leaf);
}

/** The same for a leaf that a walk is about to mark, if the hardware marks at all. */
// @ts-ignore: decorator
@inline
export function allowsOnceMarked(check: usize, leaf: u64): bool {
  return allowsAsCached(check, leaf | load<u64>(check, CHECK_MARKS));
}

/** Leaves may always be global. */
// @ts-ignore: decorator
@inline
export function honoursGlobal(controls: u32): bool {
  return true;
}

// ---- faults ----

/** The fault of an access that a leaf refuses, 0 if it does not: the first reason that applies. */
export function refusal(format: usize, controls: u32, access: u32, leaf: u64, level: u32): u64 {
  const user = isUser(access);
  const userPage = (leaf & U) != 0;
  const type = access & TYPE;
  let reason: u32 = 0;
  if (user && !userPage) reason = SUPERVISOR_PAGE;
  else if (!user && userPage && type == FETCH) reason = SMEP_REFUSED;
  else if (!user && userPage && !(controls & SUM)) reason = SMAP_REFUSED;
  else if (type == FETCH) reason = leaf & X ? 0 : FETCH_REFUSED;
  else if (type == WRITE) reason = leaf & W ? 0 : WRITE_REFUSED;
  else reason = leaf & (controls & MXR ? READ_OR_EXECUTE : R) ? 0 : READ_REFUSED;
  if (reason == 0 && !(controls & ADUE)) {
    const marks = isWrite(access) ? A | D : A;
    if ((leaf & marks) != marks) reason = MARK_MISSING;
  }
  return reason == 0 ? 0 : pageFault(reason, access, level);
}

export function notPresent(controls: u32, access: u32, level: u32): u64 {
  return pageFault(NOT_PRESENT, access, level);
}

export function malformed(controls: u32, access: u32, level: u32): u64 {
  return pageFault(RESERVED, access, level);
}

/** Never asked for: a path refuses nobody (`isUserReachable`). */
export function supervisorEntry(controls: u32, access: u32, level: u32): u64 {
  return pageFault(SUPERVISOR_PAGE, access, level);
}

function pageFault(reason: u32, access: u32, level: u32): u64 {
  const type = access & TYPE;
  return fault(reason, level, type == FETCH ? INSTRUCTION_PAGE_FAULT : type == WRITE ? STORE_PAGE_FAULT : LOAD_PAGE_FAULT);
}
