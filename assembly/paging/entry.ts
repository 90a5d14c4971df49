// Bits of a paging-structure entry (SDM 4.5, tables 4-14 to 4-20), all levels:
//
//  63 62..59 58..52 51 ............ 12 11..9  8  7      6 5 4   3   2   1   0
//  XD  key   ignored  frame number     ign.   G  PS/PAT D A PCD PWT U/S R/W P
//
// Level 1 = PT, 2 = PD, 3 = PDPT, 4 = PML4, 5 = PML5.

export const P: u64 = 1;
export const RW: u64 = 1 << 1;
export const US: u64 = 1 << 2;
export const A: u64 = 1 << 5;
export const D: u64 = 1 << 6;
export const PS: u64 = 1 << 7;
export const G: u64 = 1 << 8;
export const FRAME: u64 = 0x000f_ffff_ffff_f000;
export const KEY: u64 = 0xf << 59;
export const XD: u64 = 1 << 63;

/** Software bit of a cached leaf: the page was unmapped or given away after the entry was cached. */
export const STALE: u64 = 1 << 52;

/** Bits that a path accumulates: R/W and U/S by AND, XD by OR. */
export const RIGHTS: u64 = RW | US | XD;

/** Position of the index of a level in a virtual address, and of the page size of a leaf at that level. */
// @ts-ignore: decorator
@inline
export function shiftOf(level: u32): u64 {
  return <u64>(9 * level + 3);
}

/** A leaf maps a page: level 1, or PS = 1 at level 2 or 3. */
// @ts-ignore: decorator
@inline
export function isLeaf(entry: u64, level: u32): bool {
  return level == 1 || ((entry & PS) != 0 && level <= 3);
}

/** Base of the frame a leaf maps: PAT (bit 12) and the other low bits of a large leaf are not part of it. */
// @ts-ignore: decorator
@inline
export function leafFrame(entry: u64, level: u32): u64 {
  return entry & FRAME & ~((<u64>1 << shiftOf(level)) - 1);
}

/** Rights of a path after one more entry. */
// @ts-ignore: decorator
@inline
export function accumulate(rights: u64, entry: u64): u64 {
  return (rights & entry & (RW | US)) | ((rights | entry) & XD);
}
