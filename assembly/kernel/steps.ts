// The steps of a site one by one, for traces.

import { point } from "../base/points";
import { LARGE_LEAF_ABOVE, refuse } from "../base/refusals";
import { isLeaf, isPresent, PAGE_TABLE } from "../paging/format";
import { frameOf, MARK_KERNEL } from "../paging/frames";
import { freeTable, isFreeable } from "./policy";
import { allocateTable } from "./pool";
import { forget, remember, remembered } from "./remembered";
import { levelOfSite, TABLE_CLEARED, TABLE_FREED } from "./sites";
import { INIT_MM } from "./spaces";
import { findEntry, LEAF_IN_THE_WAY, needEntry, needKernelHalf, tableOf } from "./tables";

// @ts-ignore: decorator
@inline
function levelOf(site: u8, level: u32): u32 {
  return level != 0 ? level : levelOfSite(site);
}

/**
 * Unlinks the table of a level (0: the site's own) at an address, made first if the trace began later than it; it is
 * remembered unless it has been freed already.
 */
export function tableClear(site: u8, va: u64, level: u32): bool {
  if (!needKernelHalf(va)) return false;
  const table = levelOf(site, level);
  const inside = needEntry(INIT_MM, va, table, MARK_KERNEL, PAGE_TABLE);
  if (inside == 0) return false;
  if (inside == LEAF_IN_THE_WAY) return refuse(LARGE_LEAF_ABOVE);
  const entry = findEntry(INIT_MM, va, table + 1);
  assert(entry != 0, "a table that was needed is linked nowhere");
  const slot = tableOf(load<u64>(entry));
  if (isFreeable(slot)) remember(site, va, slot);
  store<u64>(entry, 0);
  point(TABLE_CLEARED, va);
  return true;
}

/** Frees the table that `tableClear` unlinked; where free precedes clear, the one that is still linked; else a new one. */
export function tableFree(site: u8, va: u64, level: u32): bool {
  if (!needKernelHalf(va)) return false;
  const table = levelOf(site, level);
  const unlinked = remembered(site, va);
  if (unlinked != 0) forget(unlinked);
  let slot = unlinked != 0 ? unlinked : linked(va, table);
  if (slot == 0) slot = allocateTable(table, MARK_KERNEL);
  if (slot == 0) return false;
  freeTable(slot, site);
  point(TABLE_FREED, frameOf(slot));
  return true;
}

/** The table of a level that is linked at an address and not freed; 0 if there is none. */
function linked(va: u64, level: u32): u32 {
  const entry = findEntry(INIT_MM, va, level + 1);
  if (entry == 0) return 0;
  const value = load<u64>(entry);
  if (!isPresent(value) || isLeaf(value, level + 1)) return 0;
  const slot = tableOf(value);
  return isFreeable(slot) ? slot : 0;
}
