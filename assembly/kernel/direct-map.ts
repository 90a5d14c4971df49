// The direct map and its like: memory hot-add and hot-remove, by the origin of its tables, and KASAN's shadow.
// arch/x86/mm/init_64.c, mm/kasan/init.c, mm/hugetlb_vmemmap.c; docs/rules.md section 10.3.

import { BOOT_TABLES, HUGE_PAGES, SHADOW, SMALL_PAGES, SPLIT_VMEMMAP } from "../base/operations";
import { point } from "../base/points";
import { NOT_ALIGNED, refuse } from "../base/refusals";
import { clearContents, EntryAt, holdsEntry, isEmpty, loadEntry, setEntry } from "../paging/contents";
import { ENTRIES, isLeaf, isPresent, PAGE_TABLE, shiftOf } from "../paging/format";
import { frameOf, MARK_BOOT, MARK_KERNEL } from "../paging/frames";
import { levels } from "../paging/mode";
import { TABLE_BYTES } from "../paging/tables";
import { kernelLeaf } from "./data-frames";
import { flushTlbAll } from "./flush";
import { freeTable } from "./policy";
import {
  KASAN_PD_CLEARED,
  KASAN_PD_FREED,
  KASAN_PDPT_CLEARED,
  KASAN_PDPT_FREED,
  KASAN_PML4_CLEARED,
  KASAN_PML4_FREED,
  KASAN_PT_CLEARED,
  KASAN_PT_FREED,
  KASAN_REMOVE_ZERO_SHADOW,
  REMOVE_PAGETABLE,
  SITES,
  UNPLUG_FLUSHED,
  UNPLUG_PD_CLEARED,
  UNPLUG_PD_FREED,
  UNPLUG_PDPT_CLEARED,
  UNPLUG_PDPT_FREED,
  UNPLUG_PT_CLEARED,
  UNPLUG_PT_FREED,
  UNPLUG_PTES_FLUSHED,
} from "./sites";
import { INIT_MM } from "./spaces";
import { findEntry, holdsLeaf, LEAF_IN_THE_WAY, needEntry, needKernelPages, tableOf } from "./tables";

/** A block is what a PD entry covers: 2 MiB. */
const BLOCK_LEVEL: u32 = 2;
const HUGE_LEVEL: u32 = 3;

// Points of a table's free and of its unlinking follow each other, level by level: two numbers a level.
if (UNPLUG_PT_CLEARED != UNPLUG_PT_FREED + 1) ERROR("UNPLUG_PT_CLEARED must follow its free");
if (UNPLUG_PD_FREED != UNPLUG_PT_FREED + 2 || UNPLUG_PD_CLEARED != UNPLUG_PT_FREED + 3) ERROR("points of a PD are out of order");
if (UNPLUG_PDPT_FREED != UNPLUG_PT_FREED + 4 || UNPLUG_PDPT_CLEARED != UNPLUG_PT_FREED + 5) ERROR("points of a PDPT are out of order");
if (KASAN_PT_CLEARED != KASAN_PT_FREED + 1) ERROR("KASAN_PT_CLEARED must follow its free");
if (KASAN_PD_FREED != KASAN_PT_FREED + 2 || KASAN_PD_CLEARED != KASAN_PT_FREED + 3) ERROR("points of a PD are out of order");
if (KASAN_PDPT_FREED != KASAN_PT_FREED + 4 || KASAN_PDPT_CLEARED != KASAN_PT_FREED + 5) ERROR("points of a PDPT are out of order");
if (KASAN_PML4_FREED != KASAN_PT_FREED + 6 || KASAN_PML4_CLEARED != KASAN_PT_FREED + 7) ERROR("points of a PML4 are out of order");

// @ts-ignore: decorator
@inline
function bytesAt(level: u32): u64 {
  return (<u64>1) << shiftOf(level);
}

/** Whether blocks from `va` on are whole ones, and all of the kernel half; if not, the operation is refused. */
function needBlocks(va: u64, blocks: u32): bool {
  return needKernelPages(va, <u64>blocks * ENTRIES) && ((va & (bytesAt(BLOCK_LEVEL) - 1)) == 0 || refuse(NOT_ALIGNED));
}

/**
 * Memory that is there from now on. Tables of hot-added memory have no mark: __get_free_pages() makes them. Those of boot memory
 * are reserved; KASAN's, and the PTs that HVO puts in the place of a leaf of vmemmap, come from pte_alloc_one_kernel().
 */
export function hotAdd(va: u64, blocks: u32, type: u32): bool {
  if (!needBlocks(va, blocks)) return false;
  const marks: u8 = type & BOOT_TABLES ? MARK_BOOT : type & SHADOW ? MARK_KERNEL : 0;
  const split = (type & SPLIT_VMEMMAP) != 0;
  const level: u32 = split || type & SMALL_PAGES ? 1 : type & HUGE_PAGES ? HUGE_LEVEL : BLOCK_LEVEL;
  const span = max<u64>(bytesAt(level), bytesAt(BLOCK_LEVEL));
  const end = va + <u64>blocks * bytesAt(BLOCK_LEVEL);
  if ((va & (span - 1)) != 0 || (end & (span - 1)) != 0) return refuse(NOT_ALIGNED);
  const count = <u32>((end - va) / span);
  for (let i: u32 = 0; i < count; i++) {
    if (!addPiece(va + <u64>i * span, level, marks, split ? MARK_KERNEL : marks)) return false;
  }
  return true;
}

/** A block, or 1 GiB: leaves of a level where none are. `own`: the marks of its PT. */
function addPiece(va: u64, level: u32, marks: u8, own: u8): bool {
  const above = needEntry(INIT_MM, va, max<u32>(level, BLOCK_LEVEL), marks, PAGE_TABLE);
  if (above == 0) return false;
  if (above == LEAF_IN_THE_WAY) return true;
  if (level > 1) {
    if (!isPresent(loadEntry(above))) setEntry(above, kernelLeaf(level));
    return true;
  }
  const first = needEntry(INIT_MM, va, 1, own, PAGE_TABLE);
  if (first == 0) return false;
  if (first == LEAF_IN_THE_WAY) return true;
  for (let at = first; at < first + TABLE_BYTES; at += 8) {
    if (!isPresent(loadEntry(at))) setEntry(at, kernelLeaf(1));
  }
  return true;
}

/** remove_pagetable(), or kasan_remove_zero_shadow(), which does not flush: free, then clear, then (at the end) flush. */
export function hotRemove(va: u64, blocks: u32, type: u32): bool {
  if (!needBlocks(va, blocks)) return false;
  const site = type & SHADOW ? KASAN_REMOVE_ZERO_SHADOW : REMOVE_PAGETABLE;
  // With 4 levels unplug keeps PDPTs, since every mm's root names them; KASAN's shadow does not, and no root is kept in step.
  const highest = site == REMOVE_PAGETABLE ? levels - 2 : levels - 1;
  let freed = false;
  for (let block: u32 = 0; block < blocks; block++) {
    const at = va + <u64>block * bytesAt(BLOCK_LEVEL);
    const next = at + bytesAt(BLOCK_LEVEL);
    removeHuge(at, <u64>(blocks - block) * bytesAt(BLOCK_LEVEL));
    if (removeBlock(at, site)) freed = true;
    for (let level: u32 = BLOCK_LEVEL; level <= highest; level++) {
      if (block + 1 != blocks && (next & (bytesAt(level + 1) - 1)) != 0) break;
      if (removeTable(at, level, site)) freed = true;
    }
  }
  if (site == REMOVE_PAGETABLE) {
    flushTlbAll(freed);
    point(UNPLUG_FLUSHED, va);
  }
  return true;
}

/** Clears the 1 GiB leaf that begins at an address, if all of it goes. */
function removeHuge(va: u64, bytes: u64): void {
  if ((va & (bytesAt(HUGE_LEVEL) - 1)) != 0 || bytes < bytesAt(HUGE_LEVEL)) return;
  const entry = findEntry(INIT_MM, va, HUGE_LEVEL);
  if (entry != 0 && holdsLeaf(entry, HUGE_LEVEL)) setEntry(entry, 0);
}

/** True if a table was freed. */
function removeBlock(va: u64, site: u8): bool {
  const entry = findEntry(INIT_MM, va, BLOCK_LEVEL);
  if (entry == 0) return false;
  const old = loadEntry(entry);
  if (!isPresent(old)) return false;
  if (isLeaf(old, BLOCK_LEVEL)) {
    setEntry(entry, 0);
    return false;
  }
  const table = tableOf(old);
  if (table == 0) return false;
  clearContents(table);
  if (site == REMOVE_PAGETABLE) {
    flushTlbAll(true);
    point(UNPLUG_PTES_FLUSHED, va);
  }
  return freeThenClear(table, entry, va, site, 1);
}

/** The same for the table of a level above PTs on the way to an address. */
function removeTable(va: u64, level: u32, site: u8): bool {
  const entry = findEntry(INIT_MM, va, level + 1);
  if (entry == 0) return false;
  const old = loadEntry(entry);
  if (!isPresent(old) || isLeaf(old, level + 1)) return false;
  const table = tableOf(old);
  return table != 0 && freeThenClear(table, entry, va, site, level);
}

/** In the kernel's order: an empty table is freed first, and unlinked after that. */
function freeThenClear(table: u32, entry: EntryAt, va: u64, site: u8, level: u32): bool {
  assert(table != 0 && site < SITES, "there is no table to free, or no such site");
  assert(holdsEntry(entry), "no entry of a table stands here");
  if (!isEmpty(table)) return false;
  const freed = (site == REMOVE_PAGETABLE ? UNPLUG_PT_FREED : KASAN_PT_FREED) + 2 * (level - 1);
  freeTable(table, site);
  point(freed, frameOf(table));
  setEntry(entry, 0);
  point(freed + 1, va);
  return true;
}
