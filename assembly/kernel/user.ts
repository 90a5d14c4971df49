// User mappings: mmap, munmap, mprotect with the mmu notifier, and the end of an mm. Always covered: unlink, flush with the
// notifier, free. mm/mmu_gather.c; docs/rules.md sections 9, 10.6.

import { CONTEXT_BOUND, CONTEXT_MM, CONTEXT_NEXT, levels } from "../hardware/agent";
import { A, isLeaf, P, PS, RW, shiftOf, US, XD } from "../paging/entry";
import { contentsOf, isEmpty, stateOf, TABLE } from "../paging/frames";
import { detecting } from "../hardware/hazard";
import { point } from "../base/points";
import { NO_LIMIT } from "../hardware/queue/submit";
import { firstPasid } from "../hardware/requesters";
import { takeDataFrames } from "./data-frames";
import { flushTlbMmRange } from "./flush";
import { has, NOTIFY_USER, notify } from "./policy";
import { release } from "./pool";
import { USER } from "./sites";
import { exists, forgetMm, forgetSlots, isRunning, rootOf, secondRootOf, syncTopEntry } from "./spaces";
import { forgetFrom, wait, waiting, waitingAt } from "./unlinked";
import { clearLeaves, findEntry, inUserHalf, LEAF_IN_THE_WAY, needEntry, PAGE_TABLE, tableOf } from "./tables";

const LARGE: u32 = 1;
const READ_ONLY: u32 = 1 << 1;
const PAGE_SHIFT: u32 = 12;

export function mmap(mm: u32, va: u64, pages: u32, type: u32): bool {
  if (!exists(mm) || !inUserHalf(va, pages)) return false;
  const level: u32 = type & LARGE ? 2 : 1;
  const span = (<u64>1) << shiftOf(level);
  const first = va & ~0xfff;
  if ((first & (span - 1)) != 0 || ((<u64>pages << 12) & (span - 1)) != 0) return false;
  const bits = P | US | A | XD | (type & READ_ONLY ? 0 : RW) | (level == 2 ? PS : 0);
  const end = first + (<u64>pages << 12);
  for (let at = first; at < end; at += span) {
    const entry = needEntry(mm, at, level, 0, PAGE_TABLE);
    if (entry == 0) return false;
    if (entry == LEAF_IN_THE_WAY) continue;
    if (!(load<u64>(entry) & P)) store<u64>(entry, takeDataFrames(level) | bits);
  }
  return true;
}

export function munmap(mm: u32, va: u64, pages: u32): bool {
  if (!exists(mm) || !inUserHalf(va, pages)) return false;
  const first = va & ~0xfff;
  const end = first + (<u64>pages << 12);
  clearLeaves(mm, first, pages, detecting && !has(NOTIFY_USER));
  const mine = waiting();
  unlinkEmpty(mm, first, end);
  const last = waiting();
  point();
  flushTlbMmRange(mm, first, end, PAGE_SHIFT);
  point();
  for (let place = mine; place < last; place++) release(waitingAt(place), USER);
  forgetFrom(mine);
  return true;
}

/** Unlinks tables that the range has left empty, lowest level first; they wait to be freed. */
function unlinkEmpty(mm: u32, first: u64, end: u64): void {
  for (let level: u32 = 2; level <= levels; level++) {
    const span = (<u64>1) << shiftOf(level);
    for (let at = first & ~(span - 1); at < end; at += span) {
      const entry = findEntry(mm, at, level);
      if (entry == 0) continue;
      const value = load<u64>(entry);
      if (!(value & P) || isLeaf(value, level)) continue;
      const table = tableOf(value);
      if (table == 0 || stateOf(table) != TABLE || !isEmpty(table) || !wait(table)) continue;
      store<u64>(entry, 0);
      if (level == levels) syncTopEntry(mm, <u32>(at >> shiftOf(level)) & 511);
    }
  }
}

export function mprotect(mm: u32, va: u64, pages: u32): bool {
  if (!exists(mm) || !inUserHalf(va, pages)) return false;
  const first = va & ~0xfff;
  const end = first + (<u64>pages << 12);
  let at = first;
  while (at < end) {
    let step = (<u64>1) << 12;
    const small = findEntry(mm, at, 1);
    if (small != 0) protectEntry(small);
    else {
      const large = findEntry(mm, at, 2);
      const span = (<u64>1) << shiftOf(2);
      if (large != 0 && load<u64>(large) & P && (at & (span - 1)) == 0 && end - at >= span) protectEntry(large);
      step = min<u64>(end - at, span - (at & (span - 1)));
    }
    at += step;
  }
  flushTlbMmRange(mm, first, end, PAGE_SHIFT);
  return true;
}

function protectEntry(entry: usize): void {
  const value = load<u64>(entry);
  if (value & P) store<u64>(entry, value & ~RW);
}

/** The end of an mm: full notifier invalidation, then all user tables and its roots. */
export function destroyMm(mm: u32): bool {
  if (!exists(mm) || isRunning(mm) || isBound(mm)) return false;
  notify(mm, 0, NO_LIMIT);
  const root = rootOf(mm);
  releaseBelow(root, levels, 256);
  const second = secondRootOf(mm);
  release(root, USER);
  if (second != 0) release(second, USER);
  forgetMm(mm);
  forgetSlots(mm);
  return true;
}

export function isBound(mm: u32): bool {
  for (let context = firstPasid; context != 0; context = load<usize>(context, CONTEXT_NEXT)) {
    if (load<u32>(context, CONTEXT_BOUND) && load<u32>(context, CONTEXT_MM) == mm + 1) return true;
  }
  return false;
}

function releaseBelow(slot: u32, level: u32, count: u32): void {
  if (level == 1) return;
  const first = contentsOf(slot);
  for (let at = first; at < first + (<usize>count << 3); at += 8) {
    const entry = load<u64>(at);
    if (!(entry & P) || isLeaf(entry, level)) continue;
    const table = tableOf(entry);
    if (table == 0) continue;
    releaseBelow(table, level - 1, 512);
    release(table, USER);
  }
}
