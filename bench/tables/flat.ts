// Flat address spaces for growth curves: so many pages side by side, or as many pages as so many tables take.
import { Access, linuxControls } from "stalewalk";
import type { Page, Table, TableSet } from "../world.js";

const RIGHTS = 0x8000_0000_0000_0007n;
const DOWN = 7n;
const BASE = 0x0000_5500_0000_0000n;
const FIRST_FRAME = 0x1000;
const FIRST_PAGE = 0x100_0000n;

/** Tables that map `pages` pages of 4 KiB, each `step` pages behind the one before. */
function build(pages: number, step: number): TableSet {
  const tables: Table[] = [];
  const newTable = (): Table => {
    const made = { frame: FIRST_FRAME + tables.length, entries: new BigUint64Array(512) };
    tables.push(made);
    return made;
  };
  const root = newTable();
  const byFrame = (frame: number): Table => tables[frame - FIRST_FRAME] as Table;
  const list: Page[] = [];
  /** The table of the last level that the page before was in: neighbours share it. */
  let last: { region: bigint; table: Table } | undefined;
  for (let i = 0; i < pages; i++) {
    const va = BASE + (BigInt(i * step) << 12n);
    const region = va >> 21n;
    let table = last?.region === region ? last.table : root;
    for (let level = 4; level > 1 && last?.region !== region; level--) {
      const index = Number((va >> BigInt(9 * level + 3)) & 511n);
      const entry = table.entries[index] as bigint;
      const next = entry === 0n ? newTable() : byFrame(Number((entry & ~RIGHTS) >> 12n));
      if (entry === 0n) table.entries[index] = (BigInt(next.frame) << 12n) | DOWN;
      table = next;
    }
    last = { region, table };
    table.entries[Number((va >> 12n) & 511n)] = ((FIRST_PAGE + BigInt(i)) << 12n) | RIGHTS;
    list.push({ va, level: 1, access: Access.userRead, writable: true });
  }
  return {
    ...{ name: "flat", levels: 4, maxPhyAddr: 52, root: BigInt(root.frame) << 12n, controls: linuxControls },
    ...{ tables, pages: list },
  };
}

/** So many pages side by side. */
export const flatTables = (pages: number): TableSet => build(pages, 1);

/** As many tables as asked for: a page in each of the last level, so that every page needs a table of its own. */
export function tablesOfFrames(frames: number): TableSet {
  // Above the tables of the last level stand one in 512, one in 512 of those, and the root.
  let last = Math.max(1, frames - 3);
  while (tablesAbove(last) + last > frames && last > 1) last--;
  return build(last, 512);
}

const tablesAbove = (last: number): number => 1 + Math.ceil(last / 512 ** 2) + Math.ceil(last / 512);
