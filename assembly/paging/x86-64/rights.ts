// What a context's controls make of entries and accesses: reserved bits, rights checks, faults with their error codes
// (docs/rules.md section 3; SDM 4.6, 4.7). All of it is folded when the controls are set, so that a walk or a hit only compares.

import { ACCESS_CODES, FETCH, IMPLICIT, isUser, isWrite, READ_OR_WRITE, SPECULATIVE, TYPE, WRITE } from "../access";
import {
  FAULT_LEVEL,
  FETCH_REFUSED,
  fault,
  NOT_PRESENT,
  OK_LEVEL,
  KEY_REFUSED,
  RESERVED,
  SMAP_REFUSED,
  SMEP_REFUSED,
  SUPERVISOR_PAGE,
  WRITE_REFUSED,
} from "../outcome";
import { AC, NXE, PGE, PKE, SMAP, SMEP, WP } from "./controls";
import { D, G, P, PLAIN, MAX_LEAF_LEVEL, MAX_LEVELS, PKEY, PKEY_SHIFT, PS, RW, STALE, STALE_RIGHTS, shiftOf, US, XD } from "./entry";

// ---- the part of a context that is the format's own ----
/** Reserved bits of non-leaf entries, then of leaves, 8 bytes per level (0 is not used). */
const FORMAT_RESERVED: usize = 0;
const FORMAT_RESERVED_LEAF: usize = FORMAT_RESERVED + (MAX_LEVELS + 1) * 8;
/** Per access (without its speculative mark): what a leaf must be, and which protection keys refuse. */
const FORMAT_CHECKS: usize = FORMAT_RESERVED_LEAF + (MAX_LEVELS + 1) * 8;
const CHECK_MASK: usize = 0;
const CHECK_WANTED: usize = CHECK_MASK + 8;
/** The mask with the bits of the protection key, if a key other than 0 refuses: most leaves have none. */
const CHECK_MASK_AT_ONCE: usize = CHECK_WANTED + 8;
const CHECK_PKEYS: usize = CHECK_MASK_AT_ONCE + 8;
const CHECK_SHIFT: usize = 5;
/** As many as there are codes below SPECULATIVE. */
const CHECKS: usize = SPECULATIVE;
export const FORMAT_SIZE: usize = FORMAT_CHECKS + (CHECKS << CHECK_SHIFT);

if (FORMAT_RESERVED_LEAF % 8 != 0 || FORMAT_CHECKS % 8 != 0 || FORMAT_SIZE % 8 != 0)
  ERROR("the 64-bit words of a format's part are not aligned");
if (CHECK_PKEYS + 4 > 1 << CHECK_SHIFT) ERROR("a check does not fit into its 2^CHECK_SHIFT bytes");
if (ACCESS_CODES != 2 * SPECULATIVE) ERROR("there is not one check for each access without its speculative mark");
if (MAX_LEVELS > <u32>FAULT_LEVEL || MAX_LEAF_LEVEL > <u32>OK_LEVEL) ERROR("an outcome has too few bits for the levels");

const ERROR_P: u32 = 1;
const ERROR_W: u32 = 1 << 1;
const ERROR_U: u32 = 1 << 2;
const ERROR_RSVD: u32 = 1 << 3;
const ERROR_ID: u32 = 1 << 4;
const ERROR_PK: u32 = 1 << 5;

const PKEYS: u32 = 16;
const US_SHIFT: u64 = 2;

// ---- set up once ----
/** Bits of a frame number beyond MAXPHYADDR; whether there are 1 GiB pages. */
let frameReserved: u64 = 0;
let pages1G: bool = true;

/** MAXPHYADDR (32 to 52), and whether there are 1 GiB pages. */
export function setFormatMode(maxPhyAddr: u32, hugePages: bool): void {
  assert(maxPhyAddr >= 32 && maxPhyAddr <= 52, "MAXPHYADDR is out of range");
  frameReserved = ((<u64>1 << 52) - 1) & ~((<u64>1 << <u64>maxPhyAddr) - 1);
  pages1G = hugePages;
}

/** Whether a leaf may stand at a level: at level 3, if there are 1 GiB pages. */
// @ts-ignore: decorator
@inline
export function mayBeLeaf(level: u32): bool {
  return level < 3 || (level == 3 && pages1G);
}

/** Derives reserved bits and rights checks from controls, PKRU and the vendor: on AMD bit 8 of PML4 and PML5 entries is reserved. */
export function setRules(format: usize, controls: u32, pkru: u32, amd: bool): void {
  const reserved = frameReserved | (controls & NXE ? 0 : XD);
  for (let level: u32 = 1; level <= MAX_LEVELS; level++) {
    const at = format + (<usize>level << 3);
    const frameBits = level == 1 ? 0 : (((<u64>1) << shiftOf(level)) - 1) & ~0x1fff;
    store<u64>(at, reserved | (level > MAX_LEAF_LEVEL ? PS | (amd ? G : 0) : 0), FORMAT_RESERVED);
    store<u64>(at, reserved | frameBits | (level == 3 && !pages1G ? PS : 0), FORMAT_RESERVED_LEAF);
  }
  for (let access: u32 = 0; access < <u32>CHECKS; access++) setCheck(checkOf(format, access), access, controls, pkru);
}

// @ts-ignore: decorator
@inline
export function checkOf(format: usize, access: u32): usize {
  assert(access < <u32>CHECKS * 2, "there is no such access");
  return format + FORMAT_CHECKS + (<usize>(access & ~SPECULATIVE) << CHECK_SHIFT);
}

/** Folds the rights rules for one kind of access into "leaf & mask == wanted", plus a set of refusing keys. */
function setCheck(check: usize, access: u32, controls: u32, pkru: u32): void {
  const type = access & TYPE;
  const user = isUser(access);
  // A stale translation never passes: its use is looked at (hardware/hit.ts).
  let mask: u64 = STALE;
  let wanted: u64 = 0;
  if (type == FETCH && controls & NXE) mask |= XD;
  // A cached entry answers a write only if its D is set.
  if (type == WRITE || type == READ_OR_WRITE) {
    mask |= D | STALE_RIGHTS;
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
  const keys = controls & PKE && type != FETCH ? refusingKeys(type, user || (controls & WP) != 0, pkru) : 0;
  store<u32>(check, keys, CHECK_PKEYS);
  // Where key 0 refuses, nothing is allowed at once: P, which each leaf has, is never wanted.
  store<u64>(check, mask | (keys & 1 ? P : keys ? PKEY : 0), CHECK_MASK_AT_ONCE);
}

// @ts-ignore: decorator
@inline
function smapApplies(access: u32, controls: u32): bool {
  return (controls & SMAP) != 0 && ((access & IMPLICIT) != 0 || (controls & AC) == 0);
}

/** Bit k: protection key k refuses this access to a user page (SDM 4.6.2): AD, or WD for writes that it binds. */
function refusingKeys(type: u32, writeDisableBinds: bool, pkru: u32): u32 {
  let keys: u32 = 0;
  for (let key: u32 = 0; key < PKEYS; key++) {
    const accessDisable = (pkru >> (2 * key)) & 1;
    const writeDisable = (pkru >> (2 * key + 1)) & 1;
    if (accessDisable || (type == WRITE && writeDisable && writeDisableBinds)) keys |= 1 << key;
  }
  return keys;
}

// ---- checks ----

/** Rule 3.3: reserved bits, as the context's controls make them. */
// @ts-ignore: decorator
@inline
export function isMalformed(format: usize, entry: u64, level: u32, leaf: bool): bool {
  assert(level >= 1 && level <= MAX_LEVELS, "no entry is of this level");
  const at = format + (<usize>level << 3);
  return (entry & (leaf ? load<u64>(at, FORMAT_RESERVED_LEAF) : load<u64>(at, FORMAT_RESERVED))) != 0;
}

/** Whether all that a non-leaf entry does is lead on: it is present, well-formed, no leaf, and marked already. */
// @ts-ignore: decorator
@inline
export function leadsOn(format: usize, entry: u64, level: u32): bool {
  assert(level >= 2 && level <= MAX_LEVELS, "no entry of this level leads on");
  return (entry & (load<u64>(format + (<usize>level << 3), FORMAT_RESERVED) | PS | PLAIN)) == PLAIN;
}

/** Whether the protection key of a leaf refuses: 1 or 0. */
// @ts-ignore: decorator
@inline
function pkeyRefuses(check: usize, leaf: u64): u32 {
  return (load<u32>(check, CHECK_PKEYS) >> (<u32>(leaf >> PKEY_SHIFT) & (PKEYS - 1))) & <u32>(leaf >> US_SHIFT) & 1;
}

/** The whole check of a cached leaf in a few instructions: allowed, with the marks that the access needs, and not stale. */
// @ts-ignore: decorator
@inline
export function allowsAsCached(check: usize, leaf: u64): bool {
  return (leaf & load<u64>(check, CHECK_MASK)) == load<u64>(check, CHECK_WANTED) && !pkeyRefuses(check, leaf);
}

/** The same in one comparison, for most leaves that are allowed: none of those that are not. */
// @ts-ignore: decorator
@inline
export function allowsAtOnce(check: usize, leaf: u64): bool {
  return (leaf & load<u64>(check, CHECK_MASK_AT_ONCE)) == load<u64>(check, CHECK_WANTED);
}

/** The same for a leaf that a walk is about to mark. */
// @ts-ignore: decorator
@inline
export function allowsOnceMarked(check: usize, leaf: u64): bool {
  return allowsAtOnce(check, leaf | D) || allowsAsCached(check, leaf | D);
}

/** Whether leaves may be global under these controls. */
// @ts-ignore: decorator
@inline
export function honoursGlobal(controls: u32): bool {
  return (controls & PGE) != 0;
}

// ---- faults ----

/** The fault of an access that a leaf refuses, 0 if it does not: the first reason that applies, with the error code. */
export function refusal(format: usize, controls: u32, access: u32, leaf: u64, level: u32): u64 {
  const user = isUser(access);
  const fetch = (access & TYPE) == FETCH;
  const userPage = (leaf & US) != 0;
  const pkey = pkeyRefuses(checkOf(format, access), leaf);
  let reason: u32 = 0;
  if (user && !userPage) reason = SUPERVISOR_PAGE;
  else if (!user && userPage && !fetch && smapApplies(access, controls)) reason = SMAP_REFUSED;
  else if (!user && userPage && fetch && controls & SMEP) reason = SMEP_REFUSED;
  else if (isWrite(access) && !(leaf & RW) && (user || controls & WP)) reason = WRITE_REFUSED;
  else if (fetch && controls & NXE && leaf & XD) reason = FETCH_REFUSED;
  else if (pkey) reason = KEY_REFUSED;
  if (reason == 0) return 0;
  return raise(reason, level, ERROR_P | (pkey ? ERROR_PK : 0), controls, access);
}

export function notPresent(controls: u32, access: u32, level: u32): u64 {
  return raise(NOT_PRESENT, level, 0, controls, access);
}

export function malformed(controls: u32, access: u32, level: u32): u64 {
  return raise(RESERVED, level, ERROR_P | ERROR_RSVD, controls, access);
}

/** A user access has met a non-leaf entry with U/S = 0, on hardware that stops there. */
export function supervisorEntry(controls: u32, access: u32, level: u32): u64 {
  return raise(SUPERVISOR_PAGE, level, ERROR_P, controls, access);
}

/**
 * A fault, with the bits of the error code that say what was tried: W, U, I/D. By recursion (the rest of a fetch is a read):
 * without it the compiler would put all of this into every place that faults.
 */
function raise(reason: u32, level: u32, bits: u32, controls: u32, access: u32): u64 {
  if ((access & TYPE) == FETCH) {
    return raise(reason, level, controls & (NXE | SMEP) ? bits | ERROR_ID : bits, controls, access & ~TYPE);
  }
  return fault(reason, level, bits | (isWrite(access) ? ERROR_W : 0) | (isUser(access) ? ERROR_U : 0));
}
