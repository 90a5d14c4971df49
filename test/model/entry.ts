// The bits of a paging-structure entry (rules.md section 1; SDM 4.5, tables 4-14 to 4-20), as bigints.
//
//   63   62..59   58..52    51 .......... 12   11..9   8   7      6   5   4   3   2    1    0
//   XD   key      ignored   frame (12: PAT*)   ign.    G   PS/PAT D   A   PCD PWT U/S  R/W  P
//                           * in a large leaf

/** Level of a table: 1 = PT, 2 = PD, 3 = PDPT, 4 = PML4, 5 = PML5. */
export type Level = 1 | 2 | 3 | 4 | 5;
/** Level of a leaf: 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB. */
export type LeafLevel = 1 | 2 | 3;

export const PRESENT = 1n << 0n;
export const WRITABLE = 1n << 1n;
export const USER = 1n << 2n;
export const ACCESSED = 1n << 5n;
export const DIRTY = 1n << 6n;
/** PS, at level 2 and up. */
export const PAGE_SIZE = 1n << 7n;
export const GLOBAL = 1n << 8n;
export const EXECUTE_DISABLE = 1n << 63n;

/** Mask of the bits `low` to `high`, both included; 0 if `high < low`. */
export function bits(low: number, high: number): bigint {
  return high < low ? 0n : ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
}

const FRAME = bits(12, 51);
const KEY = bits(59, 62);
/** Reserved in a large leaf, by its level: frame bits below its size, without PAT (bit 12). */
const MISALIGNED: readonly bigint[] = [0n, 0n, bits(13, 20), bits(13, 29)];

/** Bits below the index field of a level: 12, 21, 30, 39, 48. An entry of that level spans 2^shift bytes. */
export function levelShift(level: Level): number {
  return 12 + 9 * (level - 1);
}

/** Index of the entry for an address in its table of that level, 0..511. */
export function entryIndex(address: bigint, level: Level): number {
  return Number((address >> BigInt(levelShift(level))) & 0x1ffn);
}

/** Whether an entry of this level maps a page. */
export function isLeaf(entry: bigint, level: Level): level is LeafLevel {
  return level === 1 || ((level === 2 || level === 3) && (entry & PAGE_SIZE) !== 0n);
}

/** Frame number of the next table, or of a 4 KiB page. */
export function frameOf(entry: bigint): number {
  return Number((entry & FRAME) >> 12n);
}

/** Frame field of a leaf as in a cached entry: the physical address of its page, in bytes (PAT is not part of it). */
export function pageBase(entry: bigint, level: LeafLevel): bigint {
  return entry & bits(levelShift(level), 51);
}

/** Protection key field of a leaf, left in place (bits 59..62). */
export function keyField(entry: bigint): bigint {
  return entry & KEY;
}

/** Protection key of a leaf, 0..15. */
export function keyOf(entry: bigint): number {
  return Number((entry & KEY) >> 59n);
}

/** What of the reserved bits depends on the machine. */
export interface ReservedBitRules {
  /** Width of physical addresses in bits, 32..52. */
  maxPhyAddr: number;
  /** Whether 1 GiB pages exist. */
  pages1G: boolean;
  /** EFER.NXE. */
  nxe: boolean;
  /** AMD's hardware reads the entry. */
  amd: boolean;
}

/** The reserved bits that are set in a present entry (rules.md 3.3); 0 if none. */
export function reservedBitsSet(entry: bigint, level: Level, rules: ReservedBitRules): bigint {
  let reserved = bits(rules.maxPhyAddr, 51);
  if (level >= 4 || (level === 3 && !rules.pages1G)) reserved |= PAGE_SIZE;
  if (level >= 4 && rules.amd) reserved |= GLOBAL;
  if (!rules.nxe) reserved |= EXECUTE_DISABLE;
  if (isLeaf(entry, level)) reserved |= MISALIGNED[level] ?? 0n;
  return entry & reserved;
}
