// What the kernel did and what it cost, by counter number.

import { count } from "../base/memory";
import { SITES } from "./sites";

export const PURGES: u32 = 0;
export const KERNEL_RANGE_FLUSHES: u32 = 1;
export const FLUSH_ALLS: u32 = 2;
export const LOCAL_FLUSH_ALLS: u32 = 3;
export const MM_FLUSHES: u32 = 4;
export const TABLES_ALLOCATED: u32 = 5;
export const TABLES_RELEASED: u32 = 6;
export const LOST_REQUESTS: u32 = 7;
export const OUT_OF_FRAMES: u32 = 8;
/** Rounds of IOMMU invalidation carried out for at least one bound PASID. */
export const IOMMU_ROUNDS: u32 = 9;
export const IOTLB_INVALIDATIONS: u32 = 10;
export const DEVICE_TLB_INVALIDATIONS: u32 = 11;
// ---- costs ----
/** Single-page invalidations on CPUs, whole-CPU flushes, address-space flushes. */
export const CPU_PAGE_FLUSHES: u32 = 12;
export const CPU_FULL_FLUSHES: u32 = 13;
export const CPU_SPACE_FLUSHES: u32 = 14;
/** Broadcasts to other CPUs, and CPUs interrupted. */
export const IPI_BROADCASTS: u32 = 15;
export const IPI_RECEIVERS: u32 = 16;
/** Waits for the invalidation queue: the submitter spins for each. */
export const QUEUE_WAITS: u32 = 17;
/** Rounds that a hooked flush caused though it freed no table. */
export const NEEDLESS_ROUNDS: u32 = 18;
/** Frames on the deferred list: now, most at once, in all, and how long they were held (operations, ns). */
export const FRAMES_HELD: u32 = 19;
export const MAX_FRAMES_HELD: u32 = 20;
export const FRAMES_DEFERRED: u32 = 21;
export const OPERATIONS_HELD: u32 = 22;
export const TIME_HELD: u32 = 23;
/** Runs of the deferred work that found something to do. */
export const WORK_RUNS: u32 = 24;
/** Rounds that the kernel waited for with its caller (not in deferred work). */
export const SYNCHRONOUS_ROUNDS: u32 = 25;
/** Entries written to second roots that user-only roots need. */
export const ROOT_SYNCS: u32 = 26;
export const USER_ROUNDS: u32 = 27;

export const KERNEL_COUNTERS: u32 = 28;

const COUNTERS: usize = memory.data(KERNEL_COUNTERS * 8, 8);
/** Tables freed, by site. */
const FREED_AT_SITE: usize = memory.data(SITES * 8, 8);

// @ts-ignore: decorator
@inline
export function tally(counter: u32, by: u64 = 1): void {
  assert(counter < KERNEL_COUNTERS, "there is no such counter");
  count(COUNTERS, <usize>counter << 3, by);
}

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

export function freedBySite(site: u32): u64 {
  assert(site < SITES, "there is no such site");
  return load<u64>(FREED_AT_SITE + (<usize>site << 3));
}
