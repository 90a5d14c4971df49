// Where the levels of a walk stand in an address.

import { entries, indexBits, pageShift } from "../engine/abi.js";

const PS = 0x80n;
/** A 1 GiB page is the largest. */
const MAX_LEAF_LEVEL = 3;

/** Whether an entry of a level maps a page, if it is present: at level 1, or with PS = 1 at level 2 or 3. */
export function isLeaf(entry: bigint, level: number): boolean {
  return level === 1 || (level <= MAX_LEAF_LEVEL && (entry & PS) !== 0n);
}

/** Position of the index of a level in a virtual address, and log2 of the bytes that an entry of that level covers. */
export function shiftOf(level: number): number {
  return pageShift + indexBits * (level - 1);
}

/** Index of an address in a table of a level. */
export function indexAt(address: bigint, level: number): number {
  return Number((address >> BigInt(shiftOf(level))) & BigInt(entries - 1));
}
