// The entries of a vector: the chain from the root table down, as recorded.

import type { Fields } from "./fields.js";

/** One entry of the chain. */
export interface VectorEntry {
  /** Frame number of the table. */
  frame: number;
  index: number;
  before: bigint;
  /** As the emulator left it; exact only if the emulator completed the access. */
  after: bigint;
}

/** What the tables of a line must agree with. */
export interface TablesRule {
  /** Frame number of the root table, and the field that names it. */
  root: number;
  rootField: string;
  /** Width of physical addresses. */
  physicalBits: bigint;
}

/** Reads the entries; a slot that serves at several levels must say the same each time. */
export function parseTables(list: readonly Fields[], { root, rootField, physicalBits }: TablesRule): VectorEntry[] {
  const tables: VectorEntry[] = [];
  for (const it of list) {
    const address = it.hex("pa");
    if ((address & 0xfffn) !== 0n || address >> physicalBits !== 0n) {
      throw it.wrong("pa", `a page-aligned address below 2^${physicalBits}`);
    }
    const frame = Number(address >> 12n);
    if (tables.length === 0 && frame !== root) throw it.wrong("pa", `the page that ${rootField} names`);
    const index = it.integer("index", 0, 511);
    const before = it.hex("before");
    const after = it.hex("after");
    for (const other of tables) {
      if (other.frame !== frame || other.index !== index) continue;
      if (other.before !== before) throw it.wrong("before", "the value given for the same slot further up");
      if (other.after !== after) throw it.wrong("after", "the value given for the same slot further up");
    }
    tables.push({ frame, index, before, after });
  }
  return tables;
}
