// The kernel's own work on tables: find or make the table that holds an entry, visit leaves, link and unlink
// (rules.md sections 9 and 10). All through the same memory that the agents walk.

import { entryIndex, frameOf, isLeaf, type LeafLevel, type Level, levelShift, PRESENT } from "../entry.js";
import type { Mark } from "./frame-store.js";
import { alignDown, type Span } from "./geometry.js";
import type { Kernel } from "./kernel.js";

/** How tables are made on a path. */
export interface Making {
  mark: Mark;
  /** Bits of the entry that names a new table. */
  bits: bigint;
}

/** Why there is no table: nothing is there, a leaf is in the way, no frame is free, or a table is not in the store. */
export type NoTable = "none" | "large-leaf-above" | "no-free-frame" | "table-absent";

/** A table on the path of an address. */
export interface FoundTable {
  frame: number;
  level: Level;
}

/** Entry of an address in a table. */
export function entryAt(k: Kernel, { frame, level }: FoundTable, address: bigint): bigint {
  return k.memory.readEntry(frame, entryIndex(address, level)) ?? 0n;
}

/** Write the entry of an address in a table; entries of a root are copied to where the kernel keeps them too. */
export function setEntry(k: Kernel, { frame, level }: FoundTable, address: bigint, entry: bigint): void {
  const index = entryIndex(address, level);
  k.memory.writeEntry(frame, index, entry);
  if (level < k.parameters.levels) return;
  for (const copy of k.spaces.copiesOf(frame, index)) {
    k.memory.writeEntry(copy, index, entry);
    if (frame !== k.spaces.initMm) k.counters.rootSyncs += 1;
  }
}

/** The table of a level for an address under a root, made with those above it if it is not there; or why that fails. */
export function needTable(
  k: Kernel,
  root: number,
  address: bigint,
  level: Level,
  making: Making,
): FoundTable | Exclude<NoTable, "none"> {
  const table = findTable(k, root, address, level, making);
  if (table === "none") throw new Error("a table that is made is there");
  return table;
}

/** The same; without `making` nothing is made. */
export function findTable(
  k: Kernel,
  root: number,
  address: bigint,
  level: Level,
  making?: Making,
): FoundTable | NoTable {
  let table: FoundTable = { frame: root, level: k.parameters.levels };
  for (;;) {
    if (!k.memory.has(table.frame)) return "table-absent";
    if (table.level === level) return table;
    const entry = entryAt(k, table, address);
    const below = (table.level - 1) as Level;
    if ((entry & PRESENT) === 0n) {
      if (making === undefined) return "none";
      const frame = k.memory.allocateTable(below, making.mark);
      if (frame === undefined) return "no-free-frame";
      setEntry(k, table, address, (BigInt(frame) << 12n) | making.bits);
      table = { frame, level: below };
    } else {
      if (isLeaf(entry, table.level)) return "large-leaf-above";
      table = { frame: frameOf(entry), level: below };
    }
  }
}

/** An entry, where it is, and the first address that it covers. */
export interface PlacedEntry {
  table: FoundTable;
  entry: bigint;
  address: bigint;
}

/** The present entries of a table that overlap a range; `base` is the first address that the table covers. */
export function presentEntries(k: Kernel, table: FoundTable, base: bigint, range: Span): PlacedEntry[] {
  const size = 1n << BigInt(levelShift(table.level));
  const found: PlacedEntry[] = [];
  for (let index = 0; index < 512; index++) {
    const entry = k.memory.readEntry(table.frame, index) ?? 0n;
    if ((entry & PRESENT) === 0n) continue;
    const address = base + BigInt(index) * size;
    if (address < range.end && address + size > range.start) found.push({ table, address, entry });
  }
  return found;
}

/** A leaf and its level. */
export type PlacedLeaf = PlacedEntry & { level: LeafLevel };

/** Leaves under a root that lie wholly inside a range of one half, in ascending order. */
export function leavesIn(k: Kernel, root: number, range: Span): PlacedLeaf[] {
  const under = (table: FoundTable, base: bigint): PlacedLeaf[] =>
    presentEntries(k, table, base, range).flatMap((it) => {
      const { level } = table;
      const end = it.address + (1n << BigInt(levelShift(level)));
      if (isLeaf(it.entry, level)) {
        return it.address >= range.start && end <= range.end ? [{ ...it, level }] : [];
      }
      return under({ frame: frameOf(it.entry), level: (level - 1) as Level }, it.address);
    });
  return under({ frame: root, level: k.parameters.levels }, baseOfRoot(k, range));
}

/** Tables of one level that a range of one half touches, with the entries that name them, in ascending order. */
export function tablesIn(k: Kernel, root: number, range: Span, level: Level): (PlacedEntry & { frame: number })[] {
  const under = (table: FoundTable, base: bigint): (PlacedEntry & { frame: number })[] =>
    presentEntries(k, table, base, range)
      .filter(({ entry }) => !isLeaf(entry, table.level))
      .flatMap((it) => {
        const frame = frameOf(it.entry);
        const below = (table.level - 1) as Level;
        return below === level ? [{ ...it, frame }] : under({ frame, level: below }, it.address);
      });
  return under({ frame: root, level: k.parameters.levels }, baseOfRoot(k, range));
}

/** Index 0 of a root stands for address 0 in the user half; for the kernel half the upper bits are set. */
function baseOfRoot(k: Kernel, range: Span): bigint {
  return alignDown(range.start, 1n << BigInt(12 + 9 * k.parameters.levels));
}
