// The direct map: memory hot-add and hot-remove, KASAN's shadow, attribute changes that split and collapse large pages.
// arch/x86/mm/init_64.c, mm/kasan/init.c, arch/x86/mm/pat/set_memory.c; docs/rules.md sections 10.3, 10.4.

import { BOOT_TABLES, SHADOW, SMALL_PAGES } from "../base/operations";
import { point } from "../base/points";
import { NOT_ALIGNED, NO_LARGE_LEAF, NO_PAGE_TABLE, NOT_IN_THIS_KERNEL, refuse, TABLE_ABSENT } from "../base/refusals";
import {
  addressIn,
  bitsOfPieces,
  isLeaf,
  isPresent,
  KERNPG_TABLE,
  leafEntry,
  PAGE_KERNEL,
  PAGE_TABLE,
  shiftOf,
  tableEntry,
} from "../paging/format";
import { clearContents, contentsOf, frameOf, isEmpty, MARK_BOOT, MARK_KERNEL, holdsEntry } from "../paging/frames";
import { TABLE_BYTES } from "../paging/tables";
import { takeDataFrames } from "./data-frames";
import { flushTlbAll } from "./flush";
import { freeTable } from "./policy";
import { allocateTable } from "./pool";
import {
  COLLAPSE_FLUSHED,
  COLLAPSE_INSTALLED,
  COLLAPSE_PT_FREED,
  CPA_COLLAPSE_LARGE_PAGES,
  KASAN_PD_CLEARED,
  KASAN_PD_FREED,
  KASAN_PT_CLEARED,
  KASAN_PT_FREED,
  KASAN_REMOVE_ZERO_SHADOW,
  REMOVE_PAGETABLE,
  SITES,
  SPLIT_FLUSHED,
  SPLIT_INSTALLED,
  UNPLUG_FLUSHED,
  UNPLUG_PD_CLEARED,
  UNPLUG_PD_FREED,
  UNPLUG_PT_CLEARED,
  UNPLUG_PT_FREED,
  UNPLUG_PTES_FLUSHED,
} from "./sites";
import { INIT_MM } from "./spaces";
import { findEntry, LEAF_IN_THE_WAY, needEntry, needKernelHalf, needKernelPages, tableOf } from "./tables";
import { COLLAPSES, does, SPLITS_MARKED } from "./traits";

/** A block is what a PD entry covers: 2 MiB. */
const BLOCK_LEVEL: u32 = 2;

// @ts-ignore: decorator
@inline
function blockBytes(): u64 {
  return (<u64>1) << shiftOf(BLOCK_LEVEL);
}

// @ts-ignore: decorator
@inline
function blockPages(): u64 {
  return blockBytes() >> shiftOf(1);
}

/** Whether blocks from `va` on are whole ones, and all of the kernel half; if not, the operation is refused. */
function needBlocks(va: u64, blocks: u32): bool {
  return needKernelPages(va, <u64>blocks * blockPages()) && ((va & (blockBytes() - 1)) == 0 || refuse(NOT_ALIGNED));
}

export function hotAdd(va: u64, blocks: u32, type: u32): bool {
  if (!needBlocks(va, blocks)) return false;
  const marks = type & BOOT_TABLES ? MARK_BOOT : MARK_KERNEL;
  const bits = type & SHADOW ? KERNPG_TABLE : PAGE_TABLE;
  for (let block: u32 = 0; block < blocks; block++) {
    const at = va + <u64>block * blockBytes();
    if (!addBlock(at, (type & SMALL_PAGES) != 0, marks, bits)) return false;
  }
  return true;
}

function addBlock(va: u64, small: bool, marks: u8, bits: u64): bool {
  const level: u32 = small ? 1 : 2;
  const first = needEntry(INIT_MM, va, level, marks, bits);
  if (first == 0) return false;
  if (first == LEAF_IN_THE_WAY) return true;
  const end = first + (small ? TABLE_BYTES : 8);
  for (let at = first; at < end; at += 8) {
    if (!isPresent(load<u64>(at))) store<u64>(at, leafEntry(takeDataFrames(level), level, PAGE_KERNEL));
  }
  return true;
}

/** remove_pagetable(), or kasan_remove_zero_shadow(), which does not flush: free, then clear, then (at the end) flush. */
export function hotRemove(va: u64, blocks: u32, type: u32): bool {
  if (!needBlocks(va, blocks)) return false;
  const site = type & SHADOW ? KASAN_REMOVE_ZERO_SHADOW : REMOVE_PAGETABLE;
  let freed = false;
  for (let block: u32 = 0; block < blocks; block++) {
    const at = va + <u64>block * blockBytes();
    if (removeBlock(at, site)) freed = true;
    const next = at + blockBytes();
    if ((block + 1 == blocks || (next & (((<u64>1) << shiftOf(BLOCK_LEVEL + 1)) - 1)) == 0) && removePd(at, site)) freed = true;
  }
  if (site == REMOVE_PAGETABLE) {
    flushTlbAll(freed);
    point(UNPLUG_FLUSHED, va);
  }
  return true;
}

/** True if a table was freed. */
function removeBlock(va: u64, site: u8): bool {
  const entry = findEntry(INIT_MM, va, BLOCK_LEVEL);
  if (entry == 0) return false;
  const old = load<u64>(entry);
  if (!isPresent(old)) return false;
  if (isLeaf(old, BLOCK_LEVEL)) {
    store<u64>(entry, 0);
    return false;
  }
  const table = tableOf(old);
  if (table == 0) return false;
  clearContents(table);
  if (site == KASAN_REMOVE_ZERO_SHADOW) return freeThenClear(table, entry, va, site, KASAN_PT_FREED, KASAN_PT_CLEARED);
  flushTlbAll(true);
  point(UNPLUG_PTES_FLUSHED, va);
  return freeThenClear(table, entry, va, site, UNPLUG_PT_FREED, UNPLUG_PT_CLEARED);
}

/** The same for the PD of an address. */
function removePd(va: u64, site: u8): bool {
  const entry = findEntry(INIT_MM, va, BLOCK_LEVEL + 1);
  if (entry == 0) return false;
  const old = load<u64>(entry);
  if (!isPresent(old) || isLeaf(old, BLOCK_LEVEL + 1)) return false;
  const table = tableOf(old);
  if (table == 0) return false;
  if (site == KASAN_REMOVE_ZERO_SHADOW) return freeThenClear(table, entry, va, site, KASAN_PD_FREED, KASAN_PD_CLEARED);
  return freeThenClear(table, entry, va, site, UNPLUG_PD_FREED, UNPLUG_PD_CLEARED);
}

/** In the kernel's order: an empty table is freed first, and unlinked after that; the points of both by name. */
function freeThenClear(table: u32, entry: usize, va: u64, site: u8, freed: u32, cleared: u32): bool {
  assert(table != 0 && site < SITES, "there is no table to free, or no such site");
  assert(holdsEntry(entry), "no entry of a table stands here");
  if (!isEmpty(table)) return false;
  freeTable(table, site);
  point(freed, frameOf(table));
  store<u64>(entry, 0);
  point(cleared, va);
  return true;
}

/** __split_large_page(): its parent has U/S = 0; whether the table has the mark of a kernel table depends on the kernel. */
export function cpaSplit(va: u64): bool {
  if (!needKernelHalf(va)) return false;
  const entry = findEntry(INIT_MM, va, BLOCK_LEVEL);
  if (entry == 0) return refuse(NO_LARGE_LEAF);
  const old = load<u64>(entry);
  if (!isPresent(old) || !isLeaf(old, BLOCK_LEVEL)) return refuse(NO_LARGE_LEAF);
  const table = allocateTable(1, does(SPLITS_MARKED) ? MARK_KERNEL : 0);
  if (table == 0) return false;
  const bits = bitsOfPieces(old);
  let page = addressIn(old, BLOCK_LEVEL);
  const first = contentsOf(table);
  for (let at = first; at < first + TABLE_BYTES; at += 8) {
    store<u64>(at, leafEntry(page, 1, bits));
    page += (<u64>1) << shiftOf(1);
  }
  store<u64>(entry, tableEntry(frameOf(table), KERNPG_TABLE));
  point(SPLIT_INSTALLED, va);
  flushTlbAll(false);
  point(SPLIT_FLUSHED, va);
  return true;
}

/** cpa_collapse_large_pages(): install the large leaf, flush once, free the table. */
export function cpaCollapse(va: u64): bool {
  if (!does(COLLAPSES)) return refuse(NOT_IN_THIS_KERNEL);
  if (!needKernelHalf(va)) return false;
  const entry = findEntry(INIT_MM, va, BLOCK_LEVEL);
  if (entry == 0) return refuse(NO_PAGE_TABLE);
  const old = load<u64>(entry);
  if (!isPresent(old) || isLeaf(old, BLOCK_LEVEL)) return refuse(NO_PAGE_TABLE);
  const table = tableOf(old);
  if (table == 0) return refuse(TABLE_ABSENT);
  store<u64>(entry, leafEntry(addressIn(load<u64>(contentsOf(table)), BLOCK_LEVEL), BLOCK_LEVEL, PAGE_KERNEL));
  point(COLLAPSE_INSTALLED, va);
  flushTlbAll(true);
  point(COLLAPSE_FLUSHED, va);
  freeTable(table, CPA_COLLAPSE_LARGE_PAGES);
  point(COLLAPSE_PT_FREED, frameOf(table));
  return true;
}
