// What the kernel did and what it cost, by counter number.

import { count } from "../base/memory";
import { SITES } from "./sites";

// ---- what was called, and what became of tables ----
/** Purges of lazily unmapped areas. */
export const PURGES: u32 = 0;
/** `flush_tlb_kernel_range()`. */
export const KERNEL_RANGE_FLUSHES: u32 = 1;
/** `flush_tlb_all()`. */
export const FLUSH_ALLS: u32 = 2;
/** `__flush_tlb_all()`, on one CPU. */
export const LOCAL_FLUSH_ALLS: u32 = 3;
/** `flush_tlb_mm_range()`. */
export const MM_FLUSHES: u32 = 4;
/** Tables taken out of the pool. */
export const TABLES_ALLOCATED: u32 = 5;
/** Tables given back to the pool. */
export const TABLES_RELEASED: u32 = 6;
/** Asynchronous invalidations that found no room to wait in. */
export const LOST_REQUESTS: u32 = 7;
/** Frames asked of an empty pool. */
export const OUT_OF_FRAMES: u32 = 8;
/** Rounds of IOMMU invalidation carried out for at least one bound PASID. */
export const IOMMU_ROUNDS: u32 = 9;
/** IOTLB invalidations submitted. */
export const IOTLB_INVALIDATIONS: u32 = 10;
/** Device-TLB invalidations submitted. */
export const DEVICE_TLB_INVALIDATIONS: u32 = 11;
// ---- costs ----
/** Single-page invalidations on CPUs. */
export const CPU_PAGE_FLUSHES: u32 = 12;
/** Whole-CPU flushes. */
export const CPU_FULL_FLUSHES: u32 = 13;
/** Flushes of one address space on a CPU. */
export const CPU_SPACE_FLUSHES: u32 = 14;
/** Broadcasts to other CPUs. */
export const IPI_BROADCASTS: u32 = 15;
/** CPUs interrupted by them. */
export const IPI_RECEIVERS: u32 = 16;
/** Waits for the invalidation queue: the submitter spins for each. */
export const QUEUE_WAITS: u32 = 17;
/** Synchronous rounds that a hooked flush caused though it freed no table. */
export const NEEDLESS_ROUNDS: u32 = 18;
/** Frames on the deferred list now. */
export const FRAMES_HELD: u32 = 19;
/** Most frames on the deferred list at once. */
export const MAX_FRAMES_HELD: u32 = 20;
/** Frames ever put on the deferred list. */
export const FRAMES_DEFERRED: u32 = 21;
/** Operations for which deferred frames were held, summed over the frames. */
export const OPERATIONS_HELD: u32 = 22;
/** Nanoseconds for which deferred frames were held, summed over the frames. */
export const NANOSECONDS_HELD: u32 = 23;
/** Runs of the deferred work that found something to do. */
export const WORK_RUNS: u32 = 24;
/** Rounds that the kernel waited for inside a flush (not in deferred work). */
export const SYNCHRONOUS_ROUNDS: u32 = 25;
/** Entries written to second roots that user-only roots need. */
export const ROOT_SYNCS: u32 = 26;
/** Rounds by the notifier of an address space. */
export const USER_ROUNDS: u32 = 27;
/** How many there are. */
export const KERNEL_COUNTERS: u32 = 28;

export const COUNTERS: usize = memory.data(KERNEL_COUNTERS * sizeof<u64>(), sizeof<u64>());
/** Tables freed, by site. */
export const FREED_AT_SITE: usize = memory.data(<i32>SITES * sizeof<u64>(), sizeof<u64>());

// @ts-ignore: decorator
@inline
export function tally(counter: u32, by: u64 = 1): void {
  assert(counter < KERNEL_COUNTERS, "there is no such counter");
  count(COUNTERS, <usize>counter << 3, by);
}

/** A counter of the kernel by its number. */
export function kernelCounter(counter: u32): u64 {
  assert(counter < KERNEL_COUNTERS, "there is no such counter");
  return load<u64>(COUNTERS + (<usize>counter << 3));
}

export function setCounter(counter: u32, value: u64): void {
  assert(counter < KERNEL_COUNTERS, "there is no such counter");
  store<u64>(COUNTERS + (<usize>counter << 3), value);
}

export function tallySite(site: u32): void {
  assert(site < SITES, "there is no such site");
  count(FREED_AT_SITE, <usize>site << 3);
}

/** Tables that a site has given back. */
export function freedBySite(site: u32): u64 {
  assert(site < SITES, "there is no such site");
  return load<u64>(FREED_AT_SITE + (<usize>site << 3));
}
