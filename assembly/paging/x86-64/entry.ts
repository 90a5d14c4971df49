// Entries of x86-64 page tables, 4 and 5 levels (SDM 4.5, tables 4-14 to 4-20). Level 1 = PT, 2 = PD, 3 = PDPT, 4 = PML4, 5 = PML5.
//
//  an entry
//  63 62..59 58..52 51 ............ 12 11..9  8  7      6 5 4   3   2   1   0
//  XD  pkey  ignored  frame number     ign.   G  PS/PAT D A PCD PWT U/S R/W P
//
// What a cache keeps of a leaf, and of a path, is in the same positions: cumulative R/W, U/S, XD; the leaf's D, G, pkey; P and A
// are 1. Bits 52 and 53 are ignored by the hardware: there a cached leaf is marked stale.

import { OK_LEVEL_SHIFT } from "../outcome";

export const P: u64 = 1;
export const RW: u64 = 1 << 1;
export const US: u64 = 1 << 2;
const A: u64 = 1 << 5;
export const D: u64 = 1 << 6;
export const PS: u64 = 1 << 7;
export const G: u64 = 1 << 8;
export const XD: u64 = 1 << 63;
export const PKEY: u64 = 0xf << 59;
export const PKEY_SHIFT: u64 = 59;
const FRAME: u64 = 0x000f_ffff_ffff_f000;

// ---- geometry ----
export const PAGE_SHIFT: u32 = 12;
/** Bits of an address that index a table. */
export const INDEX_BITS: u32 = 9;
export const ENTRIES: u32 = 1 << INDEX_BITS;
/** Bits of a frame number. */
export const FRAME_BITS: u64 = 40;
export const MAX_LEVELS: u32 = 5;
/** Leaves lie at levels 1 to this one (1 GiB pages). */
export const MAX_LEAF_LEVEL: u32 = 3;
/** Bits that the level of a leaf takes in the key of a cached translation. */
export const LEAF_LEVEL_BITS: u64 = 2;

if (MAX_LEAF_LEVEL >= 1 << <u32>LEAF_LEVEL_BITS) ERROR("LEAF_LEVEL_BITS are too few for MAX_LEAF_LEVEL");
if (PAGE_SHIFT != INDEX_BITS + 3) ERROR("a table of 8-byte entries does not fill a frame");

/** Position of the index of a level in a virtual address, and of the page size of a leaf at that level. */
// @ts-ignore: decorator
@inline
export function shiftOf(level: u32): u64 {
  return <u64>(INDEX_BITS * level + (PAGE_SHIFT - INDEX_BITS));
}

// ---- an entry ----

// @ts-ignore: decorator
@inline
export function isPresent(entry: u64): bool {
  return (entry & P) != 0;
}

/** A leaf maps a page: level 1, or PS = 1 at level 2 or 3. */
// @ts-ignore: decorator
@inline
export function isLeaf(entry: u64, level: u32): bool {
  return level == 1 || ((entry & PS) != 0 && level <= MAX_LEAF_LEVEL);
}

/** Frame number of the table that a non-leaf entry names. */
// @ts-ignore: decorator
@inline
export function frameIn(entry: u64): u64 {
  return (entry & FRAME) >> PAGE_SHIFT;
}

/** Frame number of a root: bits 0..11 and 52..63 of CR3 (or of a PASID-table entry) do not matter. */
// @ts-ignore: decorator
@inline
export function rootFrame(address: u64): u64 {
  return (address & FRAME) >> PAGE_SHIFT;
}

/** Set in a non-leaf entry that a walk need not write to. */
export const PLAIN: u64 = P | A;

/** The marks that the hardware sets in a non-leaf entry on the way down. */
export const TABLE_MARKS: u64 = A;

/** The marks that a completed access sets in the leaf. */
// @ts-ignore: decorator
@inline
export function leafMarks(write: bool): u64 {
  return write ? A | D : A;
}

/** Whether the hardware has noted in a leaf that it was used. */
// @ts-ignore: decorator
@inline
export function isAccessed(entry: u64): bool {
  return (entry & A) != 0;
}

// ---- rights of a path ----
const RIGHTS: u64 = RW | US | XD;
/** A path that has met no entry yet. */
export const FULL_RIGHTS: u64 = RW | US;

/** R/W and U/S by AND, XD by OR. */
// @ts-ignore: decorator
@inline
export function accumulate(rights: u64, entry: u64): u64 {
  return (rights & entry & (RW | US)) | ((rights | entry) & XD);
}

/** The right of a path that lets user accesses go on. */
export const USER_REACHABLE: u64 = US;

/** Whether user accesses may go on (a path), or may use the page (a cached leaf). */
// @ts-ignore: decorator
@inline
export function isUserReachable(rights: u64): bool {
  return (rights & USER_REACHABLE) != 0;
}

/** Whether a cached leaf may be written. */
// @ts-ignore: decorator
@inline
export function isWritable(leaf: u64): bool {
  return (leaf & RW) != 0;
}

// ---- what paging-structure caches keep ----

// @ts-ignore: decorator
@inline
export function cachedPath(entry: u64, rights: u64): u64 {
  return (entry & FRAME) | rights | P | A;
}

// @ts-ignore: decorator
@inline
export function rightsOfPath(path: u64): u64 {
  return path & RIGHTS;
}

// ---- what translation caches keep ----
/** The page was unmapped or given away after the leaf was cached. */
export const STALE: u64 = 1 << 52;
/** The page was made read-only after the leaf was cached. */
export const STALE_RIGHTS: u64 = 1 << 53;

/** Whether a leaf answers under every tag: G, if the context honours it. */
// @ts-ignore: decorator
@inline
export function isGlobalLeaf(entry: u64, rights: u64): bool {
  return (entry & G) != 0;
}

/** A leaf as it is cached. PAT (bit 12) and the other low bits of a large leaf are no part of its frame. */
// @ts-ignore: decorator
@inline
export function cachedLeaf(entry: u64, level: u32, va: u64, rights: u64, global: bool): u64 {
  const frame = entry & FRAME & ~((<u64>1 << shiftOf(level)) - 1);
  return frame | (entry & (D | PKEY)) | rights | (global ? G : 0) | P | A;
}

/** A cached leaf once the marks of an access are set in its entry. */
// @ts-ignore: decorator
@inline
export function withMarks(leaf: u64, marks: u64): u64 {
  return leaf | (marks & D);
}

// @ts-ignore: decorator
@inline
export function isCachedGlobal(leaf: u64): bool {
  return (leaf & G) != 0;
}

/** Physical address that a cached leaf gives, and the level of the leaf, as an outcome has them. */
// @ts-ignore: decorator
@inline
export function answerOf(leaf: u64, level: u32, va: u64): u64 {
  return (leaf & FRAME) | (va & (((<u64>1) << shiftOf(level)) - 1)) | (<u64>level << OK_LEVEL_SHIFT);
}

/** Frame number of the page that a cached leaf maps (its first 4 KiB). */
// @ts-ignore: decorator
@inline
export function frameOfLeaf(leaf: u64): u64 {
  return (leaf & FRAME) >> PAGE_SHIFT;
}

// ---- what a kernel writes (arch/x86/include/asm/pgtable_types.h) ----
/** `_PAGE_TABLE` and `_KERNPG_TABLE`: bits of non-leaf entries. */
export const PAGE_TABLE: u64 = P | RW | US | A | D;
export const KERNPG_TABLE: u64 = P | RW | A | D;
/** PAGE_KERNEL: a leaf of the kernel's. */
export const PAGE_KERNEL: u64 = P | RW | A | D | G | XD;
/** A leaf of a process's, as mmap makes it and as an attacker forges it. */
export const PAGE_USER: u64 = P | RW | US | A | XD;
export const PAGE_FORGED: u64 = P | RW | US;

/** An entry that names a table. */
// @ts-ignore: decorator
@inline
export function tableEntry(frame: u64, bits: u64): u64 {
  assert((frame << PAGE_SHIFT & ~FRAME) == 0, "the frame number is too wide");
  assert((bits & FRAME) == 0, "bits of an entry name no frame");
  return (frame << PAGE_SHIFT) | bits;
}

/** A leaf of a level with these bits, for the page at a physical address. */
// @ts-ignore: decorator
@inline
export function leafEntry(address: u64, level: u32, bits: u64): u64 {
  assert(level >= 1 && level <= MAX_LEAF_LEVEL, "no leaf is of this level");
  assert((bits & FRAME) == 0, "bits of an entry name no frame");
  return (address & FRAME) | bits | (level > 1 ? PS : 0);
}

/** Physical address of the page of a leaf entry, aligned to the size of `level`. */
// @ts-ignore: decorator
@inline
export function addressIn(entry: u64, level: u32): u64 {
  return entry & FRAME & ~((<u64>1 << shiftOf(level)) - 1);
}

/** Bits of a large leaf as its 4 KiB pieces have them. */
// @ts-ignore: decorator
@inline
export function bitsOfPieces(entry: u64): u64 {
  return entry & ~FRAME & ~PS;
}

/** The leaf of the page that follows in memory, with the same bits. */
// @ts-ignore: decorator
@inline
export function nextLeaf(entry: u64, level: u32): u64 {
  return entry + ((<u64>1) << shiftOf(level));
}

/** The leaf one level up that begins with the page of this one, with its bits. */
// @ts-ignore: decorator
@inline
export function largerLeaf(entry: u64): u64 {
  return entry | PS;
}

// @ts-ignore: decorator
@inline
export function readOnly(entry: u64): u64 {
  return entry & ~RW;
}
