// Arrays that are long and mostly left alone, as what is known of each of 4,096 PCIDs. What is written is marked by blocks, so that
// going back to a snapshot again and again copies those blocks only: it costs by what a program did, not by what there might be.
//
// An array has its head before it: [next array, bytes][marks, one byte per block].

import { allocate, LINE } from "./memory";

export const SPARSE_NEXT: usize = 0;
export const SPARSE_BYTES: usize = SPARSE_NEXT + 4;
export const SPARSE_MARKS: usize = LINE;
/** log2 of the bytes of a block. */
export const SPARSE_BLOCK: usize = 10;
/** An array has at most so many blocks: 1 MiB. */
const MARKS: usize = 1024;
/** From the head to the array. */
export const SPARSE_HEAD: usize = SPARSE_MARKS + MARKS;

if (SPARSE_BYTES + 4 > SPARSE_MARKS || SPARSE_HEAD % LINE != 0)
  ERROR("the head of a sparse array reaches into its marks, or the array begins on no cache line");

// ---- set up once ----
let latest: usize = 0;

/** Reserves zeroed bytes, aligned to a cache line; 0 if memory cannot grow so far. */
export function allocateSparse(bytes: usize): usize {
  assert((bytes + (1 << SPARSE_BLOCK) - 1) >> SPARSE_BLOCK <= MARKS, "the array has more blocks than marks");
  const head = allocate(SPARSE_HEAD + bytes);
  if (head == 0) return 0;
  store<usize>(head, latest, SPARSE_NEXT);
  store<usize>(head, bytes, SPARSE_BYTES);
  latest = head;
  return head + SPARSE_HEAD;
}

/** The head of the array made last, SPARSE_NEXT leads on; 0 if there is none. */
export function latestSparse(): usize {
  return latest;
}

/** Says that what stands so many bytes into an array is no longer what the latest snapshot holds. */
// @ts-ignore: decorator
@inline
export function touchSparse(array: usize, offset: usize): void {
  assert(offset < load<usize>(array - SPARSE_HEAD, SPARSE_BYTES), "the array is shorter");
  store<u8>(array - MARKS + (offset >> SPARSE_BLOCK), 1);
}
