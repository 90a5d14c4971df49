// The kernel's flush entry points (arch/x86/mm/tlb.c, 6.12; docs/rules.md section 10.7).

import { flushEverything, invlpgRange } from "../hardware/cpu";
import { contextOf } from "../hardware/requesters";
import { PAGE_SHIFT } from "../paging/format";
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
import {
  caughtUpGen,
  cpuCount,
  enterKernel,
  enterUser,
  flushPage,
  invalidateOthers,
  mmOfCpu,
  nextTlbGen,
  reload,
} from "./spaces";
import { does, PTI, USES_INVLPGB } from "./traits";

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

/** With INVLPGB (broadcast_flush_tlb_all(), broadcast_kernel_range_flush()) nobody is interrupted. */
function flushEveryCpu(): void {
  const interrupts = !does(USES_INVLPGB);
  if (interrupts) interruptAll();
  for (let cpu: u32 = 0; cpu < cpuCount; cpu++) {
    const fromUser = interrupts && enterKernel(cpu);
    flushEverything(contextOf(cpu));
    if (fromUser) enterUser(cpu);
  }
  tally(CPU_FULL_FLUSHES, cpuCount);
}

/** So many INVLPGs, so far apart. Those of neighbouring small pages leave what one of their range leaves, but for user PCIDs. */
function flushPages(cpu: u32, start: u64, steps: u64, shift: u32): void {
  if (shift == PAGE_SHIFT && !does(PTI)) invlpgRange(contextOf(cpu), start, steps);
  else for (let step: u64 = 0; step < steps; step++) flushPage(cpu, start + (step << <u64>shift));
}

/** do_kernel_range_flush() */
function flushKernelPages(cpu: u32, start: u64, pages: u64): void {
  const fromUser = enterKernel(cpu);
  flushPages(cpu, start, pages, PAGE_SHIFT);
  if (does(PTI)) invalidateOthers(cpu);
  if (fromUser) enterUser(cpu);
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
  // An INVLPGB of kernel pages carries no address (invlpgb_flush_addr_nosync() leaves INVLPGB_FLAG_VA out): it drops everything.
  if (length > CEILING << 12 || does(USES_INVLPGB)) {
    flushEveryCpu();
  } else {
    const pages = (length + 0xfff) >> 12;
    interruptAll();
    for (let cpu: u32 = 0; cpu < cpuCount; cpu++) flushKernelPages(cpu, start, pages);
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
  const fromUser = enterKernel(cpu);
  flushEverything(contextOf(cpu));
  if (fromUser) enterUser(cpu);
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
    const fromUser = enterKernel(cpu);
    const caughtUp = caughtUpGen(cpu);
    if (!all && load<u32>(caughtUp) + 1 == gen) {
      flushPages(cpu, start, steps, shift);
      tally(CPU_PAGE_FLUSHES, steps);
    } else {
      reload(cpu);
    }
    store<u32>(caughtUp, gen);
    if (fromUser) enterUser(cpu);
  }
  if (receivers > 1) {
    tally(IPI_BROADCASTS);
    tally(IPI_RECEIVERS, receivers - 1);
  }
  if (all) notifyAll(mm);
  else if (length != 0) notify(mm, start, end - 1);
}
