// The memory layout of one set-associative cache, used for every purpose: TLB, IOTLB, device TLB (leaves) and
// paging-structure cache (non-leaf entries). Rules: docs/rules.md sections 4 and 5 (SDM 4.10.2, 4.10.3).
//
// A set is one block: [head][partial tags][keys][data][times][links, in paging-structure caches only].
// "All" and "all of one tag" cost nothing per entry: a flush notes the time (group.ts), and what was filled before is dead.
// The dead are swept out of a set before its next fill, so that victims, evictions and contents are those of an eager flush.

import { PCIDS } from "../base/limits";
import { INDEX_BITS, LEAF_LEVEL_BITS, MAX_LEAF_LEVEL, MAX_LEVELS } from "../paging/format";
import { GROUP_SEEN, GROUP_TAG_COUNT } from "./group";

// ---- the cache ----
export const CACHE_SETS: usize = 0;
/** sets - 1 if sets is a power of two, else 0 (then the remainder is taken). */
export const CACHE_SET_MASK: usize = CACHE_SETS + 4;
export const CACHE_WAYS: usize = CACHE_SET_MASK + 4;
export const CACHE_SET_BYTES: usize = CACHE_WAYS + 4;
export const CACHE_BASE: usize = CACHE_SET_BYTES + 4;
/** From a block to its first key; from a key to its data, times and link. */
export const CACHE_KEYS: usize = CACHE_BASE + 4;
export const CACHE_DATA: usize = CACHE_KEYS + 4;
export const CACHE_TIMES: usize = CACHE_DATA + 4;
export const CACHE_LINKS: usize = CACHE_TIMES + 4;
export const CACHE_REPLACEMENT: usize = CACHE_LINKS + 4;
export const CACHE_RANDOM: usize = CACHE_REPLACEMENT + 4;
/** Bit L: leaves of level L are held here. PATHS: a paging-structure cache, whose entries span 2^CACHE_SPAN bytes. */
export const CACHE_LEVELS: usize = CACHE_RANDOM + 4;
export const PATHS: u32 = 1;
/** Paging-structure caches hold one kind of entry; this stands for the level in their keys. */
export const PATH_LEVEL: u32 = 1;
export const CACHE_SPAN: usize = CACHE_LEVELS + 4;
/** The group that the cache belongs to, and the next cache of it. */
export const CACHE_GROUP: usize = CACHE_SPAN + 4;
export const CACHE_NEXT: usize = CACHE_GROUP + 4;
/** The list of occupied sets, which something was filled into, until a scan finds them empty: how many, the first; SET_NEXT leads on. */
export const CACHE_OCCUPIED: usize = CACHE_NEXT + 4;
export const CACHE_FIRST: usize = CACHE_OCCUPIED + 4;
/** Where the last set ends. */
export const CACHE_END: usize = CACHE_FIRST + 4;
/** Fills of what was there already. */
export const CACHE_REFILLS: usize = CACHE_END + 4;
/** Entries that have been put into empty ways. */
export const CACHE_ADDED: usize = CACHE_REFILLS + 8;
/** Lookups that it answered, refusals included. */
export const CACHE_HITS: usize = CACHE_ADDED + 8;
/** Lookups that it did not answer. */
export const CACHE_MISSES: usize = CACHE_HITS + 8;
/** Entries put in. */
export const CACHE_FILLS: usize = CACHE_MISSES + 8;
/** Live entries that a fill displaced. Nothing stands here, nor at the next: they follow from others (inspect.ts). */
export const CACHE_EVICTIONS: usize = CACHE_FILLS + 8;
/** Live entries that an invalidation or a page fault dropped. */
export const CACHE_INVALIDATED: usize = CACHE_EVICTIONS + 8;
export const CACHE_SIZE: usize = CACHE_INVALIDATED + 8;

if (CACHE_REFILLS % 8 != 0) ERROR("the 64-bit fields of a cache are not aligned");

// ---- a set's head ----
/** When the dead were last taken out. */
export const SET_SWEPT: usize = 0;
/** The next occupied set, or LAST_SET; 0 in a set that is none. */
export const SET_NEXT: usize = SET_SWEPT + 4;
/** One byte a way: 0 if it is empty. */
export const SET_PARTIALS: usize = 16;
/** In place of the next occupied set. */
export const LAST_SET: usize = 1;
/** In place of a partial tag, for ways that only pad a set to whole vectors: no page has it, and it is not empty. */
export const PADDING: u8 = 2;

if (SET_NEXT + 4 > SET_PARTIALS || SET_PARTIALS % 16 != 0)
  ERROR("the head of a set reaches into its partial tags, or they are not aligned");

// ---- a key: page number, tag, global, level of the leaf; of a way that is not empty ----
//
//  63          19 18  3   2     1..0        where the level of a leaf takes two bits (LEAF_LEVEL_BITS of the format)
//  page number    tag   global  level
export const KEY_LEVEL: u64 = (1 << LEAF_LEVEL_BITS) - 1;
export const KEY_GLOBAL: u64 = 1 << LEAF_LEVEL_BITS;
export const KEY_TAG_SHIFT: u64 = LEAF_LEVEL_BITS + 1;
/** The widest page number, of a 4 KiB page with five levels, has 45 bits. */
export const KEY_PAGE_SHIFT: u64 = 19;
/** Tags are dense indices of PCIDs or PASIDs; the last one stands for "global". */
export const KEY_TAG: u64 = (1 << (KEY_PAGE_SHIFT - KEY_TAG_SHIFT)) - 1;
/** Tags are below this. */
export const TAGS_END: u32 = <u32>KEY_TAG;
export const GLOBAL_TAG: u64 = (KEY_TAG << KEY_TAG_SHIFT) | KEY_GLOBAL;

if (KEY_PAGE_SHIFT + <u64>(INDEX_BITS * MAX_LEVELS) > 64) ERROR("a key is too short for page number, tag, global and level");
if (KEY_LEVEL < <u64>MAX_LEAF_LEVEL) ERROR("a key has too few bits for the level of a leaf");
if (KEY_TAG < <u64>PCIDS) ERROR("a key has too few bits for PCIDs");

// ---- a way's times: of the last use (hit or fill), of the last fill ----
export const TIME_USED: usize = 0;
export const TIME_FILLED: usize = TIME_USED + 4;

if (TIME_FILLED + 4 != 8) ERROR("a way's times take 8 bytes, as its key and its data do");

/** 2^64 divided by the golden ratio: spreads page numbers over the partial tags. */
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

// @ts-ignore: decorator
@inline
export function setIndex(cache: usize, page: u64): u32 {
  assert(cache != 0, "there is no cache");
  const mask = load<u32>(cache, CACHE_SET_MASK);
  if (mask != 0) return <u32>page & mask;
  const sets = load<u32>(cache, CACHE_SETS);
  return sets == 1 ? 0 : <u32>(page % <u64>sets);
}

// @ts-ignore: decorator
@inline
export function blockOf(cache: usize, set: u32): usize {
  assert(set < load<u32>(cache, CACHE_SETS), "the cache has no such set");
  return load<usize>(cache, CACHE_BASE) + <usize>set * load<usize>(cache, CACHE_SET_BYTES);
}

/** The block of the next set, in a ring. */
// @ts-ignore: decorator
@inline
export function nextBlock(cache: usize, block: usize): usize {
  assert(holdsKey(cache, keysOf(cache, block)), "no set starts here");
  const next = block + load<usize>(cache, CACHE_SET_BYTES);
  return next == load<usize>(cache, CACHE_END) ? load<usize>(cache, CACHE_BASE) : next;
}

// @ts-ignore: decorator
@inline
export function keysOf(cache: usize, block: usize): usize {
  return block + load<usize>(cache, CACHE_KEYS);
}

/** The bit of GROUP_REGIONS of a leaf; all of them for one of 1 GiB or more. */
// @ts-ignore: decorator
@inline
export function regionBit(page: u64, level: u32): u64 {
  if (level >= 3) return ~(<u64>0);
  return (<u64>1) << (((level == 1 ? page >> <u64>INDEX_BITS : page) * SPREAD) >> 58);
}

/** The bit of GROUP_LARGE of a leaf, which is no small page; all of them for one beyond 1 GiB. `page` is in pages of the level. */
// @ts-ignore: decorator
@inline
export function largeBit(page: u64, level: u32): u64 {
  if (level >= 4) return ~(<u64>0);
  return (<u64>1) << (((level == 2 ? page >> <u64>INDEX_BITS : page) * SPREAD) >> 58);
}

const SPREAD_32: u32 = 0x9e37_79b1;

/** Always odd: never 0, which is an empty way's, nor PADDING. */
// @ts-ignore: decorator
@inline
export function partialTag(page: u64): u32 {
  return ((<u32>page * SPREAD_32) >> 24) | 1;
}

/** Ways whose partial tags are compared at once. */
export const VECTOR: u32 = 16;

/** Bit i: way `way + i` of a set may hold the page, by its partial tag. Sixteen ways at a time. */
// @ts-ignore: decorator
@inline
export function candidatesOf(block: usize, way: u32, page: u64): i32 {
  return i8x16.bitmask(i8x16.eq(v128.load(block + way, SET_PARTIALS), i8x16.splat(<i8>partialTag(page))));
}

/** Bit i: way `way + i` of a set is empty. */
// @ts-ignore: decorator
@inline
export function emptyFrom(block: usize, way: u32): i32 {
  return i8x16.bitmask(i8x16.eq(v128.load(block + way, SET_PARTIALS), i8x16.splat(0)));
}

/** Lanes below 0: ways that hold an entry, of 16 ways. A partial tag is odd: its lowest bit becomes its sign. */
// @ts-ignore: decorator
@inline
function held(block: usize, way: u32): v128 {
  return i16x8.shl(v128.load(block + way, SET_PARTIALS), 7);
}

/** Bit i: way `way + i` of a set holds an entry, dead or alive. */
// @ts-ignore: decorator
@inline
export function heldFrom(block: usize, way: u32): i32 {
  return i8x16.bitmask(held(block, way));
}

/** Empties the 16 ways from `way` on; padding stays. */
// @ts-ignore: decorator
@inline
export function clearFrom(block: usize, way: u32): void {
  const entries = i8x16.gt_s(i8x16.splat(0), held(block, way));
  v128.store(block + way, v128.andnot(v128.load(block + way, SET_PARTIALS), entries), SET_PARTIALS);
}

/** Empties a way. Its key stays, and says nothing. */
// @ts-ignore: decorator
@inline
export function clear(block: usize, way: u32): void {
  store<u8>(block + way, 0, SET_PARTIALS);
}

/** Whether a way holds an entry, dead or alive. */
// @ts-ignore: decorator
@inline
export function isHeld(block: usize, way: u32): bool {
  return load<u8>(block + way, SET_PARTIALS) != 0;
}

/** Of the first ways' candidates: whether there are none behind the first. */
// @ts-ignore: decorator
@inline
export function isLast(cache: usize, candidates: i32): bool {
  return (candidates & (candidates - 1)) == 0 && load<u32>(cache, CACHE_WAYS) <= VECTOR;
}

// @ts-ignore: decorator
@inline
export function keyOf(page: u64, level: u32, tag: u32): u64 {
  assert(page << KEY_PAGE_SHIFT >> KEY_PAGE_SHIFT == page && level <= <u32>KEY_LEVEL, "page or level do not fit into a key");
  assert(tag < TAGS_END, "the tag does not fit into a key");
  return (page << KEY_PAGE_SHIFT) | (<u64>tag << KEY_TAG_SHIFT) | <u64>level;
}

// @ts-ignore: decorator
@inline
export function globalKeyOf(page: u64, level: u32): u64 {
  assert(page << KEY_PAGE_SHIFT >> KEY_PAGE_SHIFT == page && level <= <u32>KEY_LEVEL, "page or level do not fit into a key");
  return (page << KEY_PAGE_SHIFT) | GLOBAL_TAG | <u64>level;
}

// @ts-ignore: decorator
@inline
export function tagOf(key: u64): u32 {
  return <u32>(key >> KEY_TAG_SHIFT) & <u32>KEY_TAG;
}

// @ts-ignore: decorator
@inline
export function groupOf(cache: usize): usize {
  assert(cache != 0 && load<usize>(cache, CACHE_GROUP) != 0, "a cache without a group");
  return load<usize>(cache, CACHE_GROUP);
}

/** Bit L: leaves of level L may be here: the cache holds such, and one was filled since everything was flushed. Others need no probe. */
// @ts-ignore: decorator
@inline
export function seenIn(cache: usize): u32 {
  return load<u32>(cache, CACHE_LEVELS) & load<u32>(groupOf(cache), GROUP_SEEN);
}

/** For assertions. */
export function hasTag(cache: usize, tag: u32): bool {
  return tag < load<u32>(groupOf(cache), GROUP_TAG_COUNT);
}

/** The block in which a key stands. For assertions. */
export function setWith(cache: usize, key: usize): usize {
  return key - ((key - load<usize>(cache, CACHE_BASE)) % load<usize>(cache, CACHE_SET_BYTES));
}

/** The way of a key. For assertions. */
export function wayWith(cache: usize, key: usize): u32 {
  return <u32>((key - keysOf(cache, setWith(cache, key))) >> 3);
}

/** Whether the key of some way of a cache stands at an address. For assertions. */
export function holdsKey(cache: usize, at: usize): bool {
  const base = load<usize>(cache, CACHE_BASE);
  if (at < base || at >= load<usize>(cache, CACHE_END)) return false;
  const inSet = (at - base) % load<usize>(cache, CACHE_SET_BYTES);
  const keys = load<usize>(cache, CACHE_KEYS);
  return inSet >= keys && inSet < keys + (<usize>load<u32>(cache, CACHE_WAYS) << 3) && ((inSet - keys) & 7) == 0;
}

/** Data of the entry whose key is at `key`. */
// @ts-ignore: decorator
@inline
export function dataAt(cache: usize, key: usize): usize {
  assert(holdsKey(cache, key), "no key of this cache stands here");
  return key + load<usize>(cache, CACHE_DATA);
}

// @ts-ignore: decorator
@inline
export function timesAt(cache: usize, key: usize): usize {
  return key + load<usize>(cache, CACHE_TIMES);
}

/** Link (slot and generation of the table's frame) of the paging-structure-cache entry whose key is at `key`. */
// @ts-ignore: decorator
@inline
export function linkAt(cache: usize, key: usize): usize {
  assert((load<u32>(cache, CACHE_LEVELS) & 1) != 0, "only paging-structure caches have links");
  assert(holdsKey(cache, key), "no key of this cache stands here");
  return key + load<usize>(cache, CACHE_LINKS);
}

/** Level of the leaf whose key is at `key`. */
// @ts-ignore: decorator
@inline
export function levelAt(key: usize): u32 {
  return <u32>(load<u64>(key) & KEY_LEVEL);
}
