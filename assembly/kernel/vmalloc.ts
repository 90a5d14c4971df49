// vmalloc space: mapping by the largest leaves that fit, huge leaves that replace tables, lazy unmapping.
// mm/vmalloc.c and arch/x86/mm/pgtable.c, 6.12; docs/rules.md sections 10.1, 10.2, 10.5.

import { point } from "../base/points";
import { LARGE_LEAF_ABOVE, refuse } from "../base/refusals";
import { detecting } from "../hardware/hazard";
import { clearContents, entriesOf, EntryAt, holdsEntry, loadEntry, setEntry } from "../paging/contents";
import { ENTRIES, isLeaf, isPresent, PAGE_TABLE, shiftOf } from "../paging/format";
import { frameOf, MARK_KERNEL } from "../paging/frames";
import { indexAt, TABLE_BYTES } from "../paging/tables";
import { PURGES, tally } from "./counters";
import { kernelLeaf } from "./data-frames";
import { flushTlbKernelRange } from "./flush";
import { freeTable } from "./policy";
import {
  PMD_CLEARED,
  PMD_FLUSHED,
  PMD_FREE_PTE_PAGE,
  PMD_PT_FREED,
  PUD_CLEARED,
  PUD_FLUSHED,
  PUD_FREE_PMD_PAGE,
  PUD_PD_FREED,
  PUD_PT_FREED,
  PURGE_FLUSHED,
} from "./sites";
import { cpuCount, INIT_MM } from "./spaces";
import { clearLeaves, findEntry, LEAF_IN_THE_WAY, needEntry, needKernelPages, tableOf } from "./tables";
import { does, PUD_FREE_KEEPS_PD } from "./traits";
import { popUnlinked, pushUnlinked, unlinkedAt, unlinkedCount } from "./unlinked";

/** Lazily unmapped pages, and the range that holds them. */
const LAZY: usize = memory.data(sizeof<u64>(), sizeof<u64>());
const LAZY_MIN: usize = memory.data(sizeof<u64>(), sizeof<u64>());
const LAZY_MAX: usize = memory.data(sizeof<u64>(), sizeof<u64>());

// ---- set up once ----
let autoPurge: bool = true;

export function setAutoPurge(on: bool): void {
  autoPurge = on;
}

/** Pages unmapped and not purged. */
export function lazyPages(): u64 {
  return load<u64>(LAZY);
}

/** lazy_max_pages(): fls(online CPUs) * 32 MiB, in pages. */
export function lazyMaxPages(): u64 {
  return <u64>(32 - clz(cpuCount)) << 13;
}

/**
 * Maps `pages` pages from `va` with leaves of up to 2^shift bytes. With `keepTables` a table in the way of a large leaf is
 * used, not freed: a trace says by itself which tables go. False if a frame was missing or the range is not the kernel's.
 */
export function vmalloc(va: u64, pages: u32, shift: u32, keepTables: bool): bool {
  if (!needKernelPages(va, pages)) return false;
  let at = va;
  let left = <u64>pages;
  while (left > 0) {
    const level = keepTables ? levelBesideTables(at, left, shift) : leafLevel(at, left, shift);
    const entry = needEntry(INIT_MM, at, level, MARK_KERNEL, PAGE_TABLE);
    if (entry == 0) return false;
    if (entry == LEAF_IN_THE_WAY) return refuse(LARGE_LEAF_ABOVE);
    if (level == 1) {
      const run = min<u64>(left, ENTRIES - indexAt(at, 1));
      mapPages(entry, <u32>run);
      at += run << 12;
      left -= run;
      continue;
    }
    const old = loadEntry(entry);
    if (isPresent(old) && !isLeaf(old, level)) replaceTable(entry, at, level);
    setEntry(entry, kernelLeaf(level));
    at += (<u64>1) << shiftOf(level);
    left -= (<u64>1) << (shiftOf(level) - 12);
  }
  return true;
}

function leafLevel(at: u64, left: u64, shift: u32): u32 {
  for (let level: u32 = 3; level > 1; level--) {
    const span = shiftOf(level);
    if (<u64>shift >= span && (at & (((<u64>1) << span) - 1)) == 0 && left >> (span - 12) != 0) return level;
  }
  return 1;
}

/** The same, but below any table that is there already. */
function levelBesideTables(at: u64, left: u64, shift: u32): u32 {
  let level = leafLevel(at, left, shift);
  while (level > 1) {
    const entry = findEntry(INIT_MM, at, level);
    if (entry == 0 || !isPresent(loadEntry(entry)) || isLeaf(loadEntry(entry), level)) return level;
    level--;
  }
  return 1;
}

function mapPages(entry: EntryAt, count: u32): void {
  assert(count >= 1 && holdsEntry(entry) && holdsEntry(entry + (<usize>(count - 1) << 3)), "no entries of a table stand here");
  const end = entry + (<usize>count << 3);
  for (let at = entry; at < end; at += 8) setEntry(at, kernelLeaf(1));
}

function replaceTable(entry: EntryAt, va: u64, level: u32): void {
  assert(level == 2 || level == 3, "no leaf takes the place of a table here");
  assert(holdsEntry(entry) && isPresent(loadEntry(entry)), "no entry that names a table stands here");
  if (level == 2) pmdFreePtePage(entry, va);
  else pudFreePmdPage(entry, va);
}

/** pmd_free_pte_page(): clear, flush of one page, free. */
function pmdFreePtePage(entry: EntryAt, va: u64): void {
  const table = tableOf(loadEntry(entry));
  setEntry(entry, 0);
  point(PMD_CLEARED, va);
  flushTlbKernelRange(va, va + 0xfff, true);
  point(PMD_FLUSHED, va);
  freeTable(table, PMD_FREE_PTE_PAGE);
  point(PMD_PT_FREED, frameTold(table));
}

/** What a point tells of a frame: 0 where an entry named none of the machine's. */
function frameTold(slot: u32): u64 {
  return slot == 0 ? 0 : frameOf(slot);
}

/** pud_free_pmd_page(): the PD unlinked, one page flushed, its PTs and itself freed. Older kernels empty the PD first. */
function pudFreePmdPage(entry: EntryAt, va: u64): void {
  if (does(PUD_FREE_KEEPS_PD)) {
    freeWhatPdNames(entry, va);
    return;
  }
  const table = tableOf(loadEntry(entry));
  const mine = unlinkedCount();
  if (table != 0) {
    const first = entriesOf(table);
    for (let at = first; at < first + TABLE_BYTES; at += 8) {
      const lower = loadEntry(at);
      if (isPresent(lower) && !isLeaf(lower, 2)) pushUnlinked(tableOf(lower));
    }
    clearContents(table);
  }
  pushUnlinked(table);
  const end = unlinkedCount();
  setEntry(entry, 0);
  point(PUD_CLEARED, va);
  flushTlbKernelRange(va, va + 0xfff, true);
  point(PUD_FLUSHED, va);
  for (let place = mine; place < end; place++) {
    const freed = unlinkedAt(place);
    freeTable(freed, PUD_FREE_PMD_PAGE);
    point(place + 1 < end ? PUD_PT_FREED : PUD_PD_FREED, frameTold(freed));
  }
  assert(unlinkedCount() == end, "an operation inside left tables on the stack");
  popUnlinked(mine);
}

/** The newer form: the PD keeps its entries, and its PTs are freed by them. */
function freeWhatPdNames(entry: EntryAt, va: u64): void {
  const table = tableOf(loadEntry(entry));
  setEntry(entry, 0);
  point(PUD_CLEARED, va);
  flushTlbKernelRange(va, va + 0xfff, true);
  point(PUD_FLUSHED, va);
  if (table != 0) {
    const first = entriesOf(table);
    for (let at = first; at < first + TABLE_BYTES; at += 8) {
      const lower = loadEntry(at);
      if (!isPresent(lower) || isLeaf(lower, 2)) continue;
      const freed = tableOf(lower);
      freeTable(freed, PUD_FREE_PMD_PAGE);
      point(PUD_PT_FREED, frameTold(freed));
    }
  }
  freeTable(table, PUD_FREE_PMD_PAGE);
  point(PUD_PD_FREED, frameTold(table));
}

/** Unmaps lazily: the leaves go now, CPUs hear of it at the next purge (or, with `unlisted`, from somebody else's flush). */
export function vfree(va: u64, pages: u32, resetPerms: bool, unlisted: bool): bool {
  if (!needKernelPages(va, pages)) return false;
  const end = va + (<u64>pages << 12);
  clearLeaves(INIT_MM, va, pages, detecting);
  if (unlisted) return true;
  const lazy = load<u64>(LAZY);
  store<u64>(LAZY_MIN, lazy == 0 ? va : min<u64>(load<u64>(LAZY_MIN), va));
  // An end of 2^64 is kept as the last byte's successor of the address space: 0 would not be a maximum.
  store<u64>(LAZY_MAX, lazy == 0 ? end - 1 : max<u64>(load<u64>(LAZY_MAX), end - 1));
  store<u64>(LAZY, lazy + pages);
  if (resetPerms || (autoPurge && lazy + pages > lazyMaxPages())) purge();
  return true;
}

/** __purge_vmap_area_lazy(): one flush over all that was unmapped. */
export function purge(): void {
  if (load<u64>(LAZY) == 0) return;
  store<u64>(LAZY, 0);
  tally(PURGES);
  flushTlbKernelRange(load<u64>(LAZY_MIN), load<u64>(LAZY_MAX) + 1, false);
  point(PURGE_FLUSHED, load<u64>(LAZY_MIN));
}
