// User mappings: mmap, munmap, mprotect with the mmu notifier, and the end of an mm. Always covered: unlink, flush with the
// notifier, free. mm/mmu_gather.c; docs/rules.md sections 9, 10.6.

import { LARGE, READ_ONLY } from "../base/operations";
import { point } from "../base/points";
import { MM_RUNS, NOT_ALIGNED, refuse } from "../base/refusals";
import { detecting } from "../hardware/hazard";
import { entriesOf, EntryAt, holdsEntry, loadEntry, setEntry } from "../paging/contents";
import {
  ENTRIES,
  isLeaf,
  isPresent,
  isWritable,
  leafEntry,
  MAX_LEVELS,
  PAGE_SHIFT,
  PAGE_TABLE,
  PAGE_USER,
  readOnly,
  STALE_RIGHTS,
  shiftOf,
} from "../paging/format";
import { stateOf, TABLE } from "../paging/frames";
import { levels } from "../paging/mode";
import { indexAt } from "../paging/tables";
import { takeDataFrames } from "./data-frames";
import { flushTlbMmRange } from "./flush";
import { has, NOTIFY_USER } from "./policy";
import { release } from "./pool";
import { EXIT_UNBOUND, MUNMAP_FLUSHED, MUNMAP_UNLINKED, USER } from "./sites";
import { beginOf, endOf, forgetAsids, forgetMm, isInUse, needMm, rootOf, secondRootOf, syncTopEntry } from "./spaces";
import { dropBindings, tearDownMm } from "./sva";
import { clearLeaves, findEntry, LEAF_IN_THE_WAY, needEntry, needUserPages, tableOf } from "./tables";
import { markLeaves } from "./stale-marks";
import { releaseUnlinked, unlinkedCount, unlinkIfEmpty } from "./unlinked";

export function mmap(mm: u32, va: u64, pages: u32, type: u32): bool {
  if (!needMm(mm) || !needUserPages(va, pages)) return false;
  const level: u32 = type & LARGE ? 2 : 1;
  const span = (<u64>1) << shiftOf(level);
  if ((va & (span - 1)) != 0 || ((<u64>pages << 12) & (span - 1)) != 0) return refuse(NOT_ALIGNED);
  const bits = type & READ_ONLY ? readOnly(PAGE_USER) : PAGE_USER;
  const end = va + (<u64>pages << 12);
  let entry: EntryAt = 0;
  for (let at = va; at < end; at += span) {
    // The neighbours of an entry in its table are those of the next pages.
    const isNext = entry > LEAF_IN_THE_WAY && indexAt(at, level) != 0;
    entry = isNext ? entry + 8 : needEntry(mm, at, level, 0, PAGE_TABLE);
    if (entry == 0) return false;
    if (entry != LEAF_IN_THE_WAY && !isPresent(loadEntry(entry))) setEntry(entry, leafEntry(takeDataFrames(level), level, bits));
  }
  return true;
}

export function munmap(mm: u32, va: u64, pages: u32): bool {
  if (!needMm(mm) || !needUserPages(va, pages)) return false;
  const end = va + (<u64>pages << 12);
  clearLeaves(mm, va, pages, detecting && !has(NOTIFY_USER));
  const mine = unlinkedCount();
  unlinkEmpty(mm, va, end);
  const last = unlinkedCount();
  beginOf(mm);
  point(MUNMAP_UNLINKED, va);
  flushTlbMmRange(mm, va, end, PAGE_SHIFT);
  point(MUNMAP_FLUSHED, va);
  endOf(mm);
  releaseUnlinked(mine, last, USER);
  return true;
}

/** Unlinks tables that the range has left empty, lowest level first; they wait to be freed. */
function unlinkEmpty(mm: u32, first: u64, end: u64): void {
  for (let level: u32 = 2; level <= levels; level++) {
    const span = (<u64>1) << shiftOf(level);
    let stays = false;
    for (let at = first & ~(span - 1); at < end; at += span) {
      const entry = findEntry(mm, at, level);
      if (entry == 0) continue;
      if (!unlinkIfEmpty(entry, level)) {
        if (loadEntry(entry) != 0) stays = true;
      } else if (level == levels) syncTopEntry(mm, indexAt(at, level));
    }
    // What stays keeps the table that it stands in, and all above; if that is the only one of its level here, nothing is left to look for.
    if (stays && (first ^ (end - 1)) >> shiftOf(level + 1) == 0) return;
  }
}

export function mprotect(mm: u32, va: u64, pages: u32): bool {
  if (!needMm(mm) || !needUserPages(va, pages)) return false;
  const end = va + (<u64>pages << 12);
  let at = va;
  while (at < end) {
    let step = (<u64>1) << 12;
    const small = findEntry(mm, at, 1);
    if (small != 0) protectEntry(mm, small, at, 1);
    else {
      const large = findEntry(mm, at, 2);
      const span = (<u64>1) << shiftOf(2);
      if (large != 0 && isPresent(loadEntry(large)) && (at & (span - 1)) == 0 && end - at >= span) protectEntry(mm, large, at, 2);
      step = min<u64>(end - at, span - (at & (span - 1)));
    }
    at += step;
  }
  flushTlbMmRange(mm, va, end, PAGE_SHIFT);
  return true;
}

function protectEntry(mm: u32, entry: EntryAt, va: u64, level: u32): void {
  assert(holdsEntry(entry), "no entry of a table stands here");
  const value = loadEntry(entry);
  if (!isPresent(value) || !isWritable(value)) return;
  if (detecting && !has(NOTIFY_USER)) markLeaves(mm, entry, va, level, 1, STALE_RIGHTS);
  setEntry(entry, readOnly(value));
}

/**
 * The end of an mm (exit_mmap, exit_files): the notifier's release, all user tables, the bindings that are left, its roots.
 */
export function destroyMm(mm: u32): bool {
  if (!needMm(mm)) return false;
  if (isInUse(mm)) return refuse(MM_RUNS);
  const root = rootOf(mm);
  const second = secondRootOf(mm);
  // From here on nobody finds it.
  forgetMm(mm);
  forgetAsids(mm);
  if (has(NOTIFY_USER)) tearDownMm(mm);
  point(EXIT_UNBOUND, mm);
  releaseBelow(root, levels, ENTRIES >> 1);
  // Without a notifier the IOMMU learns of it here.
  tearDownMm(mm);
  dropBindings(mm);
  release(root, USER);
  if (second != 0) release(second, USER);
  return true;
}

/** Levels are counted from 1. */
const LEVEL_SLOTS: u32 = MAX_LEVELS + 1;
/** By level, the tables on the way down to the one whose entries are being released. */
export const PATH: usize = memory.data(LEVEL_SLOTS * sizeof<u32>(), sizeof<u32>());
export const PATH_SIZE: u32 = LEVEL_SLOTS * 4;

/** Tables may name each other in a circle: one that is on the way down is not entered again, and one that is released is none. */
function isReleasable(slot: u32, level: u32): bool {
  if (slot == 0 || stateOf(slot) != TABLE) return false;
  for (let above = level; above <= levels; above++) {
    if (load<u32>(PATH + (<usize>above << 2)) == slot) return false;
  }
  return true;
}

function releaseBelow(slot: u32, level: u32, count: u32): void {
  assert(level >= 1 && level <= levels && count <= ENTRIES, "no table is of this level or has so many entries");
  if (level == 1) return;
  store<u32>(PATH + (<usize>level << 2), slot);
  const first = entriesOf(slot);
  for (let at = first; at < first + (<usize>count << 3); at += 8) {
    const entry = loadEntry(at);
    if (!isPresent(entry) || isLeaf(entry, level)) continue;
    const table = tableOf(entry);
    if (!isReleasable(table, level)) continue;
    releaseBelow(table, level - 1, ENTRIES);
    release(table, USER);
  }
}
