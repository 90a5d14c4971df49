// What walks leave in caches: the path that they took, and the translation that they found. Rules: docs/rules.md sections 4 and 5
// (SDM 4.10.2, 4.10.3).

import { fill, fillAbsent } from "../cache/fill";
import { GROUP_LARGE, GROUP_REGIONS, GROUP_SEEN } from "../cache/group";
import { CACHE_LEVELS, groupOf, largeBit, linkAt, PATH_LEVEL, regionBit } from "../cache/layout";
import { cachedPath, isCachedGlobal, isUserReachable, shiftOf } from "../paging/format";
import { addressMask } from "../paging/mode";
import { AGENT_L1, AGENT_L2, AGENT_SMALL_FIRST, hasFlag, leavesOf, PASS_SUPERVISOR_UNCACHED, pscOf } from "./agent";
import { pathTagOf, tagOf } from "./context";

/** The walk goes through an entry that is marked: its paging-structure cache is filled, with the table's generation when it was read. */
// @ts-ignore: decorator
@inline
export function fillPath(
  context: usize,
  agent: usize,
  va: u64,
  level: u32,
  entry: u64,
  rights: u64,
  slot: u32,
  generation: u32,
  absent: bool,
): void {
  const psc = pscOf(agent, level);
  if (psc == 0 || (!isUserReachable(rights) && hasFlag(agent, PASS_SUPERVISOR_UNCACHED))) return;
  const page = (va & addressMask) >> shiftOf(level);
  const key = absent
    ? fillAbsent(psc, page, PATH_LEVEL, pathTagOf(context), false, cachedPath(entry, rights))
    : fill(psc, page, PATH_LEVEL, pathTagOf(context), false, cachedPath(entry, rights));
  store<u64>(linkAt(psc, key), <u64>slot | (<u64>generation << 32));
}

/** A completed walk fills l2, then l1; `absent`: neither holds the translation. Small pages take no look at the lists. */
// @ts-ignore: decorator
@inline
export function fillTranslation(context: usize, agent: usize, va: u64, level: u32, leaf: u64, absent: bool): void {
  const l1 = load<usize>(agent, AGENT_L1);
  const l2 = load<usize>(agent, AGENT_L2);
  if (absent && level == 1 && load<u32>(agent, AGENT_SMALL_FIRST)) {
    const tag = tagOf(context);
    const page = (va & addressMask) >> shiftOf(1);
    noteSeen(leavesOf(agent), page, 1);
    if (l2 != 0) fillAbsent(l2, page, 1, tag, isCachedGlobal(leaf), leaf);
    fillAbsent(l1, page, 1, tag, isCachedGlobal(leaf), leaf);
  } else if ((l1 | l2) != 0) fillLists(context, agent, va, level, leaf, absent);
}

/** The same by the lists. */
export function fillLists(context: usize, agent: usize, va: u64, level: u32, leaf: u64, absent: bool): void {
  assert(level >= 1 && leaf != 0, "there is no leaf to fill with");
  const tag = tagOf(context);
  noteSeen(leavesOf(agent), (va & addressMask) >> shiftOf(level), level);
  fillList(agent + AGENT_L2, va, level, tag, leaf, absent);
  fillList(agent + AGENT_L1, va, level, tag, leaf, absent);
}

/** Notes for a group that a leaf is filled. */
// @ts-ignore: decorator
@inline
export function noteSeen(group: usize, page: u64, level: u32): void {
  store<u32>(group, load<u32>(group, GROUP_SEEN) | (1 << level), GROUP_SEEN);
  store<u64>(group, load<u64>(group, GROUP_REGIONS) | regionBit(page, level), GROUP_REGIONS);
  if (level != 1) store<u64>(group, load<u64>(group, GROUP_LARGE) | largeBit(page, level), GROUP_LARGE);
}

/**
 * A translation that completed fills the TLB of the device that asked, if it holds leaves of this size; `absent`: it has nothing for
 * the address.
 */
export function fillDeviceTlb(deviceTlb: usize, tag: u32, va: u64, level: u32, leaf: u64, absent: bool): void {
  if (!(load<u32>(deviceTlb, CACHE_LEVELS) & (1 << level))) return;
  const page = (va & addressMask) >> shiftOf(level);
  noteSeen(groupOf(deviceTlb), page, level);
  if (absent) fillAbsent(deviceTlb, page, level, tag, false, leaf);
  else fill(deviceTlb, page, level, tag, false, leaf);
}

/** Fills the cache of a list that holds leaves of this level, if there is one; `absent`: it does not hold this one. */
// @ts-ignore: decorator
@inline
export function fillList(list: usize, va: u64, level: u32, tag: u32, leaf: u64, absent: bool): void {
  let cache: usize;
  while ((cache = load<usize>(list)) != 0) {
    if (load<u32>(cache, CACHE_LEVELS) & (1 << level)) {
      const page = (va & addressMask) >> shiftOf(level);
      if (absent) fillAbsent(cache, page, level, tag, isCachedGlobal(leaf), leaf);
      else fill(cache, page, level, tag, isCachedGlobal(leaf), leaf);
      return;
    }
    list += sizeof<usize>();
  }
}
