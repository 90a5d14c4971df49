// Changes of attributes in the kernel half: large pages split, and put together again. arch/x86/mm/pat/set_memory.c;
// docs/rules.md section 10.4.

import { point } from "../base/points";
import { LEAVES_DIFFER, NO_LARGE_LEAF, NO_PAGE_TABLE, NOT_IN_THIS_KERNEL, refuse, TABLE_ABSENT } from "../base/refusals";
import { entriesOf, EntryAt, loadEntry, setEntry } from "../paging/contents";
import {
  addressIn,
  bitsOfPieces,
  ENTRIES,
  isLeaf,
  isPresent,
  KERNPG_TABLE,
  largerLeaf,
  leafEntry,
  mayBeLeaf,
  nextLeaf,
  shiftOf,
  tableEntry,
} from "../paging/format";
import { frameOf, MARK_KERNEL } from "../paging/frames";
import { TABLE_BYTES } from "../paging/tables";
import { flushTlbAll } from "./flush";
import { freeTable } from "./policy";
import { allocateTable } from "./pool";
import {
  COLLAPSE_FLUSHED,
  COLLAPSE_INSTALLED,
  COLLAPSE_PD_FREED,
  COLLAPSE_PD_INSTALLED,
  COLLAPSE_PT_FREED,
  CPA_COLLAPSE_LARGE_PAGES,
  SPLIT_FLUSHED,
  SPLIT_INSTALLED,
} from "./sites";
import { INIT_MM } from "./spaces";
import { findEntry, holdsLeaf, needKernelHalf, tableOf } from "./tables";
import { COLLAPSES, does, SPLITS_MARKED } from "./traits";

const PD_ENTRY: u32 = 2;
const PDPT_ENTRY: u32 = 3;

/**
 * __split_large_page(): the large leaf for an address gives way to a table of leaves a level below, under an entry with
 * U/S = 0. Whether that table has the mark of a kernel table depends on the kernel.
 */
export function cpaSplit(va: u64): bool {
  if (!needKernelHalf(va)) return false;
  let level = PDPT_ENTRY;
  let entry = findEntry(INIT_MM, va, level);
  if (entry == 0) return refuse(NO_LARGE_LEAF);
  if (!holdsLeaf(entry, level)) {
    level = PD_ENTRY;
    entry = findEntry(INIT_MM, va, level);
    if (entry == 0 || !holdsLeaf(entry, level)) return refuse(NO_LARGE_LEAF);
  }
  const table = allocateTable(level - 1, does(SPLITS_MARKED) ? MARK_KERNEL : 0);
  if (table == 0) return false;
  const old = loadEntry(entry);
  const bits = bitsOfPieces(old);
  let page = addressIn(old, level);
  const first = entriesOf(table);
  for (let at = first; at < first + TABLE_BYTES; at += 8) {
    setEntry(at, leafEntry(page, level - 1, bits));
    page += (<u64>1) << shiftOf(level - 1);
  }
  setEntry(entry, tableEntry(frameOf(table), KERNPG_TABLE));
  point(SPLIT_INSTALLED, va);
  flushTlbAll(false);
  point(SPLIT_FLUSHED, va);
  return true;
}

/**
 * cpa_collapse_large_pages(): the PT for an address becomes a 2 MiB leaf, and if that completes 1 GiB, the PD a 1 GiB leaf;
 * one flush, then the tables are freed, the PD first.
 */
export function cpaCollapse(va: u64): bool {
  if (!does(COLLAPSES)) return refuse(NOT_IN_THIS_KERNEL);
  if (!needKernelHalf(va)) return false;
  const entry = findEntry(INIT_MM, va, PD_ENTRY);
  if (entry == 0 || !isPresent(loadEntry(entry)) || isLeaf(loadEntry(entry), PD_ENTRY)) return refuse(NO_PAGE_TABLE);
  if (tableOf(loadEntry(entry)) == 0) return refuse(TABLE_ABSENT);
  const pt = collapse(entry, PD_ENTRY);
  if (pt == 0) return refuse(LEAVES_DIFFER);
  point(COLLAPSE_INSTALLED, va);
  const upper = findEntry(INIT_MM, va, PDPT_ENTRY);
  const pd = upper == 0 ? 0 : collapse(upper, PDPT_ENTRY);
  if (pd != 0) point(COLLAPSE_PD_INSTALLED, va);
  flushTlbAll(true);
  point(COLLAPSE_FLUSHED, va);
  if (pd != 0) {
    freeTable(pd, CPA_COLLAPSE_LARGE_PAGES);
    point(COLLAPSE_PD_FREED, frameOf(pd));
  }
  freeTable(pt, CPA_COLLAPSE_LARGE_PAGES);
  point(COLLAPSE_PT_FREED, frameOf(pt));
  return true;
}

/**
 * Puts a leaf in the place of the table that an entry of a level names, if its 512 leaves are present, of one piece of memory that
 * begins where the large page may, and alike in all other bits. The table's slot, 0 if it stays.
 */
function collapse(entry: EntryAt, level: u32): u32 {
  const old = loadEntry(entry);
  if (!isPresent(old) || isLeaf(old, level) || !mayBeLeaf(level)) return 0;
  const table = tableOf(old);
  if (table == 0) return 0;
  const first = entriesOf(table);
  let expected = loadEntry(first);
  if (!isPresent(expected) || !isLeaf(expected, level - 1)) return 0;
  if (addressIn(expected, level - 1) != addressIn(expected, level)) return 0;
  const leaf = largerLeaf(expected);
  for (let i: u32 = 1; i < ENTRIES; i++) {
    expected = nextLeaf(expected, level - 1);
    if (loadEntry(first + (<usize>i << 3)) != expected) return 0;
  }
  setEntry(entry, leaf);
  return table;
}
