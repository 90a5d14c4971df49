// Builds page tables for tests: map an address, and the tables on the way to it are made.

import type { Frames } from "../../src/index.js";

export const P = 1n;
export const RW = 1n << 1n;
export const US = 1n << 2n;
export const A = 1n << 5n;
export const D = 1n << 6n;
export const PS = 1n << 7n;
export const G = 1n << 8n;
export const XD = 1n << 63n;
/** A present, writable user page. */
export const USER_PAGE = P | RW | US;

/** Makes tables in a frame store, from a frame number upwards. */
export class Tables {
  /** Frame number of the root table. */
  readonly root: number;
  #next: number;

  constructor(
    readonly frames: Frames,
    readonly levels: 4 | 5 = 4,
    firstFrame = 0x1000,
  ) {
    this.#next = firstFrame;
    this.root = this.#newTable(levels);
  }

  #newTable(level: number): number {
    this.frames.setTable(this.#next, undefined, level);
    return this.#next++;
  }

  /** Physical address of the root. */
  get cr3(): bigint {
    return BigInt(this.root) << 12n;
  }

  /** Physical address of the entry of a level for an address; the tables above it are made. */
  slot(va: bigint, level: number): bigint {
    let frame = this.root;
    for (let at: number = this.levels; at > level; at--) {
      const view = this.frames.view(frame)!;
      const index = indexOf(va, at);
      if (view[index] === 0n) view[index] = (BigInt(this.#newTable(at - 1)) << 12n) | USER_PAGE;
      frame = Number((view[index]! & 0x000f_ffff_ffff_f000n) >> 12n);
    }
    return (BigInt(frame) << 12n) + BigInt(indexOf(va, level) * 8);
  }

  /** Maps a page; a leaf at level 2 or 3 gets PS. */
  map(va: bigint, frame: number | bigint, bits = USER_PAGE, level = 1): void {
    this.frames.writeEntry(this.slot(va, level), (BigInt(frame) << 12n) | bits | (level > 1 ? PS : 0n));
  }
}

/** Index of an address in a table of a level. */
export function indexOf(va: bigint, level: number): number {
  return Number((va >> BigInt(9 * level + 3)) & 511n);
}

/** Address of a 4 KiB page by its number. */
export function pageAt(number: number): bigint {
  return BigInt(number) << 12n;
}
