// From an address to its entry in a tree of tables, making tables on the way; and clearing leaves.

import { EMPTY_RANGE, NOT_ALIGNED, NOT_KERNEL_HALF, NOT_USER_HALF, TABLE_ABSENT, refuse } from "../base/refusals";
import { clearEntries, EntryAt, holdsEntry, loadEntry, setEntry } from "../paging/contents";
import { descend } from "../paging/descent";
import { ENTRIES, FULL_RIGHTS, frameIn, isLeaf, isPresent, PAGE_SHIFT, shiftOf, STALE, tableEntry } from "../paging/format";
import { frameOf } from "../paging/frames";
import { addressMask, isCanonical, levels } from "../paging/mode";
import { HOST, indexAt, tableAt } from "../paging/tables";
import { allocateTable } from "./pool";
import { rootOf, syncTopEntry, INIT_MM } from "./spaces";
import { markLeaves } from "./stale-marks";

/** Slot of the table that a non-leaf entry points at. */
export function tableOf(entry: u64): u32 {
  return tableAt(HOST, frameIn(entry));
}

/** Whether an entry of a level maps a page. */
export function holdsLeaf(entry: EntryAt, level: u32): bool {
  const value = loadEntry(entry);
  return isPresent(value) && isLeaf(value, level);
}

// ---- where a descent ends: an entry and its level in one word, since entries are aligned to 8 ----
const LEVEL: u64 = 7;

// @ts-ignore: decorator
@inline
function levelOf(place: u64): u32 {
  return <u32>(place & LEVEL);
}

// @ts-ignore: decorator
@inline
function entryOf(place: u64): EntryAt {
  return <EntryAt>(place & ~LEVEL);
}

/**
 * Down from a table of a level to the entry of level `target` for an address, or to the one that ends the path above it. An
 * entry of 0 with its level: what it names is no table.
 */
function reachFrom(table: u32, from: u32, va: u64, target: u32): u64 {
  return descend<Reach>(changetype<Reach>(<usize>target), HOST, va, 0, from, 0, table, FULL_RIGHTS);
}

/** The kernel trusts its tables and looks at no rights; the visitor is the level that it looks for. */
@unmanaged
class Reach {
  @inline
  absent(level: u32, frame: u64): u64 {
    return level + 1;
  }

  @inline
  target(level: u32, at: EntryAt): u64 {
    return level == <u32>changetype<usize>(this) ? <u64>at | level : 0;
  }

  @inline
  read(entry: u64, level: u32, frame: u64): void {}

  @inline
  hole(context: usize, access: u32, level: u32, at: EntryAt): u64 {
    return <u64>at | level;
  }

  @inline
  isMalformed(context: usize, entry: u64, level: u32, leaf: bool): bool {
    return false;
  }

  @inline
  malformed(context: usize, access: u32, level: u32): u64 {
    return 0;
  }

  @inline
  leaf(context: usize, va: u64, access: u32, level: u32, at: EntryAt, entry: u64, rights: u64): u64 {
    return <u64>at | level;
  }

  @inline
  refuses(context: usize, access: u32, level: u32, rights: u64): u64 {
    return 0;
  }

  @inline
  enter(context: usize, va: u64, level: u32, at: EntryAt, entry: u64, rights: u64, frame: u64): u32 {
    return tableAt(context, frame);
  }
}

/** Address of the entry of a level for an address, if the tables above it are there; 0 otherwise (or below a large leaf). */
export function findEntry(mm: u32, va: u64, level: u32): EntryAt {
  assert(level >= 1 && level <= levels, "no entry is of this level");
  const place = reachFrom(rootOf(mm), levels, va, level);
  return levelOf(place) == level ? entryOf(place) : 0;
}

/** In place of an entry: a large leaf covers the address. */
export const LEAF_IN_THE_WAY: EntryAt = 1;

/** The same, making tables that are missing with these marks and non-leaf bits; 0 if no frame is left, or a table absent: refused. */
export function needEntry(mm: u32, va: u64, level: u32, marks: u8, bits: u64): EntryAt {
  assert(level >= 1 && level <= levels, "no entry is of this level");
  let place = reachFrom(rootOf(mm), levels, va, level);
  while (levelOf(place) > level) {
    const at = levelOf(place);
    const entry = entryOf(place);
    if (entry == 0) return <EntryAt>refuse(TABLE_ABSENT);
    if (isPresent(loadEntry(entry))) return LEAF_IN_THE_WAY;
    const table = allocateTable(at - 1, marks);
    if (table == 0) return 0;
    setEntry(entry, tableEntry(frameOf(table), bits));
    if (at == levels) syncTopEntry(mm, indexAt(va, at));
    place = reachFrom(table, at - 1, va, level);
  }
  assert(levelOf(place) == level && holdsEntry(entryOf(place)), "what was needed is no entry of a table");
  return entryOf(place);
}

/** Clears the leaves that lie wholly inside `pages` pages from `va`; tables stay. With `mark`, translations of them become stale. */
export function clearLeaves(mm: u32, va: u64, pages: u64, mark: bool): void {
  assert(pages != 0 && isAligned(va) && (mm == INIT_MM) == inKernelHalf(va), "the range is not this address space's");
  let left = pages;
  let at = va;
  while (left > 0) {
    const place = reachFrom(rootOf(mm), levels, at, 1);
    const level = levelOf(place);
    const entry = entryOf(place);
    if (level == 1) {
      const run = min<u64>(left, ENTRIES - indexAt(at, 1));
      if (mark) markLeaves(mm, entry, at, 1, <u32>run, STALE);
      clearEntries(entry, <usize>run);
      at += run << PAGE_SHIFT;
      left -= run;
      continue;
    }
    const span = (<u64>1) << shiftOf(level);
    const isWhole = (at & (span - 1)) == 0 && left >= span >> PAGE_SHIFT;
    if (isWhole && entry != 0 && isPresent(loadEntry(entry))) {
      if (mark) markLeaves(mm, entry, at, level, 1, STALE);
      setEntry(entry, 0);
    }
    const step = min<u64>(left, (span - (at & (span - 1))) >> PAGE_SHIFT);
    at += step << PAGE_SHIFT;
    left -= step;
  }
}

/** Whether an address lies in the kernel half, the upper one. */
// @ts-ignore: decorator
@inline
function inKernelHalf(va: u64): bool {
  return <i64>va < 0 && isCanonical(va);
}

/** The same; if not, the operation is refused. */
export function needKernelHalf(va: u64): bool {
  return inKernelHalf(va) || refuse(NOT_KERNEL_HALF);
}

/** Whether `pages` pages from `va` on are whole pages of the kernel half, all of them; if not, the operation is refused. */
export function needKernelPages(va: u64, pages: u64): bool {
  if (pages == 0) return refuse(EMPTY_RANGE);
  if (!inKernelHalf(va) || va + (pages << PAGE_SHIFT) - 1 < va) return refuse(NOT_KERNEL_HALF);
  return isAligned(va) || refuse(NOT_ALIGNED);
}

/** The same of the user half. */
export function needUserPages(va: u64, pages: u64): bool {
  if (pages == 0) return refuse(EMPTY_RANGE);
  const lower = addressMask >> 1;
  if (va > lower || va + (pages << PAGE_SHIFT) - 1 > lower) return refuse(NOT_USER_HALF);
  return isAligned(va) || refuse(NOT_ALIGNED);
}

// @ts-ignore: decorator
@inline
function isAligned(va: u64): bool {
  return (va & (((<u64>1) << PAGE_SHIFT) - 1)) == 0;
}
