// The rule of a hit (docs/rules.md section 4), in one place for TLBs, IOTLBs, device TLBs and probes: what an access makes of a
// cached leaf. The one other copy is the first lines of `translate` (translate.ts), which know the common case only.

import { GROUP_LARGE } from "../cache/group";
import { largeBit, seenIn } from "../cache/layout";
import { find } from "../cache/lookup";
import { READ, READ_OR_WRITE, SPECULATIVE, TYPE, WRITE } from "../paging/access";
import { allowsAsCached, allowsOnceMarked, isWritable, MAX_LEAF_LEVEL, STALE, STALE_RIGHTS, shiftOf } from "../paging/format";
import { SMALL } from "./agent";

/** The leaf answers. */
export const ALLOWED: u32 = 0;
/** It would, once it is marked dirty: a miss, so that a walk marks it. */
export const MISS: u32 = 1;
/** Its rights refuse: a hit that faults. */
export const REFUSED: u32 = 2;
/** It answers, though its page was unmapped, or for a write made read-only, after it was cached: a hazard. */
export const STALE_HIT: u32 = 3;

// @ts-ignore: decorator
@inline
export function judge(check: usize, leaf: u64): u32 {
  assert(leaf != 0, "there is no leaf to judge");
  return allowsAsCached(check, leaf) ? ALLOWED : judgeOther(check, leaf & ~(STALE | STALE_RIGHTS));
}

/** What a translation request counts as at a leaf: a write where the page may be written, else a read. Others stay. */
// @ts-ignore: decorator
@inline
export function settled(access: u32, leaf: u64): u32 {
  if ((access & TYPE) != READ_OR_WRITE) return access;
  return (access & ~(TYPE | SPECULATIVE)) | (isWritable(leaf) ? WRITE : READ);
}

/** The rest of the rule, for a leaf that does not answer as it is cached. */
function judgeOther(check: usize, leaf: u64): u32 {
  if (!allowsOnceMarked(check, leaf)) return REFUSED;
  return allowsAsCached(check, leaf) ? STALE_HIT : MISS;
}

/** The key of the entry that covers an address, of any size that the cache holds; 0 if there is none. */
// @ts-ignore: decorator
@inline
export function lookUp(cache: usize, page: u64, tag: u32): usize {
  const seen = seenIn(cache);
  if (seen & SMALL) {
    const key = find(cache, page >> shiftOf(1), 1, tag);
    if (key != 0 || seen == SMALL) return key;
  }
  return lookUpLarge(cache, page, tag, seen);
}

/** The same as a call, for where few come: in `translateFrom` it stood three times, 150 bytes each. */
export function lookUpRarely(cache: usize, page: u64, tag: u32): usize {
  return lookUp(cache, page, tag);
}

export function lookUpLarge(cache: usize, page: u64, tag: u32, seen: u32): usize {
  for (let level: u32 = 2; level <= MAX_LEAF_LEVEL; level++) {
    if (!(seen & (1 << level))) continue;
    const key = find(cache, page >> shiftOf(level), level, tag);
    if (key != 0) return key;
  }
  return 0;
}

/** Whether a large page for a translated address may be in a group's caches. */
// @ts-ignore: decorator
@inline
export function mayBeLarge(group: usize, page: u64): bool {
  return (load<u64>(group, GROUP_LARGE) & largeBit(page >> shiftOf(3), 3)) != 0;
}

/** Whether some cache of a list has a large page for an address. */
export function hasLarge(list: usize, page: u64, tag: u32): bool {
  let cache: usize;
  for (let at = list; (cache = load<usize>(at)) != 0; at += sizeof<usize>()) {
    const seen = seenIn(cache);
    if (seen > SMALL && lookUpLarge(cache, page, tag, seen) != 0) return true;
  }
  return false;
}
