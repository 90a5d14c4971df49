// The kernel's flush entry points (arch/x86/mm/tlb.c, 6.12; docs/rules.md section 10.7).

import { flushEverything, invlpg, invlpgRange } from "../hardware/cpu";
import { contextOf } from "../hardware/requesters";
import {
  CPU_FULL_FLUSHES,
  CPU_PAGE_FLUSHES,
  FLUSH_ALLS,
  IPI_BROADCASTS,
  IPI_RECEIVERS,
  KERNEL_RANGE_FLUSHES,
  LOCAL_FLUSH_ALLS,
  MM_FLUSHES,
  tally,
} from "./counters";
import { afterFlush, HOOK_FLUSH_ALL, HOOK_KERNEL_RANGE, notify, notifyAll } from "./policy";
import { cpuCount, mmOfCpu, nextTlbGen, reload, caughtUpGen } from "./spaces";

/** tlb_single_page_flush_ceiling, in pages. */
export const CEILING: u64 = 33;
/** In place of the end of a range: everything. */
export const TLB_FLUSH_ALL: u64 = 0xffff_ffff_ffff_ffff;

/** on_each_cpu(): every CPU but the caller is interrupted. */
function interruptAll(): void {
  if (cpuCount < 2) return;
  tally(IPI_BROADCASTS);
  tally(IPI_RECEIVERS, cpuCount - 1);
}

function flushEveryCpu(): void {
  interruptAll();
  for (let cpu: u32 = 0; cpu < cpuCount; cpu++) flushEverything(contextOf(cpu));
  tally(CPU_FULL_FLUSHES, cpuCount);
}

/**
 * flush_tlb_kernel_range(start, end); an end of 0 is 2^64, which is another thing than TLB_FLUSH_ALL. `freesTables`: the caller
 * frees, or has freed, a table with this flush.
 */
export function flushTlbKernelRange(start: u64, end: u64, freesTables: bool): void {
  tally(KERNEL_RANGE_FLUSHES);
  if (end == TLB_FLUSH_ALL) {
    flushEveryCpu();
    afterFlush(0, 0, true, HOOK_KERNEL_RANGE, freesTables);
    return;
  }
  const length = end - start;
  assert(length != 0, "the range is empty");
  if (length > CEILING << 12) {
    flushEveryCpu();
  } else {
    const pages = (length + 0xfff) >> 12;
    interruptAll();
    for (let cpu: u32 = 0; cpu < cpuCount; cpu++) invlpgRange(contextOf(cpu), start, pages);
    tally(CPU_PAGE_FLUSHES, pages * cpuCount);
  }
  afterFlush(start, end - 1, false, HOOK_KERNEL_RANGE, freesTables);
}

/** flush_tlb_all() */
export function flushTlbAll(freesTables: bool): void {
  tally(FLUSH_ALLS);
  flushEveryCpu();
  afterFlush(0, 0, true, HOOK_FLUSH_ALL, freesTables);
}

/** __flush_tlb_all(): the calling CPU alone; no policy has hooked it. */
export function localFlushTlbAll(cpu: u32): void {
  assert(cpu < cpuCount, "there is no such CPU");
  tally(LOCAL_FLUSH_ALLS);
  tally(CPU_FULL_FLUSHES);
  flushEverything(contextOf(cpu));
}

/**
 * flush_tlb_mm_range(mm, start, end, shift, …). Lengths are unsigned: a range that ends before it starts is longer than any
 * ceiling. An empty one names no page.
 */
export function flushTlbMmRange(mm: u32, start: u64, end: u64, shift: u32): void {
  assert(shift >= 12 && shift < 64, "no page is so large");
  tally(MM_FLUSHES);
  const length = end - start;
  const all = end == TLB_FLUSH_ALL || length >> <u64>shift > CEILING;
  const gen = nextTlbGen(mm);
  // Counted, not compared with the end: the last step may end at 2^64.
  const steps = length == 0 ? 0 : ((length - 1) >> <u64>shift) + 1;
  let receivers: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpuCount; cpu++) {
    if (mmOfCpu(cpu) != mm) continue;
    receivers++;
    const caughtUp = caughtUpGen(cpu);
    if (!all && load<u32>(caughtUp) + 1 == gen) {
      for (let step: u64 = 0; step < steps; step++) invlpg(contextOf(cpu), start + (step << <u64>shift));
      tally(CPU_PAGE_FLUSHES, steps);
    } else {
      reload(cpu);
    }
    store<u32>(caughtUp, gen);
  }
  if (receivers > 1) {
    tally(IPI_BROADCASTS);
    tally(IPI_RECEIVERS, receivers - 1);
  }
  if (all) notifyAll(mm);
  else if (length != 0) notify(mm, start, end - 1);
}
