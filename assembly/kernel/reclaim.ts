// madvise(MADV_DONTNEED): pages of a process are given up, and with CONFIG_PT_RECLAIM the page tables that are empty then.
// mm/memory.c zap_pte_range(), include/asm-generic/tlb.h; CVE-2026-74674; docs/rules.md section 10.6.

import { point } from "../base/points";
import { detecting } from "../hardware/hazard";
import { loadEntry } from "../paging/contents";
import { isPresent, PAGE_SHIFT, shiftOf } from "../paging/format";
import { flushTlbMmRange } from "./flush";
import { has, NOTIFY_USER } from "./policy";
import { RECLAIM_FLUSHED, RECLAIM_UNLINKED, ZAP_PTE_RANGE } from "./sites";
import { beginOf, endOf, needMm } from "./spaces";
import { clearLeaves, findEntry, holdsLeaf, needUserPages } from "./tables";
import { does, RECLAIM_FLUSHES_PAST_TABLE, RECLAIMS } from "./traits";
import { releaseUnlinked, unlinkedCount, unlinkIfEmpty } from "./unlinked";

/** What a PD entry covers: 2 MiB, and so the table that may go. */
const PD_ENTRY: u32 = 2;

// ---- scratch: nothing survives a call ----
/** What mmu_gather has gathered: a range of addresses, and whether 4 KiB leaves are among it. */
let gatheredFrom: u64 = 0;
let gatheredTo: u64 = 0;
let gatheredSmall: bool = false;

function gather(from: u64, bytes: u64): void {
  const first = gatheredFrom == gatheredTo;
  gatheredFrom = first ? from : min<u64>(gatheredFrom, from);
  gatheredTo = first ? from + bytes : max<u64>(gatheredTo, from + bytes);
}

export function dontNeed(mm: u32, va: u64, pages: u32): bool {
  if (!needMm(mm) || !needUserPages(va, pages)) return false;
  const first = va;
  const end = first + (<u64>pages << PAGE_SHIFT);
  gatheredFrom = gatheredTo = 0;
  gatheredSmall = false;
  gatherLeaves(mm, first, end);
  clearLeaves(mm, first, pages, detecting && !has(NOTIFY_USER));
  const mine = unlinkedCount();
  if (does(RECLAIMS)) unlinkWhole(mm, first, end);
  const last = unlinkedCount();
  // Operations that come in at a point have their own.
  const from = gatheredFrom;
  const to = gatheredTo;
  const shift = gatheredSmall ? PAGE_SHIFT : <u32>shiftOf(PD_ENTRY);
  beginOf(mm);
  point(RECLAIM_UNLINKED, first);
  if (from != to) flushTlbMmRange(mm, from, to, shift);
  point(RECLAIM_FLUSHED, first);
  endOf(mm);
  releaseUnlinked(mine, last, ZAP_PTE_RANGE);
  return true;
}

/** Gathers the leaves that will be cleared: those wholly inside. */
function gatherLeaves(mm: u32, first: u64, end: u64): void {
  const span = (<u64>1) << shiftOf(PD_ENTRY);
  for (let at = first; at < end; ) {
    const small = findEntry(mm, at, 1);
    if (small != 0) {
      if (isPresent(loadEntry(small))) {
        gather(at, (<u64>1) << PAGE_SHIFT);
        gatheredSmall = true;
      }
      at += (<u64>1) << PAGE_SHIFT;
      continue;
    }
    const next = min<u64>(end, (at & ~(span - 1)) + span);
    const large = findEntry(mm, at, PD_ENTRY);
    const whole = (at & (span - 1)) == 0 && next - at == span;
    if (whole && large != 0 && holdsLeaf(large, PD_ENTRY)) gather(at, span);
    at = next;
  }
}

/** Unlinks the PTs of whole 2 MiB inside the range that are empty, and gathers an address for each. */
function unlinkWhole(mm: u32, first: u64, end: u64): void {
  const span = (<u64>1) << shiftOf(PD_ENTRY);
  for (let at = (first + span - 1) & ~(span - 1); at + span <= end; at += span) {
    const entry = findEntry(mm, at, PD_ENTRY);
    if (entry == 0 || !unlinkIfEmpty(entry, PD_ENTRY)) continue;
    gather(does(RECLAIM_FLUSHES_PAST_TABLE) ? at + span : at, (<u64>1) << PAGE_SHIFT);
  }
}
