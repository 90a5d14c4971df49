// From an address to its entry in a tree of tables, making tables on the way; and clearing leaves.

import { addressMask, isCanonical, levels } from "../hardware/agent";
import { A, D, FRAME, isLeaf, P, RW, shiftOf, US } from "../paging/entry";
import { contentsOf, frameOf, slotOf } from "../paging/frames";
import { allocateTable } from "./pool";
import { rootOf, syncTopEntry } from "./spaces";
import { markLeaves } from "./stale-marks";

/** `_PAGE_TABLE` and `_KERNPG_TABLE` (arch/x86/include/asm/pgtable_types.h). */
export const PAGE_TABLE: u64 = P | RW | US | A | D;
export const KERNPG_TABLE: u64 = P | RW | A | D;

/** Address of the entry of a level for an address in a table. */
// @ts-ignore: decorator
@inline
export function entryIn(slot: u32, va: u64, level: u32): usize {
  return contentsOf(slot) + ((<usize>(va >> shiftOf(level)) & 511) << 3);
}

/** Slot of the table that a non-leaf entry points at. */
// @ts-ignore: decorator
@inline
export function tableOf(entry: u64): u32 {
  return slotOf((entry & FRAME) >> 12);
}

/** Address of the entry of a level for an address, if the tables above it are there; 0 otherwise (or below a large leaf). */
export function findEntry(mm: u32, va: u64, level: u32): usize {
  let slot = rootOf(mm);
  for (let at = levels; at > level; at--) {
    const entry = load<u64>(entryIn(slot, va, at));
    if (!(entry & P) || isLeaf(entry, at)) return 0;
    slot = tableOf(entry);
    if (slot == 0) return 0;
  }
  return entryIn(slot, va, level);
}

/** In place of an entry: a large leaf covers the address. */
export const LEAF_IN_THE_WAY: usize = 1;

/** The same, making tables that are missing with these marks and non-leaf bits; 0 if no frame is left. */
export function needEntry(mm: u32, va: u64, level: u32, marks: u8, bits: u64): usize {
  let slot = rootOf(mm);
  for (let at = levels; at > level; at--) {
    const place = entryIn(slot, va, at);
    const entry = load<u64>(place);
    if (entry & P) {
      if (isLeaf(entry, at)) return LEAF_IN_THE_WAY;
      slot = tableOf(entry);
      if (slot == 0) return 0;
      continue;
    }
    const table = allocateTable(at - 1, marks);
    if (table == 0) return 0;
    store<u64>(place, (frameOf(table) << 12) | bits);
    if (at == levels) syncTopEntry(mm, <u32>(va >> shiftOf(at)) & 511);
    slot = table;
  }
  return entryIn(slot, va, level);
}

/** Clears the leaves that lie wholly inside `pages` pages from `va`; tables stay. With `mark`, translations of them become stale. */
export function clearLeaves(mm: u32, va: u64, pages: u64, mark: bool): void {
  let left = pages;
  let at = va;
  while (left > 0) {
    let level = levels;
    let place = entryIn(rootOf(mm), at, level);
    while (level > 1 && load<u64>(place) & P && !isLeaf(load<u64>(place), level)) {
      const slot = tableOf(load<u64>(place));
      if (slot == 0) break;
      level--;
      place = entryIn(slot, at, level);
    }
    if (level == 1) {
      const run = min<u64>(left, 512 - ((at >> 12) & 511));
      if (mark) markLeaves(mm, place, at, 1, <u32>run);
      memory.fill(place, 0, <usize>run << 3);
      at += run << 12;
      left -= run;
      continue;
    }
    const span = (<u64>1) << shiftOf(level);
    const entry = load<u64>(place);
    if (entry & P && isLeaf(entry, level) && (at & (span - 1)) == 0 && left >= span >> 12) {
      if (mark) markLeaves(mm, place, at, level, 1);
      store<u64>(place, 0);
    }
    const step = min<u64>(left, (span - (at & (span - 1))) >> 12);
    at += step << 12;
    left -= step;
  }
}

/** Whether `pages` > 0 pages from `va` lie in the kernel half (the upper one), all of them. */
export function inKernelHalf(va: u64, pages: u64): bool {
  return pages != 0 && <i64>va < 0 && isCanonical(va) && (va & ~0xfff) + (pages << 12) - 1 >= va;
}

export function inUserHalf(va: u64, pages: u64): bool {
  return pages != 0 && <i64>va >= 0 && isCanonical(va) && (va & ~0xfff) + (pages << 12) - 1 <= addressMask >> 1;
}
