// Where the levels of a walk stand in an address.

import { entries, indexBits, pageShift } from "../engine/abi.js";

/** Position of the index of a level in a virtual address, and log2 of the bytes that an entry of that level covers. */
export function shiftOf(level: number): number {
  return pageShift + indexBits * (level - 1);
}

/** Index of an address in a table of a level. */
export function indexAt(address: bigint, level: number): number {
  return Number((address >> BigInt(shiftOf(level))) & BigInt(entries - 1));
}
