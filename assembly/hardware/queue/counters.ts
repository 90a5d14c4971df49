// What the invalidation queues of the IOMMUs were given, by counter number.

import { count } from "../../base/memory";

/** Invalidation descriptors by granularity. */
export const PAGE_SELECTIVE_INVALIDATIONS: u32 = 0;
export const PASID_SELECTIVE_INVALIDATIONS: u32 = 1;
export const GLOBAL_INVALIDATIONS: u32 = 2;
export const PASID_CACHE_INVALIDATIONS: u32 = 3;
/** Pages that page-selective ones name, 4 KiB each. */
export const PAGES_INVALIDATED: u32 = 4;
export const QUEUE_COUNTERS: u32 = 5;

const COUNTERS: usize = memory.data(QUEUE_COUNTERS * 8, 8);

// @ts-ignore: decorator
@inline
export function tallyQueue(counter: u32, by: u64 = 1): void {
  assert(counter < QUEUE_COUNTERS, "there is no such counter");
  count(COUNTERS, <usize>counter << 3, by);
}

export function queueCounter(counter: u32): u64 {
  assert(counter < QUEUE_COUNTERS, "there is no such counter");
  return load<u64>(COUNTERS + (<usize>counter << 3));
}
