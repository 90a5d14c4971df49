// Why an operation of a program was refused, and results of operations (docs/rules.md section 10). `refuse` stands in a return
// statement, so that nothing comes between the reason and the result that tells it.

/** In a result: the operation was refused; the bits below are the reason. */
const REFUSED: u64 = 1 << 63;

// ---- reasons ----
export const DONE: u32 = 0;
/** No page or block is meant, or an end that is not above its start. */
export const EMPTY_RANGE: u32 = 1;
/** Not all of the range lies in the kernel half. */
export const NOT_KERNEL_HALF: u32 = 2;
export const NOT_USER_HALF: u32 = 3;
/** Address or length is not aligned to the page size. */
export const NOT_ALIGNED: u32 = 4;
/** The kernel's pool is out of frames. */
export const NO_FREE_FRAME: u32 = 5;
/** A table is not in the frame store. */
export const TABLE_ABSENT: u32 = 6;
/** A larger leaf covers the address. */
export const LARGE_LEAF_ABOVE: u32 = 7;
/** No 2 MiB or 1 GiB leaf maps the address. */
export const NO_LARGE_LEAF: u32 = 8;
/** No page table maps the 2 MiB piece. */
export const NO_PAGE_TABLE: u32 = 9;
/** There is no address space of this number. */
export const NO_SUCH_MM: u32 = 10;
export const MM_EXISTS: u32 = 11;
/** A CPU runs it. */
export const MM_RUNS: u32 = 12;
/** The PASID is bound to another one. */
export const PASID_TAKEN: u32 = 13;
/** The PASID is bound to nothing. */
export const NOT_BOUND: u32 = 14;
/** The policy shares no tables with IOMMUs. */
export const SHARING_OFF: u32 = 15;
/** No frame is taken that could be given back. */
export const NOTHING_TAKEN: u32 = 16;
/** This version of the kernel does not do such a thing. */
export const NOT_IN_THIS_KERNEL: u32 = 17;
/** The instruction is a #GP. */
export const GENERAL_PROTECTION: u32 = 18;
/** Its leaves are not 512 in a row, alike, from where a large page may begin. */
export const LEAVES_DIFFER: u32 = 19;
/** How many there are. */
export const REFUSALS: u32 = 20;

// ---- scratch: nothing survives a call ----
let reason: u32 = DONE;

/** Keeps the reason; false, for the caller to return. */
export function refuse(why: u32): bool {
  assert(why != DONE && why < REFUSALS, "an operation is refused for a reason");
  reason = why;
  return false;
}

/** The result of an operation that is done or was refused just now. */
// @ts-ignore: decorator
@inline
export function resultOf(done: bool): u64 {
  if (!done) return refusedResult();
  reason = DONE;
  return 1;
}

/** The result of an operation that was refused just now. */
export function refusedResult(): u64 {
  assert(reason != DONE, "an operation was refused without a reason");
  const result = REFUSED | <u64>reason;
  reason = DONE;
  return result;
}
