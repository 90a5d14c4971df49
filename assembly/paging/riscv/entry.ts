// Entries of RISC-V page tables: Sv39, Sv48, Sv57 (privileged specification, chapters "Supervisor-Level ISA", Svnapot, Svpbmt).
// Levels count from 1 (level 0 of the specification) to 3, 4 or 5; a leaf may lie at any of them.
//
//  an entry
//  63 62..61 60..54 53 ............ 10 9..8 7 6 5 4 3 2 1 0
//  N  PBMT   res.   frame number       RSW  D A G U X W R V
//
//  what a translation cache keeps of a leaf
//  63..56 55 ............ 12 11           10    9     8      7 6 5 4 3 2 1 0
//  0      frame number       STALE_RIGHTS NAPOT STALE R or X D A G U X W R V
//
// What a paging-structure cache keeps of a path: the frame number as in an entry, U, and G if any entry so far had it. Rights
// are those of the leaf alone, so a path refuses nobody: its U is 1. A page of 64 KiB (NAPOT) is cached as the 4 KiB around the
// address, one translation each; the bit NAPOT says of what it is a piece.

export const V: u64 = 1;
export const R: u64 = 1 << 1;
export const W: u64 = 1 << 2;
export const X: u64 = 1 << 3;
export const U: u64 = 1 << 4;
export const G: u64 = 1 << 5;
export const A: u64 = 1 << 6;
export const D: u64 = 1 << 7;
const FRAME_SHIFT: u64 = 10;
/** Bits of a frame number. */
export const FRAME_BITS: u64 = 44;
const FRAME: u64 = ((1 << FRAME_BITS) - 1) << FRAME_SHIFT;
export const RESERVED_BITS: u64 = 0x7f << 54;
export const PBMT: u64 = 3 << 61;
export const N: u64 = 1 << 63;

/** The low bits of the frame number of a NAPOT leaf, and what they are for the one size that there is. */
export const NAPOT_SIZE: u64 = 0xf << FRAME_SHIFT;
export const NAPOT_64K: u64 = 8 << FRAME_SHIFT;
/** A page of 64 KiB is 2^4 times 4 KiB. */
const NAPOT_BITS: u64 = 4;

// ---- geometry ----
export const PAGE_SHIFT: u32 = 12;
/** Bits of an address that index a table. */
export const INDEX_BITS: u32 = 9;
export const ENTRIES: u32 = 1 << INDEX_BITS;
export const MAX_LEVELS: u32 = 5;
/** Leaves lie at every level (256 TiB pages in Sv57). */
export const MAX_LEAF_LEVEL: u32 = 5;
/** Bits that the level of a leaf takes in the key of a cached translation. */
export const LEAF_LEVEL_BITS: u64 = 3;

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
  return (entry & V) != 0;
}

/** A leaf maps a page: it may be read or executed. At level 1 a pointer is malformed (rights.ts). */
// @ts-ignore: decorator
@inline
export function isLeaf(entry: u64, level: u32): bool {
  return (entry & (R | X)) != 0;
}

/** Frame number of the table that a non-leaf entry (or a cached path) names. */
// @ts-ignore: decorator
@inline
export function frameIn(entry: u64): u64 {
  return (entry & FRAME) >> FRAME_SHIFT;
}

/** Frame number of a root table by its physical address. */
// @ts-ignore: decorator
@inline
export function rootFrame(address: u64): u64 {
  return (address >> PAGE_SHIFT) & ((1 << FRAME_BITS) - 1);
}

/** The hardware marks leaves only. */
export const TABLE_MARKS: u64 = 0;

/** The marks that a completed access leaves in the leaf. Without Svadu they are there already, or the access is refused. */
// @ts-ignore: decorator
@inline
export function leafMarks(write: bool): u64 {
  return write ? A | D : A;
}

/** Whether a leaf is noted as used. */
// @ts-ignore: decorator
@inline
export function isAccessed(entry: u64): bool {
  return (entry & A) != 0;
}

// ---- rights of a path ----
/** A path that has met no entry yet. */
export const FULL_RIGHTS: u64 = U;

/** G by OR; all else is the leaf's alone. */
// @ts-ignore: decorator
@inline
export function accumulate(rights: u64, entry: u64): u64 {
  const global = (rights | entry) & G;
  return (isLeaf(entry, 0) ? entry & (R | W | X | U) : rights) | global;
}

/** The right of a path or leaf that lets user accesses go on. */
export const USER_REACHABLE: u64 = U;

/** Whether user accesses may go on (a path: always), or may use the page (a cached leaf). */
// @ts-ignore: decorator
@inline
export function isUserReachable(rights: u64): bool {
  return (rights & USER_REACHABLE) != 0;
}

/** Whether a cached leaf may be written. */
// @ts-ignore: decorator
@inline
export function isWritable(leaf: u64): bool {
  return (leaf & W) != 0;
}

// ---- what paging-structure caches keep ----

// @ts-ignore: decorator
@inline
export function cachedPath(entry: u64, rights: u64): u64 {
  return (entry & FRAME) | rights;
}

// @ts-ignore: decorator
@inline
export function rightsOfPath(path: u64): u64 {
  return path & ~FRAME;
}

// ---- what translation caches keep ----
/** The page may be read, or executed: what MXR asks for. */
export const READ_OR_EXECUTE: u64 = 1 << 8;
/** The page was unmapped or given away after the leaf was cached. */
export const STALE: u64 = 1 << 9;
/** The page was made read-only after the leaf was cached. */
export const STALE_RIGHTS: u64 = 1 << 11;
const NAPOT_PIECE_SHIFT: u64 = 10;
const CACHED_FRAME: u64 = ((1 << FRAME_BITS) - 1) << PAGE_SHIFT;
/** Where an outcome says k, for a page of 2^k times the size of its level. */
const OUTCOME_NAPOT_SHIFT: u64 = 56;
const OUTCOME_LEVEL_SHIFT: u64 = 60;

/** Whether a leaf answers under every tag: an entry that is global makes all below it so. */
// @ts-ignore: decorator
@inline
export function isGlobalLeaf(entry: u64, rights: u64): bool {
  return (rights & G) != 0;
}

/** A leaf as it is cached, with A and D as they are in the entry. Of a NAPOT page, the 4 KiB around the address. */
// @ts-ignore: decorator
@inline
export function cachedLeaf(entry: u64, level: u32, va: u64, rights: u64, global: bool): u64 {
  let address = frameIn(entry) << PAGE_SHIFT;
  const napot = entry >> 63;
  if (napot) address = withLowBits(address, va, PAGE_SHIFT + NAPOT_BITS) & CACHED_FRAME;
  const access = rights & (R | W | X | U);
  const readOrExecute = access & (R | X) ? READ_OR_EXECUTE : 0;
  return address | access | readOrExecute | (napot << NAPOT_PIECE_SHIFT) | (global ? G : 0) | (entry & (A | D)) | V;
}

/** An address with its lowest `bits` taken from another. */
// @ts-ignore: decorator
@inline
function withLowBits(address: u64, low: u64, bits: u64): u64 {
  const mask = ((<u64>1) << bits) - 1;
  return (address & ~mask) | (low & mask);
}

/** A cached leaf once the marks of an access are set in its entry. */
// @ts-ignore: decorator
@inline
export function withMarks(leaf: u64, marks: u64): u64 {
  return leaf | marks;
}

// @ts-ignore: decorator
@inline
export function isCachedGlobal(leaf: u64): bool {
  return (leaf & G) != 0;
}

/** Physical address that a cached leaf gives, the level of the leaf, and k for a page of 2^k times its size (NAPOT). */
// @ts-ignore: decorator
@inline
export function answerOf(leaf: u64, level: u32, va: u64): u64 {
  const napot = ((leaf >> NAPOT_PIECE_SHIFT) & 1) * NAPOT_BITS;
  return withLowBits(leaf & CACHED_FRAME, va, shiftOf(level)) | (<u64>level << OUTCOME_LEVEL_SHIFT) | (napot << OUTCOME_NAPOT_SHIFT);
}

/** Frame number of the page that a cached leaf maps (its first 4 KiB). */
// @ts-ignore: decorator
@inline
export function frameOfLeaf(leaf: u64): u64 {
  return (leaf & CACHED_FRAME) >> PAGE_SHIFT;
}

// ---- what a kernel writes (arch/riscv/include/asm/pgtable.h) ----
/** `_PAGE_TABLE`, the same for user and kernel: bits of non-leaf entries. */
export const PAGE_TABLE: u64 = V;
export const KERNPG_TABLE: u64 = V;
/** PAGE_KERNEL: a leaf of the kernel's. */
export const PAGE_KERNEL: u64 = V | R | W | A | D | G;
/** A leaf of a process's, as mmap makes it and as an attacker forges it. */
export const PAGE_USER: u64 = V | R | W | U | A;
export const PAGE_FORGED: u64 = V | R | W | X | U;

/** An entry that names a table. */
// @ts-ignore: decorator
@inline
export function tableEntry(frame: u64, bits: u64): u64 {
  return (frame << FRAME_SHIFT) | bits;
}

/** A leaf of a level with these bits, for the page at a physical address. */
// @ts-ignore: decorator
@inline
export function leafEntry(address: u64, level: u32, bits: u64): u64 {
  return tableEntry(rootFrame(address), bits);
}

/** Physical address of the page of a leaf entry, aligned to the size of `level`. */
// @ts-ignore: decorator
@inline
export function addressIn(entry: u64, level: u32): u64 {
  return (frameIn(entry) << PAGE_SHIFT) & ~((<u64>1 << shiftOf(level)) - 1);
}

/** Bits of a large leaf as its 4 KiB pieces have them. */
// @ts-ignore: decorator
@inline
export function bitsOfPieces(entry: u64): u64 {
  return entry & ~FRAME;
}

/** The leaf of the page that follows in memory, with the same bits. */
// @ts-ignore: decorator
@inline
export function nextLeaf(entry: u64, level: u32): u64 {
  return entry + ((<u64>1) << (shiftOf(level) - PAGE_SHIFT + FRAME_SHIFT));
}

/** The leaf one level up that begins with the page of this one, with its bits. */
// @ts-ignore: decorator
@inline
export function largerLeaf(entry: u64): u64 {
  return entry;
}

/** Whether a leaf may stand at a level: at any. */
// @ts-ignore: decorator
@inline
export function mayBeLeaf(level: u32): bool {
  return true;
}

// @ts-ignore: decorator
@inline
export function readOnly(entry: u64): u64 {
  return entry & ~W;
}
