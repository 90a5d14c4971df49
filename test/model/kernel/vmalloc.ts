// vmalloc space (rules.md 10.1, 10.2, 10.5): mapping with pieces as large as allowed, the frees of tables that this leads to,
// unmapping and the lazy purge. Kernel functions: vmap_try_huge_*, pmd_free_pte_page, pud_free_pmd_page, __purge_vmap_area_lazy.

import { STALE } from "../cache.js";
import { frameOf, GLOBAL, isLeaf, type LeafLevel, PAGE_SIZE, PRESENT } from "../entry.js";
import type { Calls } from "./calls.js";
import { flushKernelRange } from "./flush.js";
import { HUGE, KERNEL_LEAF_BITS, LARGE, misplacedPages, PAGE, TABLE_BITS } from "./geometry.js";
import type { Kernel } from "./kernel.js";
import { freeTable } from "./policy.js";
import type { Answer } from "./refusals.js";
import { entryAt, type FoundTable, findTable, leavesIn, needTable, setEntry } from "./tables.js";

/** Sites of vmalloc space. */
export const VMALLOC_SITES = { pmdFreePtePage: 0, pudFreePmdPage: 1 } as const;

/**
 * Map pages (4 KiB each) with pieces of up to 2^shift bytes; `keep`: below tables that are there, instead of in their places.
 * Refused if out of range, out of frames, or a large leaf is in the way.
 */
export function vmalloc(k: Kernel, address: bigint, pages: number, shift: number, keep = false): Answer {
  const range = { start: address, end: address + BigInt(pages) * PAGE };
  const wrong = misplacedPages(k.parameters.levels, "kernel", range);
  if (wrong !== undefined) return wrong;
  for (let at = address; at < range.end; ) {
    const fits = (size: bigint): boolean => at % size === 0n && range.end - at >= size;
    let level: LeafLevel = shift >= 30 && fits(HUGE) ? 3 : shift >= 21 && fits(LARGE) ? 2 : 1;
    while (keep && level > 1 && holdsTable(k, at, level)) level = (level - 1) as LeafLevel;
    const table = needTable(k, k.spaces.initMm, at, level, { mark: "kernel", bits: TABLE_BITS });
    if (typeof table === "string") return table;
    const entry = entryAt(k, table, at);
    if ((entry & PRESENT) !== 0n && !isLeaf(entry, level)) {
      if (level === 2) pmdFreePtePage(k, table, at);
      else pudFreePmdPage(k, table, at);
    }
    // Like vmap_pte_range, one descent serves all 4 KiB pages of a table.
    const size = PAGE << BigInt(9 * (level - 1));
    const endOfTable = (at / LARGE + 1n) * LARGE;
    const end = level > 1 ? at + size : range.end < endOfTable ? range.end : endOfTable;
    for (; at < end; at += size) setEntry(k, table, at, kernelLeaf(k, level));
  }
  return "done";
}

/** Whether the entry of a level for a kernel address names a table. */
function holdsTable(k: Kernel, address: bigint, level: LeafLevel): boolean {
  const table = findTable(k, k.spaces.initMm, address, level);
  if (typeof table === "string") return false;
  const entry = entryAt(k, table, address);
  return (entry & PRESENT) !== 0n && !isLeaf(entry, level);
}

/** A new leaf of the kernel, with the next target. */
export function kernelLeaf(k: Kernel, level: LeafLevel): bigint {
  const target = k.memory.nextTarget(512 ** (level - 1));
  return (
    (BigInt(target) << 12n) | (k.pti ? KERNEL_LEAF_BITS & ~GLOBAL : KERNEL_LEAF_BITS) | (level > 1 ? PAGE_SIZE : 0n)
  );
}

/** What a point tells of a frame: 0 of one that is none of the machine's. */
const known = (k: Kernel, frame: number): number => (k.memory.has(frame) ? frame : 0);

/** Clear the PD entry, flush one page, free the PT. */
function pmdFreePtePage(k: Kernel, pd: FoundTable, address: bigint): void {
  const pt = frameOf(entryAt(k, pd, address));
  setEntry(k, pd, address, 0n);
  k.points.reach("PMD_CLEARED", address);
  flushKernelRange(k, { start: address, end: address + PAGE - 1n }, true);
  k.points.reach("PMD_FLUSHED", address);
  freeTable(k, pt, VMALLOC_SITES.pmdFreePtePage);
  k.points.reach("PMD_PT_FREED", known(k, pt));
}

/** Unlink a PD and flush one page, free its PTs and it. Older kernels empty it first; newer ones free what it names then. */
function pudFreePmdPage(k: Kernel, pdpt: FoundTable, address: bigint): void {
  const pd = frameOf(entryAt(k, pdpt, address));
  const ptAt = (index: number): number | undefined => {
    const entry = k.memory.readEntry(pd, index) ?? 0n;
    return (entry & PRESENT) !== 0n && !isLeaf(entry, 2) ? frameOf(entry) : undefined;
  };
  const indexes = Array.from({ length: 512 }, (_, index) => index);
  const before = k.traits.pudFreeKeepsPd ? undefined : indexes.map(ptAt);
  if (before !== undefined && k.memory.has(pd)) for (const index of indexes) k.memory.writeEntry(pd, index, 0n);
  setEntry(k, pdpt, address, 0n);
  k.points.reach("PUD_CLEARED", address);
  flushKernelRange(k, { start: address, end: address + PAGE - 1n }, true);
  k.points.reach("PUD_FLUSHED", address);
  for (const index of indexes) {
    const pt = before === undefined ? ptAt(index) : before[index];
    if (pt === undefined) continue;
    freeTable(k, pt, VMALLOC_SITES.pudFreePmdPage);
    k.points.reach("PUD_PT_FREED", known(k, pt));
  }
  freeTable(k, pd, VMALLOC_SITES.pudFreePmdPage);
  k.points.reach("PUD_PD_FREED", known(k, pd));
}

/** Bits of the type of a vfree: purge at once; leave the lazy range as it is. */
export const VFREE = { flush: 1, unlisted: 2 } as const;

/** Unmap pages; tables stay, CPU translations become stale until the purge. Refused if out of range. */
export function vfree(k: Kernel, address: bigint, pages: number, type: number): Answer {
  const range = { start: address, end: address + BigInt(pages) * PAGE };
  const wrong = misplacedPages(k.parameters.levels, "kernel", range);
  if (wrong !== undefined) return wrong;
  const leaves = leavesIn(k, k.spaces.initMm, range);
  for (const leaf of leaves) setEntry(k, leaf.table, leaf.address, 0n);
  if (k.detect)
    for (const { agent } of k.cpus) agent.markStale((entry) => leaves.some((leaf) => k.isOf(leaf, entry)), STALE);

  if ((type & VFREE.unlisted) !== 0) return "done";
  const { lazy } = k;
  const first = lazy.pages === 0;
  lazy.start = first || range.start < lazy.start ? range.start : lazy.start;
  lazy.end = first || range.end > lazy.end ? range.end : lazy.end;
  lazy.pages += pages;
  if ((type & VFREE.flush) !== 0 || (lazy.pages > lazyMax(k.cpus.length) && k.autoPurge)) purge(k);
  return "done";
}

/** lazy_max_pages: fls(CPUs) * 32 MiB, in pages. */
export function lazyMax(cpus: number): number {
  return cpus.toString(2).length * 8192;
}

/** Flush everything that was freed lazily, in one range. */
export function purge(k: Kernel): void {
  if (k.lazy.pages === 0) return;
  const range = k.lazy;
  k.lazy = { pages: 0, start: 0n, end: 0n };
  k.counters.purges += 1;
  flushKernelRange(k, range, false);
  k.points.reach("PURGE_FLUSHED", range.start);
}

/** Operations on vmalloc space. */
export type VmallocCall =
  /** `keep`: tables in the way of a large leaf are used. */
  | { kind: "vmalloc"; address: bigint; pages: number; shift: number; keep?: boolean }
  /** `type` bit 0: purge at once; bit 1: left out of what is purged. */
  | { kind: "vfree"; address: bigint; pages: number; type: number }
  | { kind: "purge" };

export const vmallocCalls: Calls<VmallocCall> = {
  vmalloc: (k, { address, pages, shift, keep }) => vmalloc(k, address, pages, shift, keep),
  vfree: (k, { address, pages, type }) => vfree(k, address, pages, type),
  purge: (k) => {
    purge(k);
    return "done";
  },
};
