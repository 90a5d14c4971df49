// Changes of attributes (rules.md 10.4): large pages are split and collapsed again (__split_large_page,
// cpa_collapse_large_pages).

import { frameOf, isLeaf, type Level, PAGE_SIZE, PRESENT } from "../entry.js";
import type { Calls } from "./calls.js";
import { flushAll } from "./flush.js";
import { KERNEL_TABLE_BITS, misplaced, PAGE } from "./geometry.js";
import type { Kernel } from "./kernel.js";
import { freeTable } from "./policy.js";
import type { Answer } from "./refusals.js";
import { entryAt, type FoundTable, findTable, setEntry } from "./tables.js";

/** The site of collapses. */
export const CPA_SITE = 4;

/** The entry of a level for a kernel address, and the table that holds it. */
function placeOf(k: Kernel, address: bigint, level: Level): { holder: FoundTable; entry: bigint } | undefined {
  const holder = findTable(k, k.spaces.initMm, address, level);
  return typeof holder === "string" ? undefined : { holder, entry: entryAt(k, holder, address) };
}

const SIZE = { 1: PAGE, 2: PAGE << 9n, 3: PAGE << 18n } as const;

/** A leaf of 1 GiB or 2 MiB becomes a table of leaves a level below. Refused if there is none, or no frame is free. */
export function cpaSplit(k: Kernel, address: bigint): Answer {
  const wrong = misplaced(k.parameters.levels, "kernel", { start: address, end: address + 1n });
  if (wrong !== undefined) return wrong;
  for (const level of [3, 2] as const) {
    const place = placeOf(k, address, level);
    if (place === undefined || (place.entry & PRESENT) === 0n || !isLeaf(place.entry, level)) continue;
    const below = (level - 1) as 1 | 2;
    const table = k.memory.allocateTable(below, k.traits.splitsMarked ? "kernel" : "none");
    if (table === undefined) return "no-free-frame";
    const first = below === 1 ? place.entry & ~PAGE_SIZE : place.entry;
    for (let index = 0; index < 512; index++) k.memory.writeEntry(table, index, first + BigInt(index) * SIZE[below]);
    setEntry(k, place.holder, address, (BigInt(table) << 12n) | KERNEL_TABLE_BITS);
    k.points.reach("SPLIT_INSTALLED", address);
    flushAll(k, false);
    k.points.reach("SPLIT_FLUSHED", address);
    return "done";
  }
  return "no-large-leaf";
}

/** The leaf that can take the place of a table of a level: 512 leaves in a row, alike, from where a large page may begin. */
function collapsed(k: Kernel, table: number, level: 1 | 2): bigint | undefined {
  const entries = Array.from({ length: 512 }, (_, index) => k.memory.readEntry(table, index) ?? 0n);
  const [first = 0n] = entries;
  const isRow = entries.every(
    (entry, index) => (entry & PRESENT) !== 0n && isLeaf(entry, level) && entry === first + BigInt(index) * SIZE[level],
  );
  const aligned = (BigInt(frameOf(first)) << 12n) % (SIZE[level] << 9n) === 0n;
  return isRow && aligned ? first | PAGE_SIZE : undefined;
}

/** Tables of leaves that belong together become leaves again; they are freed last. */
export function cpaCollapse(k: Kernel, address: bigint): Answer {
  if (!k.traits.collapses) return "not-in-this-kernel";
  const wrong = misplaced(k.parameters.levels, "kernel", { start: address, end: address + 1n });
  if (wrong !== undefined) return wrong;
  const place = placeOf(k, address, 2);
  if (place === undefined || (place.entry & PRESENT) === 0n || isLeaf(place.entry, 2)) return "no-page-table";
  const pt = frameOf(place.entry);
  if (!k.memory.has(pt)) return "table-absent";
  const leaf = collapsed(k, pt, 1);
  if (leaf === undefined) return "leaves-differ";
  setEntry(k, place.holder, address, leaf);
  k.points.reach("COLLAPSE_INSTALLED", address);

  const upper = placeOf(k, address, 3);
  const pd = upper !== undefined && !isLeaf(upper.entry, 3) ? frameOf(upper.entry) : undefined;
  const larger = pd !== undefined && k.parameters.pages1G ? collapsed(k, pd, 2) : undefined;
  if (upper !== undefined && larger !== undefined) {
    setEntry(k, upper.holder, address, larger);
    k.points.reach("COLLAPSE_PD_INSTALLED", address);
  }
  flushAll(k, true);
  k.points.reach("COLLAPSE_FLUSHED", address);
  if (pd !== undefined && larger !== undefined) {
    freeTable(k, pd, CPA_SITE);
    k.points.reach("COLLAPSE_PD_FREED", pd);
  }
  freeTable(k, pt, CPA_SITE);
  k.points.reach("COLLAPSE_PT_FREED", pt);
  return "done";
}

/** Changes of attributes. */
export type AttributesCall = { kind: "cpa-split" | "cpa-collapse"; address: bigint };

export const attributesCalls: Calls<AttributesCall> = {
  "cpa-split": (k, { address }) => cpaSplit(k, address),
  "cpa-collapse": (k, { address }) => cpaCollapse(k, address),
};
