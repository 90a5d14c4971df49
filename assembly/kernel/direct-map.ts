// The direct map: memory hot-add and hot-remove, KASAN's shadow, attribute changes that split and collapse large pages.
// arch/x86/mm/init_64.c, mm/kasan/init.c, arch/x86/mm/pat/set_memory.c; docs/rules.md sections 10.3, 10.4.

import { A, D, FRAME, G, isLeaf, P, PS, RW, shiftOf, XD } from "../paging/entry";
import { clearContents, contentsOf, frameOf, isEmpty, MARK_BOOT, MARK_KERNEL, slotOf } from "../paging/frames";
import { point } from "../base/points";
import { takeDataFrames } from "./data-frames";
import { flushTlbAll } from "./flush";
import { allocateTable } from "./pool";
import { freeTable } from "./policy";
import { CPA_COLLAPSE, KASAN_REMOVE, REMOVE_PAGETABLE } from "./sites";
import { INIT_MM } from "./spaces";
import { findEntry, inKernelHalf, KERNPG_TABLE, LEAF_IN_THE_WAY, needEntry, PAGE_TABLE, tableOf } from "./tables";
import { PAGE_KERNEL } from "./vmalloc";

// ---- type of hotAdd and hotRemove ----
const BOOT_TABLES: u32 = 1;
const SMALL_PAGES: u32 = 1 << 1;
const SHADOW: u32 = 1 << 2;

const BLOCK: u64 = 1 << 21;
const BLOCK_PAGES: u64 = 512;
const PD_SPAN: u64 = 1 << 30;

export function hotAdd(va: u64, blocks: u32, type: u32): bool {
  const first = va & ~(BLOCK - 1);
  if (!inKernelHalf(first, <u64>blocks * BLOCK_PAGES)) return false;
  const marks = type & BOOT_TABLES ? MARK_BOOT : MARK_KERNEL;
  const bits = type & SHADOW ? KERNPG_TABLE : PAGE_TABLE;
  for (let block: u32 = 0; block < blocks; block++) {
    const at = first + <u64>block * BLOCK;
    if (!addBlock(at, (type & SMALL_PAGES) != 0, marks, bits)) return false;
  }
  return true;
}

function addBlock(va: u64, small: bool, marks: u8, bits: u64): bool {
  const level: u32 = small ? 1 : 2;
  const first = needEntry(INIT_MM, va, level, marks, bits);
  if (first == 0) return false;
  if (first == LEAF_IN_THE_WAY) return true;
  const end = first + (small ? 4096 : 8);
  for (let at = first; at < end; at += 8) {
    if (!(load<u64>(at) & P)) store<u64>(at, takeDataFrames(level) | PAGE_KERNEL | (small ? 0 : PS));
  }
  return true;
}

/** remove_pagetable(), or kasan_remove_zero_shadow(), which does not flush: free, then clear, then (at the end) flush. */
export function hotRemove(va: u64, blocks: u32, type: u32): bool {
  const first = va & ~(BLOCK - 1);
  if (!inKernelHalf(first, <u64>blocks * BLOCK_PAGES)) return false;
  const site = type & SHADOW ? KASAN_REMOVE : REMOVE_PAGETABLE;
  let freed = false;
  for (let block: u32 = 0; block < blocks; block++) {
    const at = first + <u64>block * BLOCK;
    if (removeBlock(at, site)) freed = true;
    const next = at + BLOCK;
    if ((block + 1 == blocks || (next & (PD_SPAN - 1)) == 0) && removePd(at, site)) freed = true;
  }
  if (site == REMOVE_PAGETABLE) {
    flushTlbAll(freed);
    point();
  }
  return true;
}

/** True if a table was freed. */
function removeBlock(va: u64, site: u8): bool {
  const entry = findEntry(INIT_MM, va, 2);
  if (entry == 0) return false;
  const old = load<u64>(entry);
  if (!(old & P)) return false;
  if (isLeaf(old, 2)) {
    store<u64>(entry, 0);
    return false;
  }
  const table = tableOf(old);
  if (table == 0) return false;
  clearContents(table);
  if (site == REMOVE_PAGETABLE) {
    flushTlbAll(true);
    point();
  }
  return freeThenClear(table, entry, site);
}

/** The same for the PD of an address. */
function removePd(va: u64, site: u8): bool {
  const entry = findEntry(INIT_MM, va, 3);
  if (entry == 0) return false;
  const old = load<u64>(entry);
  if (!(old & P) || isLeaf(old, 3)) return false;
  const table = tableOf(old);
  return table != 0 && freeThenClear(table, entry, site);
}

/** In the kernel's order: an empty table is freed first, and unlinked after that. */
function freeThenClear(table: u32, entry: usize, site: u8): bool {
  if (!isEmpty(table)) return false;
  freeTable(table, site);
  point();
  store<u64>(entry, 0);
  point();
  return true;
}

/** __split_large_page(): the table is allocated bare, without the mark of a kernel table, and its parent has U/S = 0. */
export function cpaSplit(va: u64): bool {
  if (!inKernelHalf(va, 1)) return false;
  const entry = findEntry(INIT_MM, va, 2);
  if (entry == 0) return false;
  const old = load<u64>(entry);
  if (!(old & P) || !isLeaf(old, 2)) return false;
  const table = allocateTable(1, 0);
  if (table == 0) return false;
  const bits = old & ~FRAME & ~PS;
  let frame = old & FRAME & ~(BLOCK - 1);
  const first = contentsOf(table);
  for (let at = first; at < first + 4096; at += 8) {
    store<u64>(at, frame | bits);
    frame += 4096;
  }
  store<u64>(entry, (frameOf(table) << 12) | KERNPG_TABLE);
  point();
  flushTlbAll(false);
  point();
  return true;
}

/** cpa_collapse_large_pages(): install the large leaf, flush once, free the table. */
export function cpaCollapse(va: u64): bool {
  if (!inKernelHalf(va, 1)) return false;
  const entry = findEntry(INIT_MM, va, 2);
  if (entry == 0) return false;
  const old = load<u64>(entry);
  if (!(old & P) || isLeaf(old, 2)) return false;
  const table = slotOf((old & FRAME) >> 12);
  if (table == 0) return false;
  const frame = load<u64>(contentsOf(table)) & FRAME & ~(((<u64>1) << shiftOf(2)) - 1);
  store<u64>(entry, frame | P | RW | A | D | G | XD | PS);
  point();
  flushTlbAll(true);
  point();
  freeTable(table, CPA_COLLAPSE);
  point();
  return true;
}
