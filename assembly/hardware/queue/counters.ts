// What the invalidation queues of the IOMMUs were given, by counter number.

import { count } from "../../base/memory";

/** Page-selective descriptors. */
export const PAGE_SELECTIVE_INVALIDATIONS: u32 = 0;
/** PASID-selective descriptors. */
export const PASID_SELECTIVE_INVALIDATIONS: u32 = 1;
/** Invalidations of everything in an IOMMU, or in one of its domains. */
export const GLOBAL_INVALIDATIONS: u32 = 2;
/** PASID-cache descriptors. */
export const PASID_CACHE_INVALIDATIONS: u32 = 3;
/** Pages that page-selective descriptors name, 4 KiB each. */
export const PAGES_INVALIDATED: u32 = 4;
/** How many there are. */
export const QUEUE_COUNTERS: u32 = 5;

export const COUNTERS: usize = memory.data(QUEUE_COUNTERS * sizeof<u64>(), sizeof<u64>());

// @ts-ignore: decorator
@inline
export function tallyQueue(counter: u32, by: u64 = 1): void {
  assert(counter < QUEUE_COUNTERS, "there is no such counter");
  count(COUNTERS, <usize>counter << 3, by);
}

/** A counter of invalidation queues by its number. */
export function queueCounter(counter: u32): u64 {
  assert(counter < QUEUE_COUNTERS, "there is no such counter");
  return load<u64>(COUNTERS + (<usize>counter << 3));
}
