// The steps of a site one by one, for traces.

import { MARKED, UNMARKED } from "../base/operations";
import { point } from "../base/points";
import { LARGE_LEAF_ABOVE, refuse } from "../base/refusals";
import { loadEntry, setEntry, slotAround } from "../paging/contents";
import { isLeaf, isPresent, PAGE_TABLE } from "../paging/format";
import { frameOf, MARK_KERNEL, marksOf, setMarks } from "../paging/frames";
import { freeTable, isFreeable } from "./policy";
import { allocateTable } from "./pool";
import { forget, remember, remembered } from "./remembered";
import {
  CPA_COLLAPSE_LARGE_PAGES,
  KASAN_REMOVE_ZERO_SHADOW,
  levelOfSite,
  PMD_FREE_PTE_PAGE,
  PUD_FREE_PMD_PAGE,
  TABLE_CLEARED,
  TABLE_FREED,
} from "./sites";
import { INIT_MM } from "./spaces";
import { findEntry, LEAF_IN_THE_WAY, needEntry, needKernelHalf, tableOf } from "./tables";
import { does, SPLITS_MARKED } from "./traits";

/** The bits of an argument that are a level. */
const LEVEL: u32 = 3;

// @ts-ignore: decorator
@inline
function levelOf(site: u8, level: u32): u32 {
  return level != 0 ? level : levelOfSite(site);
}

/** The mark of a table that a site frees, as far as its site tells. */
function marksBelow(site: u8): u8 {
  if (site == CPA_COLLAPSE_LARGE_PAGES) return does(SPLITS_MARKED) ? MARK_KERNEL : 0;
  return marksAbove(site);
}

/** The mark of the tables above it. */
function marksAbove(site: u8): u8 {
  return site == PMD_FREE_PTE_PAGE || site == PUD_FREE_PMD_PAGE || site == KASAN_REMOVE_ZERO_SHADOW ? MARK_KERNEL : 0;
}

/**
 * Unlinks the table of a level (0: the site's own) at an address, made first if the trace began later than it; it is
 * remembered unless it has been freed already.
 */
export function tableClear(site: u8, va: u64, level: u32): bool {
  if (!needKernelHalf(va)) return false;
  const table = levelOf(site, level);
  const above = needEntry(INIT_MM, va, table + 1, marksAbove(site), PAGE_TABLE);
  if (above == 0) return false;
  if (above == LEAF_IN_THE_WAY) return refuse(LARGE_LEAF_ABOVE);
  const inside = needEntry(INIT_MM, va, table, marksBelow(site), PAGE_TABLE);
  if (inside == 0) return false;
  if (inside == LEAF_IN_THE_WAY) return refuse(LARGE_LEAF_ABOVE);
  // Not found again from the root: where a trace freed a table that is still linked, the one just made may be that frame.
  const slot = slotAround(inside);
  if (isFreeable(slot)) remember(site, va, slot);
  setEntry(above, 0);
  point(TABLE_CLEARED, va);
  return true;
}

/**
 * Frees the table that `tableClear` unlinked; where free precedes clear, the one that is still linked; else a new one.
 * @param how its level (0: the site's own), and MARKED or UNMARKED where that is known better than by who made it
 */
export function tableFree(site: u8, va: u64, how: u32): bool {
  if (!needKernelHalf(va)) return false;
  const table = levelOf(site, how & LEVEL);
  const unlinked = remembered(site, va);
  if (unlinked != 0) forget(unlinked);
  let slot = unlinked != 0 ? unlinked : linked(va, table);
  if (slot == 0) slot = allocateTable(table, marksBelow(site));
  if (slot == 0) return false;
  if ((how & (MARKED | UNMARKED)) != 0 && isFreeable(slot)) {
    setMarks(slot, how & MARKED ? marksOf(slot) | MARK_KERNEL : marksOf(slot) & ~MARK_KERNEL);
  }
  freeTable(slot, site);
  point(TABLE_FREED, frameOf(slot));
  return true;
}

/** The table of a level that is linked at an address and not freed; 0 if there is none. */
function linked(va: u64, level: u32): u32 {
  const entry = findEntry(INIT_MM, va, level + 1);
  if (entry == 0) return 0;
  const value = loadEntry(entry);
  if (!isPresent(value) || isLeaf(value, level + 1)) return 0;
  const slot = tableOf(value);
  return isFreeable(slot) ? slot : 0;
}
