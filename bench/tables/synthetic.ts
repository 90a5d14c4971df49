// A synthetic 4-level address space: a user half with 64k pages of 4 KiB, large and huge pages; a kernel half with global
// pages. Frames of tables and pages are scattered, so that nothing depends on their order.
import { Access, linuxControls } from "stalewalk";
import type { Page, Table, TableSet } from "../world.js";

const P = 1n;
const RW = 2n;
const US = 4n;
const PS = 128n;
const G = 256n;
const NX = 1n << 63n;
const USER_4K = 0x0000_5500_0000_0000n;
const USER_2M = 0x0000_6600_0000_0000n;
const USER_1G = 0x0000_7000_0000_0000n;
const KERNEL_4K = 0xffff_c900_0000_0000n;

/** Tables under construction. */
class Builder {
  readonly pages: Page[] = [];
  private readonly tables = new Map<number, BigUint64Array>();
  private nextTable = 0;
  private nextPage = 0;
  readonly root = this.newTable();

  private newTable(): number {
    // Odd multiplier modulo a power of two: every frame once, far apart.
    const frame = 0x1000 + ((this.nextTable++ * 40503) % 65536);
    this.tables.set(frame, new BigUint64Array(512));
    return frame;
  }

  /** Maps a page of a level with its leaf rights. */
  map(va: bigint, level: 1 | 2 | 3, rights: bigint): void {
    let frame = this.root;
    for (let at = 4; at > level; at--) {
      const table = this.tables.get(frame) as BigUint64Array;
      const index = Number((va >> BigInt(9 * at + 3)) & 511n);
      if (table[index] === 0n) table[index] = (BigInt(this.newTable()) << 12n) | US | RW | P;
      frame = Number((table[index] as bigint) >> 12n);
    }
    const target = BigInt(0x10_0000 + this.nextPage++ * 7) << BigInt(9 * level + 3);
    const table = this.tables.get(frame) as BigUint64Array;
    const large = level > 1 ? PS : 0n;
    table[Number((va >> BigInt(9 * level + 3)) & 511n)] = (target & 0x0000_ffff_ffff_ffffn) | rights | large | P;
    const user = (rights & US) !== 0n;
    const access = user ? Access.userRead : Access.supervisorRead;
    this.pages.push({ va, level, access, writable: (rights & RW) !== 0n });
  }

  get all(): Table[] {
    return [...this.tables].map(([frame, entries]) => ({ frame, entries }));
  }
}

/** Scale of the table set for half a minute. */
export const quickScale = 1 / 8;

/** The table set; `scale` 1 is 64k small pages, smaller numbers for quick checks. */
export function syntheticTables(scale = 1): TableSet {
  const builder = new Builder();
  const range = (start: bigint, count: number, level: 1 | 2 | 3, rights: bigint) => {
    const step = 1n << BigInt(9 * level + 3);
    for (let i = 0; i < Math.max(1, Math.round(count * scale)); i++)
      builder.map(start + BigInt(i) * step, level, rights);
  };
  range(USER_4K, 65536, 1, RW | US | NX);
  range(USER_2M, 512, 2, RW | US | NX);
  range(USER_1G, 8, 3, US | NX);
  range(KERNEL_4K, 4096, 1, RW | G | NX);
  return {
    name: "synthetic 4-level",
    levels: 4,
    maxPhyAddr: 52,
    root: BigInt(builder.root) << 12n,
    controls: linuxControls,
    tables: builder.all,
    pages: builder.pages,
  };
}
