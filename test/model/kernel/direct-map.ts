// The direct map (rules.md 10.3, 10.4): memory hot-add and hot-remove (remove_pagetable, kasan_remove_zero_shadow), and changes
// of attributes that split a large page and collapse it again (__split_large_page, cpa_collapse_large_pages).

import { frameOf, isLeaf, PAGE_SIZE, PRESENT } from "../entry.js";
import type { Calls } from "./calls.js";
import { flushAll } from "./flush.js";
import {
  alignDown,
  HUGE,
  KERNEL_LEAF_BITS,
  KERNEL_TABLE_BITS,
  LARGE,
  misplaced,
  misplacedPages,
  PAGE,
  type Span,
  TABLE_BITS,
} from "./geometry.js";
import type { Kernel } from "./kernel.js";
import { freeTable } from "./policy.js";
import type { Answer, Refusal } from "./refusals.js";
import { entryAt, type FoundTable, findTable, needTable, setEntry } from "./tables.js";
import { kernelLeaf } from "./vmalloc.js";

/** Sites of the direct map. */
export const DIRECT_MAP_SITES = { removePagetable: 2, kasanRemoveZeroShadow: 3, cpaCollapse: 4 } as const;

/** Bits of a type: tables are boot memory; 4 KiB leaves; shadow of KASAN. */
export const TYPE = { boot: 1, small: 2, kasan: 4 } as const;

function blocksOf(k: Kernel, start: bigint, blocks: number): { range: Span; starts: bigint[] } | Refusal {
  const range = { start, end: start + BigInt(blocks) * LARGE };
  const wrong = misplacedPages(k.parameters.levels, "kernel", range, LARGE);
  if (wrong !== undefined) return wrong;
  return { range, starts: Array.from({ length: blocks }, (_, block) => start + BigInt(block) * LARGE) };
}

/** Map blocks of 2 MiB; what is there already stays. Refused if out of range or out of frames. */
export function hotAdd(k: Kernel, address: bigint, blocks: number, type: number): Answer {
  const making = {
    mark: (type & TYPE.boot) !== 0 ? ("boot" as const) : ("kernel" as const),
    bits: (type & TYPE.kasan) !== 0 ? KERNEL_TABLE_BITS : TABLE_BITS,
  };
  const small = (type & TYPE.small) !== 0;
  const found = blocksOf(k, address, blocks);
  if (typeof found === "string") return found;
  for (const block of found.starts) {
    const table = needTable(k, k.spaces.initMm, block, small ? 1 : 2, making);
    if (table === "large-leaf-above") continue;
    if (typeof table === "string") return table;
    for (let at = block; at < block + LARGE; at += small ? PAGE : LARGE) {
      if ((entryAt(k, table, at) & PRESENT) === 0n) setEntry(k, table, at, kernelLeaf(k, small ? 1 : 2));
    }
  }
  return "done";
}

/** Unmap blocks of 2 MiB and free the tables that are empty then: free before clear, as in the kernel. Refused if out of range. */
export function hotRemove(k: Kernel, address: bigint, blocks: number, type: number): Answer {
  const found = blocksOf(k, address, blocks);
  if (typeof found === "string") return found;
  const kasan = (type & TYPE.kasan) !== 0;
  const site = kasan ? DIRECT_MAP_SITES.kasanRemoveZeroShadow : DIRECT_MAP_SITES.removePagetable;
  let freed = false;
  const flush = (freesTable: boolean, point: string, at: bigint): void => {
    if (kasan) return;
    flushAll(k, freesTable);
    k.points.reach(point, at);
  };
  const freeAndUnlink = (table: "PT" | "PD", frame: number, parent: FoundTable, at: bigint): void => {
    const name = `${kasan ? "KASAN" : "UNPLUG"}_${table}`;
    freeTable(k, frame, site);
    freed = true;
    k.points.reach(`${name}_FREED`, frame);
    setEntry(k, parent, at, 0n);
    k.points.reach(`${name}_CLEARED`, at);
  };

  for (const block of found.starts) {
    const pd = findTable(k, k.spaces.initMm, block, 2);
    if (typeof pd === "string") continue;
    const entry = entryAt(k, pd, block);
    const pt = frameOf(entry);
    if ((entry & PRESENT) !== 0n && isLeaf(entry, 2)) {
      setEntry(k, pd, block, 0n);
    } else if ((entry & PRESENT) !== 0n && k.memory.has(pt)) {
      for (let index = 0; index < 512; index++) k.memory.writeEntry(pt, index, 0n);
      flush(true, "UNPLUG_PTES_FLUSHED", block);
      if (k.memory.isEmpty(pt)) freeAndUnlink("PT", pt, pd, block);
    }
    const lastOfPd = block + LARGE === found.range.end || (block + LARGE) % HUGE === 0n;
    const pdpt = findTable(k, k.spaces.initMm, block, 3);
    if (lastOfPd && typeof pdpt !== "string" && k.memory.isEmpty(pd.frame)) freeAndUnlink("PD", pd.frame, pdpt, block);
  }
  flush(freed, "UNPLUG_FLUSHED", found.range.start);
  return "done";
}

/** The PD entry of a kernel address; undefined if there is none. */
function pdEntry(k: Kernel, address: bigint): { pd: FoundTable; entry: bigint } | undefined {
  const pd = findTable(k, k.spaces.initMm, address, 2);
  return typeof pd === "string" ? undefined : { pd, entry: entryAt(k, pd, address) };
}

/** A 2 MiB leaf becomes a table of 4 KiB leaves. Refused if it is none, or no frame is free. */
export function cpaSplit(k: Kernel, address: bigint): Answer {
  const wrong = misplaced(k.parameters.levels, "kernel", { start: address, end: address + 1n });
  if (wrong !== undefined) return wrong;
  const found = pdEntry(k, address);
  if (found === undefined || (found.entry & PRESENT) === 0n || !isLeaf(found.entry, 2)) return "no-large-leaf";
  const pt = k.memory.allocateTable(1, k.traits.splitsMarked ? "kernel" : "none");
  if (pt === undefined) return "no-free-frame";
  for (let index = 0; index < 512; index++) {
    k.memory.writeEntry(pt, index, (found.entry & ~PAGE_SIZE) + BigInt(index) * PAGE);
  }
  setEntry(k, found.pd, address, (BigInt(pt) << 12n) | KERNEL_TABLE_BITS);
  k.points.reach("SPLIT_INSTALLED", address);
  flushAll(k, false);
  k.points.reach("SPLIT_FLUSHED", address);
  return "done";
}

/** A table of 4 KiB leaves becomes a 2 MiB leaf again; the table is freed last. Refused if the entry names no table. */
export function cpaCollapse(k: Kernel, address: bigint): Answer {
  if (!k.traits.collapses) return "not-in-this-kernel";
  const wrong = misplaced(k.parameters.levels, "kernel", { start: address, end: address + 1n });
  if (wrong !== undefined) return wrong;
  const found = pdEntry(k, address);
  if (found === undefined || (found.entry & PRESENT) === 0n || isLeaf(found.entry, 2)) return "no-page-table";
  const pt = frameOf(found.entry);
  const first = k.memory.readEntry(pt, 0);
  if (first === undefined) return "table-absent";
  const target = alignDown(BigInt(frameOf(first)), 512n);
  setEntry(k, found.pd, address, (target << 12n) | KERNEL_LEAF_BITS | PAGE_SIZE);
  k.points.reach("COLLAPSE_INSTALLED", address);
  flushAll(k, true);
  k.points.reach("COLLAPSE_FLUSHED", address);
  freeTable(k, pt, DIRECT_MAP_SITES.cpaCollapse);
  k.points.reach("COLLAPSE_PT_FREED", pt);
  return "done";
}

/** Operations on the direct map. */
export type DirectMapCall =
  /** `type` bit 0: boot memory, bit 1: 4 KiB leaves, bit 2: KASAN shadow. */
  | { kind: "hot-add" | "hot-remove"; address: bigint; blocks: number; type: number }
  | { kind: "cpa-split" | "cpa-collapse"; address: bigint };

export const directMapCalls: Calls<DirectMapCall> = {
  "hot-add": (k, { address, blocks, type }) => hotAdd(k, address, blocks, type),
  "hot-remove": (k, { address, blocks, type }) => hotRemove(k, address, blocks, type),
  "cpa-split": (k, { address }) => cpaSplit(k, address),
  "cpa-collapse": (k, { address }) => cpaCollapse(k, address),
};
