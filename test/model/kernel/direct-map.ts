// The direct map and its like (rules.md 10.3): memory hot-add and hot-remove (remove_pagetable, kasan_remove_zero_shadow), with
// tables of several origins.

import { entryIndex, frameOf, isLeaf, type Level, levelShift, PRESENT } from "../entry.js";
import type { Calls } from "./calls.js";
import { flushAll } from "./flush.js";
import type { Mark } from "./frame-store.js";
import { HUGE, LARGE, misplacedPages, PAGE, type Span, TABLE_BITS } from "./geometry.js";
import type { Kernel } from "./kernel.js";
import { freeTable } from "./policy.js";
import type { Answer, Refusal } from "./refusals.js";
import { entryAt, type FoundTable, findTable, needTable, setEntry } from "./tables.js";
import { kernelLeaf } from "./vmalloc.js";

/** Sites of the direct map. */
export const DIRECT_MAP_SITES = { removePagetable: 2, kasanRemoveZeroShadow: 3 } as const;

/** Bits of a type: tables are boot memory; 4 KiB leaves; shadow of KASAN; 1 GiB leaves; vmemmap that HVO has split. */
export const TYPE = { boot: 1, small: 2, kasan: 4, huge: 8, hvo: 16 } as const;

function blocksOf(k: Kernel, start: bigint, blocks: number): { range: Span; starts: bigint[] } | Refusal {
  const range = { start, end: start + BigInt(blocks) * LARGE };
  const wrong = misplacedPages(k.parameters.levels, "kernel", range, LARGE);
  if (wrong !== undefined) return wrong;
  return { range, starts: Array.from({ length: blocks }, (_, block) => start + BigInt(block) * LARGE) };
}

/** Map blocks of 2 MiB; what is there already stays. Refused if out of range, not whole GiB of 1 GiB leaves, or out of frames. */
export function hotAdd(k: Kernel, address: bigint, blocks: number, type: number): Answer {
  const has = (bit: number): boolean => (type & bit) !== 0;
  const found = blocksOf(k, address, blocks);
  if (typeof found === "string") return found;
  const { start, end } = found.range;
  const level = has(TYPE.small) || has(TYPE.hvo) ? 1 : has(TYPE.huge) ? 3 : 2;
  if (level === 3 && (start % HUGE !== 0n || end % HUGE !== 0n)) return "not-aligned";
  const mark: Mark = has(TYPE.boot) ? "boot" : has(TYPE.kasan) ? "kernel" : "none";
  const bits = TABLE_BITS;
  const piece = level === 3 ? HUGE : LARGE;
  for (let at = start; at < end; at += piece) {
    const upper = needTable(k, k.spaces.initMm, at, level === 3 ? 3 : 2, { mark, bits });
    if (upper === "large-leaf-above") continue;
    if (typeof upper === "string") return upper;
    const lower = level === 1 ? lowerTable(k, at, has(TYPE.hvo) ? "kernel" : mark) : upper;
    if (lower === "large-leaf-above") continue;
    if (typeof lower === "string") return lower;
    const step = level === 1 ? PAGE : piece;
    for (let page = at; page < at + piece; page += step) {
      if ((entryAt(k, lower, page) & PRESENT) === 0n) setEntry(k, lower, page, kernelLeaf(k, level));
    }
  }
  return "done";
}

function lowerTable(k: Kernel, address: bigint, mark: Mark): FoundTable | "large-leaf-above" | Refusal {
  return needTable(k, k.spaces.initMm, address, 1, { mark, bits: TABLE_BITS });
}

/** Unmap blocks of 2 MiB and free the tables that are empty then: free before clear, as in the kernel. Refused if out of range. */
export function hotRemove(k: Kernel, address: bigint, blocks: number, type: number): Answer {
  const found = blocksOf(k, address, blocks);
  if (typeof found === "string") return found;
  const kasan = (type & TYPE.kasan) !== 0;
  const site = kasan ? DIRECT_MAP_SITES.kasanRemoveZeroShadow : DIRECT_MAP_SITES.removePagetable;
  const { initMm } = k.spaces;
  const { levels } = k.parameters;
  const { end } = found.range;
  let freed = false;
  const flush = (freesTable: boolean, point: string, at: bigint): void => {
    if (kasan) return;
    flushAll(k, freesTable);
    k.points.reach(point, at);
  };
  const freeAndUnlink = (level: Level, frame: number, parent: FoundTable, at: bigint): void => {
    const name = `${kasan ? "KASAN" : "UNPLUG"}_${["", "PT", "PD", "PDPT", "PML4"][level]}`;
    freeTable(k, frame, site);
    freed = true;
    k.points.reach(`${name}_FREED`, frame);
    // In the root of init_mm alone: nobody copies a clear.
    k.memory.writeEntry(parent.frame, entryIndex(at, parent.level), 0n);
    k.points.reach(`${name}_CLEARED`, at);
  };
  /** The entry of a level for an address, if it names a table of the store. */
  const namedAt = (at: bigint, level: Level): { holder: FoundTable; frame: number } | undefined => {
    const holder = findTable(k, initMm, at, level);
    if (typeof holder === "string") return undefined;
    const entry = entryAt(k, holder, at);
    if ((entry & PRESENT) === 0n || isLeaf(entry, level) || !k.memory.has(frameOf(entry))) return undefined;
    return { holder, frame: frameOf(entry) };
  };
  const clearLeaf = (at: bigint, level: Level): void => {
    const holder = findTable(k, initMm, at, level);
    if (typeof holder === "string") return;
    const entry = entryAt(k, holder, at);
    if ((entry & PRESENT) !== 0n && isLeaf(entry, level)) setEntry(k, holder, at, 0n);
  };

  for (const block of found.starts) {
    const next = block + LARGE;
    if (block % HUGE === 0n && end - block >= HUGE) clearLeaf(block, 3);
    clearLeaf(block, 2);
    const pt = namedAt(block, 2);
    if (pt !== undefined) {
      for (let index = 0; index < 512; index++) k.memory.writeEntry(pt.frame, index, 0n);
      flush(true, "UNPLUG_PTES_FLUSHED", block);
      if (k.memory.isEmpty(pt.frame)) freeAndUnlink(1, pt.frame, pt.holder, block);
    }
    const highest = kasan ? levels - 1 : levels - 2;
    for (let level: Level = 2; level <= highest; level = (level + 1) as Level) {
      if (next !== end && next % (1n << BigInt(levelShift((level + 1) as Level))) !== 0n) break;
      const table = namedAt(block, (level + 1) as Level);
      if (table !== undefined && k.memory.isEmpty(table.frame)) freeAndUnlink(level, table.frame, table.holder, block);
    }
  }
  flush(freed, "UNPLUG_FLUSHED", found.range.start);
  return "done";
}

/** Operations on the direct map. */
export type DirectMapCall = {
  kind: "hot-add" | "hot-remove";
  address: bigint;
  blocks: number;
  /** Bits of `TYPE`. */
  type: number;
};

export const directMapCalls: Calls<DirectMapCall> = {
  "hot-add": (k, { address, blocks, type }) => hotAdd(k, address, blocks, type),
  "hot-remove": (k, { address, blocks, type }) => hotRemove(k, address, blocks, type),
};
