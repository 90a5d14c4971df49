// The way of a lane's walk that no path in the two lowest paging-structure caches knows: from one of the caches above, or from the root,
// down to a table of level 2. Rare where few regions are in use, one walk in three over all pages of a kernel.
//
// It is a copy of `walkFrom` and `down` (walk.ts) and of `fillPath` (fills.ts), in two parts, since the lane's walk writes nothing before
// all is clear (lane-walk.ts). test/engine/lane.test.ts holds it to what single accesses do.

import { count } from "../base/memory";
import { fillAbsent } from "../cache/fill";
import { CACHE_HITS, CACHE_MISSES, dataAt, linkAt, PATH_LEVEL } from "../cache/layout";
import { findPathRarely, touch } from "../cache/lookup";
import { contentsBase, entryIn, loadEntry } from "../paging/contents";
import { accumulate, cachedPath, frameIn, FULL_RIGHTS, leadsOn, MAX_LEVELS, rightsOfPath, shiftOf } from "../paging/format";
import { generationOf, LIVE_TABLE, standing, stateOf, TABLE } from "../paging/frames";
import { addressMask, levels } from "../paging/mode";
import { bucketsAt, bucketsShift, slotFrom } from "../paging/slots";
import { indexAt } from "../paging/tables";
import { AGENT_ENTRY_READS, pscOf } from "./agent";
import { formatOf, pathTagOf, rootOf } from "./context";
import { detecting } from "./hazard";

// ---- scratch: nothing survives a call ----
/** A walk that found it above the two lowest: level of the cache that knew it, past the last if none did; and where, there. */
let wideFrom: u32 = 0;
let widePath: usize = 0;
/** How far it came: to a table of level 2. */
export let wideRights: u64 = 0;
export let wideFrame: u64 = 0;
export let wideTable: u32 = 0;
/** By level, what it went through: the path as it is cached, the table's slot. */
const WAY_SHIFT: usize = 4;
const WAY_SLOT: usize = 8;
const WAY_BYTES: i32 = (<i32>MAX_LEVELS + 1) << <i32>WAY_SHIFT;
const WAY: usize = memory.data(WAY_BYTES, sizeof<u64>());

/** Rule 12: whether a cached path leads to a table, and to the one that it meant. */
// @ts-ignore: decorator
@inline
export function leadsTo(link: usize): bool {
  const slot = load<u32>(link);
  return slot != 0 && (!detecting || standing(slot) == (<u64>load<u32>(link, 4) | LIVE_TABLE));
}

/** Whether a slot has a table in it: 0 is no frame. */
// @ts-ignore: decorator
@inline
export function isTable(slot: u32): bool {
  return slot != 0 && (!detecting || stateOf(slot) == TABLE);
}

/** Looks for the path above the two lowest paging-structure caches, and goes down to level 2; false if anything unusual is on the way. */
export function reachWide(context: usize, agent: usize, va: u64): bool {
  const bits = va & addressMask;
  let level: u32 = 4;
  let path: usize = 0;
  let rights = FULL_RIGHTS;
  let frame = rootOf(context);
  let table: u32 = 0;
  for (; level <= levels; level++) {
    const psc = pscOf(agent, level);
    if (psc != 0) path = findPathRarely(psc, bits >> shiftOf(level), pathTagOf(context));
    if (path == 0) continue;
    const link = linkAt(psc, path);
    if (!leadsTo(link)) return false;
    table = load<u32>(link);
    const known = load<u64>(dataAt(psc, path));
    rights = rightsOfPath(known);
    frame = frameIn(known);
    break;
  }
  if (path == 0) table = slotFrom(bucketsAt(), bucketsShift(), frame);
  wideFrom = level;
  widePath = path;
  while (isTable(table)) {
    if (--level == 2) {
      wideRights = rights;
      wideFrame = frame;
      wideTable = table;
      return true;
    }
    const entry = loadEntry(entryIn(contentsBase(), table, frame, indexAt(va, level)));
    if (!leadsOn(formatOf(context), entry, level)) return false;
    rights = accumulate(rights, entry);
    frame = frameIn(entry);
    table = slotFrom(bucketsAt(), bucketsShift(), frame);
    store<u64>(WAY + (<usize>level << WAY_SHIFT), cachedPath(entry, rights));
    store<u32>(WAY + (<usize>level << WAY_SHIFT), table, WAY_SLOT);
  }
  return false;
}

/** What such a walk leaves behind above level 2, where `countWalks` would have it hit the cache of level 3. */
export function fillWide(context: usize, agent: usize, va: u64): void {
  count(pscOf(agent, 3), CACHE_HITS, -1);
  count(agent, AGENT_ENTRY_READS, wideFrom - 3);
  if (widePath != 0) touch(pscOf(agent, wideFrom), widePath);
  for (let level = wideFrom - 1; level > 2; level--) {
    const psc = pscOf(agent, level);
    if (psc == 0) continue;
    const way = WAY + (<usize>level << WAY_SHIFT);
    const slot = load<u32>(way, WAY_SLOT);
    count(psc, CACHE_MISSES);
    const at = fillAbsent(psc, (va & addressMask) >> shiftOf(level), PATH_LEVEL, pathTagOf(context), false, load<u64>(way));
    store<u64>(linkAt(psc, at), <u64>slot | (<u64>generationOf(slot) << 32));
  }
}
