// Seeded synthetic programs: a stream of accesses over a list of pages, with flushes mixed in.
// Streams pick indices into the list, so the same generator serves synthetic tables and images of real kernels.
// A page of the list is its virtual address; its low bits say how it is accessed: bits 0..4 the access, bit 5 that
// some of the accesses may be writes.

import { allocate } from "../base/memory";
import { OP_ACCESS, OP_FLUSH_ALL, OP_INVALIDATE_PASID, OP_INVLPG_RANGE_OR_ALL, OP_INVLPG, OP_INVPCID } from "../base/operations";
import { below, next, seed } from "../base/random";
import { EVERY_CPU, OPERATION_SIZE, putRecord } from "../base/record";
import { INVPCID_ALL_BUT_GLOBAL, INVPCID_CONTEXT } from "../hardware/cpu";
import { isCpu } from "../hardware/requesters";
import { CEILING } from "../kernel/flush";
import { ACCESS_CODES, TYPE, WRITE } from "../paging/access";

// ---- streams ----
export const SEQUENTIAL: u32 = 0;
export const STRIDED: u32 = 1;
export const UNIFORM: u32 = 2;
export const ZIPF: u32 = 3;
export const CHASE: u32 = 4;
/** How many there are. */
export const STREAMS: u32 = 5;

// ---- kinds of flush, in the order of their weights; the last one is all but globals ----
export const FLUSH_PAGE: u32 = 0;
export const FLUSH_RANGE: u32 = 1;
export const FLUSH_ABOVE_CEILING: u32 = 2;
export const FLUSH_SPACE: u32 = 3;
export const FLUSH_GLOBAL: u32 = 4;
export const FLUSH_ALL_BUT_GLOBAL: u32 = 5;
/** How many there are. */
export const FLUSH_KINDS: u32 = 6;

const ACCESS_BITS: u64 = ACCESS_CODES - 1;
export const MAY_WRITE: u64 = ACCESS_CODES;
const PAGE_MASK: u64 = ~0xfff;

if (((ACCESS_BITS | MAY_WRITE) & PAGE_MASK) != 0) ERROR("the bits of a page's access reach into its address");
/** The longest ranges that the generator asks for; above the kernel's ceiling everything is flushed. */
const LONGEST_RANGE: u32 = 64;
const LONGEST_ABOVE: u32 = 512;

/** Weights of flushes are per this many operations, the weight of writes per this many accesses. */
export const FLUSH_SCALE: u32 = 1 << 20;
export const WRITE_SCALE: u32 = 1 << 10;
const WEIGHTS: usize = memory.data(FLUSH_KINDS * sizeof<u32>(), sizeof<u32>());

// ---- set up once ----
let pages: usize = 0;
let permutation: usize = 0;
/** Alias table (Walker 1977): per index a 32-bit threshold, then the index to take above it. */
let alias: usize = 0;
let weights: usize = 0;
let capacity: u32 = 0;
// ---- the generator: goes on from call to call ----
let pageCount: u32 = 0;
let stream: u32 = 0;
let stride: u32 = 1;
let cursor: u32 = 0;
let writeWeight: u32 = 0;
let firstRequester: u32 = 0;
let requesterSpan: u32 = 1;
let pcids: u32 = 1;

/** Room for a list of `max` pages; the address of the list, 0 if memory is out. */
export function createWorkload(max: u32): usize {
  capacity = max;
  pages = allocate(<usize>max << 3);
  permutation = allocate(<usize>max << 2);
  alias = allocate(<usize>max << 3);
  weights = allocate(<usize>max << 3);
  return pages == 0 || permutation == 0 || alias == 0 || weights == 0 ? 0 : pages;
}

/** Flushes of each kind per FLUSH_SCALE operations; kinds as above. */
export function setFlushWeight(kind: u32, weight: u32): void {
  assert(kind < FLUSH_KINDS, "there is no such kind of flush");
  store<u32>(WEIGHTS + (<usize>kind << 2), weight);
}

/** Who accesses: requesters `first`..`first + span - 1`; PCIDs 0..`tags` - 1 are flushed; writes per WRITE_SCALE accesses. */
export function setActors(first: u32, span: u32, tags: u32, writes: u32): void {
  firstRequester = first;
  requesterSpan = span;
  pcids = tags;
  writeWeight = writes;
}

/** Starts a stream over the first `count` pages of the list. `exponent` is Zipf's. */
export function startWorkload(seedValue: u64, kind: u32, count: u32, step: u32, exponent: f64): void {
  seed(seedValue);
  stream = kind;
  pageCount = min<u32>(count, capacity);
  stride = step % pageCount;
  cursor = 0;
  if (kind == CHASE) makeCycle();
  else if (kind == ZIPF) makeAlias(exponent);
}

/** One cycle through all pages in random order (Sattolo 1986). */
function makeCycle(): void {
  for (let i: u32 = 0; i < pageCount; i++) store<u32>(permutation + (<usize>i << 2), i);
  for (let i = pageCount - 1; i > 0; i--) {
    const a = permutation + (<usize>i << 2);
    const b = permutation + (<usize>below(i) << 2);
    const other = load<u32>(a);
    store<u32>(a, load<u32>(b));
    store<u32>(b, other);
  }
}

/**
 * Page i with weight 1 / (i + 1)^exponent, by Vose's method (1991): small and large weights in one work list, from both
 * ends. Plain IEEE arithmetic compiled into the module: the same table on every machine.
 */
function makeAlias(exponent: f64): void {
  let sum: f64 = 0;
  for (let i: u32 = 0; i < pageCount; i++) {
    const weight = 1.0 / power(<f64>(i + 1), exponent);
    store<f64>(weights + (<usize>i << 3), weight);
    sum += weight;
  }
  let small: u32 = 0;
  let large = pageCount;
  for (let i: u32 = 0; i < pageCount; i++) {
    const at = weights + (<usize>i << 3);
    const weight = (load<f64>(at) * <f64>pageCount) / sum;
    store<f64>(at, weight);
    store<u32>(permutation + (<usize>(weight < 1 ? small++ : --large) << 2), i);
  }
  // small: one past the last small index; large: the first large one.
  while (small > 0 && large < pageCount) {
    const little = load<u32>(permutation + (<usize>(--small) << 2));
    const big = load<u32>(permutation + (<usize>large << 2));
    const weight = load<f64>(weights + (<usize>little << 3));
    setAlias(little, weight, big);
    const at = weights + (<usize>big << 3);
    const left = load<f64>(at) + weight - 1;
    store<f64>(at, left);
    if (left < 1) {
      large++;
      store<u32>(permutation + (<usize>(small++) << 2), big);
    }
  }
  while (small > 0) keepWhole(load<u32>(permutation + (<usize>(--small) << 2)));
  while (large < pageCount) keepWhole(load<u32>(permutation + (<usize>(large++) << 2)));
}

/** base^exponent for base >= 1, exponent rounded down to 2^-16: products of repeated square roots, which are exact IEEE steps. */
function power(base: f64, exponent: f64): f64 {
  let result: f64 = 1;
  for (let whole = <u32>exponent; whole > 0; whole--) result *= base;
  let root = base;
  let fraction = exponent - Math.floor(exponent);
  for (let bit: u32 = 0; bit < 16; bit++) {
    root = Math.sqrt(root);
    fraction *= 2;
    if (fraction < 1) continue;
    fraction -= 1;
    result *= root;
  }
  return result;
}

function setAlias(index: u32, weight: f64, other: u32): void {
  assert(index < pageCount && other < pageCount, "the page is not in the list");
  store<u32>(alias + (<usize>index << 3), <u32>(weight * 4294967295.0));
  store<u32>(alias + (<usize>index << 3), other, 4);
}

function keepWhole(index: u32): void {
  setAlias(index, 1, index);
}

/** Index of the next page of the stream. */
function nextIndex(): u32 {
  if (stream == UNIFORM) return below(pageCount);
  if (stream == ZIPF) {
    const draw = next();
    const index = <u32>(((draw >> 32) * <u64>pageCount) >> 32);
    const at = alias + (<usize>index << 3);
    return <u32>draw <= load<u32>(at) ? index : load<u32>(at, 4);
  }
  const index = cursor;
  if (stream == CHASE) cursor = load<u32>(permutation + (<usize>index << 2));
  else {
    cursor += stream == STRIDED ? stride : 1;
    if (cursor >= pageCount) cursor -= pageCount;
  }
  return index;
}

/** Writes the next `count` operations of the workload to `program`. */
export function generate(program: usize, count: u32): void {
  let flushes: u32 = 0;
  for (let kind: u32 = 0; kind < FLUSH_KINDS; kind++) flushes += load<u32>(WEIGHTS + (<usize>kind << 2));
  const end = program + <usize>count * OPERATION_SIZE;
  for (let at = program; at < end; at += OPERATION_SIZE) {
    const draw = next();
    assert(pageCount != 0 && cursor < pageCount, "the stream points outside its pages");
    const page = load<u64>(pages + (<usize>nextIndex() << 3));
    if (<u32>(draw & (FLUSH_SCALE - 1)) < flushes) putFlush(at, <u32>(draw & (FLUSH_SCALE - 1)), page & PAGE_MASK);
    else putAccess(at, draw, page);
  }
}

// @ts-ignore: decorator
@inline
function putAccess(at: usize, draw: u64, page: u64): void {
  let access = <u32>(page & ACCESS_BITS);
  if (page & MAY_WRITE && <u32>((draw >> 20) & (WRITE_SCALE - 1)) < writeWeight) access = (access & ~TYPE) | WRITE;
  const requester = firstRequester + <u32>((((draw >> 32) & 0xffff) * <u64>requesterSpan) >> 16);
  putRecord(at, OP_ACCESS, access, requester, 0, (page & PAGE_MASK) | ((draw >> 52) & 0xff8));
}

function putFlush(at: usize, draw: u32, page: u64): void {
  let kind: u32 = 0;
  let left = draw;
  while (left >= load<u32>(WEIGHTS + (<usize>kind << 2))) {
    left -= load<u32>(WEIGHTS + (<usize>kind << 2));
    kind++;
  }
  if (kind == FLUSH_PAGE) putRecord(at, OP_INVLPG, 0, EVERY_CPU, 0, page);
  else if (kind == FLUSH_RANGE) putRecord(at, OP_INVLPG_RANGE_OR_ALL, 0, EVERY_CPU, 1 + below(LONGEST_RANGE), page);
  else if (kind == FLUSH_ABOVE_CEILING) {
    putRecord(at, OP_INVLPG_RANGE_OR_ALL, 0, EVERY_CPU, <u32>CEILING + 1 + below(LONGEST_ABOVE - <u32>CEILING), page);
  } else if (kind == FLUSH_SPACE) {
    const requester = firstRequester + below(requesterSpan);
    const pcid = below(pcids);
    if (isCpu(requester)) putRecord(at, OP_INVPCID, INVPCID_CONTEXT, requester, pcid, page);
    else putRecord(at, OP_INVALIDATE_PASID, 0, requester, 0, 0);
  } else if (kind == FLUSH_GLOBAL) putRecord(at, OP_FLUSH_ALL, 0, EVERY_CPU, 0, 0);
  else putRecord(at, OP_INVPCID, INVPCID_ALL_BUT_GLOBAL, EVERY_CPU, 0, 0);
}
