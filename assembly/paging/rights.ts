// Rights of an access to a leaf with given cumulative rights (docs/rules.md section 3; SDM 4.6, 4.7).

import {
  AC,
  attemptedBits,
  ERROR_P,
  ERROR_PK,
  FETCH,
  FETCH_REFUSED,
  fault,
  IMPLICIT,
  isUser,
  isWrite,
  KEY_REFUSED,
  NXE,
  SMAP,
  SMAP_REFUSED,
  SMEP,
  SMEP_REFUSED,
  SUPERVISOR_PAGE,
  TYPE,
  WP,
  WRITE_REFUSED,
} from "./access";
import { CHECK_KEYS, CHECK_MASK, CHECK_WANTED, CONTEXT_CONTROLS, checkOf } from "../hardware/agent";
import { D, RW, US, XD } from "./entry";

const KEY_SHIFT: u64 = 59;
const US_SHIFT: u64 = 2;

/** Whether the key of a leaf refuses: 1 or 0. */
// @ts-ignore: decorator
@inline
function keyRefuses(check: usize, leaf: u64): u32 {
  return (load<u32>(check, CHECK_KEYS) >> (<u32>(leaf >> KEY_SHIFT) & 15)) & <u32>(leaf >> US_SHIFT) & 1;
}

/** The whole check of a cached leaf in a few instructions: allowed, and (for a write) already dirty. */
// @ts-ignore: decorator
@inline
export function allowsAsCached(check: usize, leaf: u64): bool {
  return (leaf & load<u64>(check, CHECK_MASK)) == load<u64>(check, CHECK_WANTED) && !keyRefuses(check, leaf);
}

/** The same for a leaf that the walk is about to make dirty. */
// @ts-ignore: decorator
@inline
export function allowsOnceDirty(check: usize, leaf: u64): bool {
  return allowsAsCached(check, leaf | D);
}

/** The fault of an access that a leaf refuses, 0 if it does not: the first reason that applies, with the error code. */
export function refusal(context: usize, access: u32, leaf: u64, level: u32): u64 {
  const controls = load<u32>(context, CONTEXT_CONTROLS);
  const user = isUser(access);
  const fetch = (access & TYPE) == FETCH;
  const userPage = (leaf & US) != 0;
  const key = keyRefuses(checkOf(context, access), leaf);
  let reason: u32 = 0;
  if (user && !userPage) reason = SUPERVISOR_PAGE;
  else if (!user && userPage && !fetch && controls & SMAP && (access & IMPLICIT || !(controls & AC))) reason = SMAP_REFUSED;
  else if (!user && userPage && fetch && controls & SMEP) reason = SMEP_REFUSED;
  else if (isWrite(access) && !(leaf & RW) && (user || controls & WP)) reason = WRITE_REFUSED;
  else if (fetch && controls & NXE && leaf & XD) reason = FETCH_REFUSED;
  else if (key) reason = KEY_REFUSED;
  if (reason == 0) return 0;
  return fault(reason, level, ERROR_P | (key ? ERROR_PK : 0) | attemptedBits(access, controls));
}
