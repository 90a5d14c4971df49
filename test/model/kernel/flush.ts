// Flush entry points (rules.md 10.7; Linux 6.12, arch/x86/mm/tlb.c): targets in CPU order, then what the policy hooks.

import { countFullFlushes, countMmFlush, countPageFlushes } from "./costs.js";
import { invalidateIommus } from "./driver.js";
import type { Span } from "./geometry.js";
import { PAGE } from "./geometry.js";
import { flushPage, interrupted, markUserPcid } from "./isolation.js";
import type { Kernel } from "./kernel.js";
import { hook } from "./policy.js";
import type { Answer } from "./refusals.js";

/** tlb_single_page_flush_ceiling: a range of more pages becomes a full flush. */
export const CEILING = 33n;

/** An end that is no address: everything. 2^64 is another end. */
export const TLB_FLUSH_ALL = (1n << 64n) - 1n;

/** By INVPCID on each, or by INVLPGB, which interrupts none. */
function everyCpuDropsAll(k: Kernel): void {
  for (const cpu of k.cpus.keys()) {
    if (k.broadcasts) k.cpu(cpu).invpcid(2, 0n, 0);
    else interrupted(k, cpu, () => k.cpu(cpu).invpcid(2, 0n, 0));
  }
  countFullFlushes(k);
}

/** flush_tlb_kernel_range. `freesTable`: the caller frees a table with it. */
export function flushKernelRange(k: Kernel, { start, end }: Span, freesTable: boolean): void {
  const everything = end === TLB_FLUSH_ALL;
  k.counters.kernelRangeFlushes += 1;
  if (everything || end - start > CEILING * PAGE || k.broadcasts) everyCpuDropsAll(k);
  else {
    for (const cpu of k.cpus.keys()) {
      interrupted(k, cpu, () => {
        for (let address = start; address < end; address += PAGE) flushPage(k, cpu, address);
        k.spaces.slotsOf(cpu).mode.othersStale = k.pti;
      });
    }
    countPageFlushes(k, Number((end - start + PAGE - 1n) / PAGE));
  }
  const hooked = k.policy.hookKernelRange && (freesTable || !k.policy.onlyTableFrees);
  if (hooked) hook(k, everything ? "everything" : { start, end }, freesTable);
}

/** flush_tlb_all. `freesTable`: the caller frees, or has freed, a table with it. */
export function flushAll(k: Kernel, freesTable: boolean): void {
  k.counters.flushAlls += 1;
  everyCpuDropsAll(k);
  if (k.policy.hookFlushAll && (freesTable || !k.policy.onlyTableFrees)) hook(k, "everything", freesTable);
}

/** __flush_tlb_all: one CPU, never hooked. */
export function localFlushAll(k: Kernel, cpu: number): void {
  interrupted(k, cpu, () => k.cpu(cpu).invpcid(2, 0n, 0));
  k.counters.localFlushAlls += 1;
  k.counters.cpuFullFlushes += 1;
}

/**
 * flush_tlb_mm_range: CPUs that run the mm, then the notifier. The length is unsigned: a range that ends before it starts is
 * everything, an empty one no page. Refused if the mm does not exist.
 */
export function flushMmRange(k: Kernel, number: number, { start, end }: Span, shift: number): Answer {
  const mm = k.spaces.mms.get(number);
  if (mm === undefined) return "no-such-mm";
  k.counters.mmFlushes += 1;
  const all = end === TLB_FLUSH_ALL || BigInt.asUintN(64, end - start) >> BigInt(shift) > CEILING;
  mm.generation += 1;
  let running = 0;
  for (const [index, cpu] of k.cpus.entries()) {
    const own = k.spaces.slotsOf(index);
    const slot = own.slots[own.current];
    if (own.mm !== number || slot === undefined) continue;
    running += 1;
    interrupted(k, index, () => {
      if (slot.generation + 1 === mm.generation && !all) {
        for (let address = start; address < end; address += 1n << BigInt(shift)) {
          flushPage(k, index, address);
          k.counters.cpuPageFlushes += 1;
        }
      } else {
        markUserPcid(k, index, own.current);
        cpu.movCr3(mm.root, own.current + 1, false);
        k.counters.cpuSpaceFlushes += 1;
      }
    });
    slot.generation = mm.generation;
  }
  countMmFlush(k, running);
  if (k.policy.notifyUser && (all || end > start)) invalidateIommus(k, all ? "everything" : { start, end }, number);
  return "done";
}
