// The policy in force, and what it makes of flushes and frees (docs/rules.md section 11).

import { operationNumber, time } from "../base/clock";
import { MAX_REQUESTS } from "../base/limits";
import { allocate } from "../base/memory";
import { point } from "../base/points";
import {
  heldSince,
  holdSince,
  MARK_BOOT,
  MARK_DEFERRED,
  MARK_KERNEL,
  marksOf,
  setMarks,
  stateOf,
  TABLE,
} from "../paging/frames";
import { addressMask } from "../paging/mode";
import { firstBound, isBoundTo, nextBound } from "./bindings";
import {
  FRAMES_DEFERRED,
  FRAMES_HELD,
  IOMMU_ROUNDS,
  kernelCounter,
  LOST_REQUESTS,
  MAX_FRAMES_HELD,
  NEEDLESS_ROUNDS,
  OPERATIONS_HELD,
  SYNCHRONOUS_ROUNDS,
  setCounter,
  NANOSECONDS_HELD,
  tally,
  USER_ROUNDS,
  WORK_RUNS,
} from "./counters";
import { invalidateByQueue, SCOPE_PASID, SCOPE_RANGE, startRound } from "./driver";
import { release } from "./pool";
import { HALF_INVALIDATED, isOfUser, LIST_TAKEN, REQUEST_INVALIDATED } from "./sites";

// ---- the policy: bits ----
export const HOOK_KERNEL_RANGE: u32 = 1;
export const HOOK_FLUSH_ALL: u32 = 1 << 1;
export const ONLY_TABLE_FREES: u32 = 1 << 2;
export const ASYNC: u32 = 1 << 3;
export const DEFER_FREE: u32 = 1 << 4;
export const INVALIDATE_FIRST: u32 = 1 << 5;
export const USER_ONLY_ROOT: u32 = 1 << 6;
export const NO_SHARED_TABLES: u32 = 1 << 7;
export const NOTIFY_USER: u32 = 1 << 8;

// ---- ranges that wait for asynchronous invalidation ----
const REQUEST_FIRST: usize = 0;
const REQUEST_LAST: usize = REQUEST_FIRST + sizeof<u64>();
/** 1: of everything. */
const REQUEST_EVERYTHING: usize = REQUEST_LAST + sizeof<u64>();
const REQUEST_SIZE: usize = REQUEST_EVERYTHING + sizeof<u64>();
const REQUESTS: usize = memory.data(MAX_REQUESTS * <u32>REQUEST_SIZE, sizeof<u64>());
const REQUEST_COUNT: usize = memory.data(sizeof<u32>(), sizeof<u32>());
const DEFERRED_COUNT: usize = memory.data(sizeof<u32>(), sizeof<u32>());
/** A work item never runs twice at once. */
const WORKING: usize = memory.data(sizeof<u32>(), sizeof<u32>());

// ---- set up once ----
let policy: u32 = NOTIFY_USER;
let scope: u32 = SCOPE_RANGE;
/** Bit s: tables of site s are deferred whatever their mark. */
let deferSites: u32 = 0;
let deferred: usize = 0;
let deferredSize: u32 = 0;
/** Where a deferred table came from, by place in the list. */
let deferredSite: usize = 0;

export function createDeferredList(most: u32): bool {
  deferred = allocate(<usize>most << 2);
  deferredSite = allocate(most);
  deferredSize = most;
  return deferred != 0 && deferredSite != 0;
}

/** Puts a policy in force: its bits, the scope of ranges, and a mask of the sites whose unmarked tables are deferred. */
export function setPolicy(bits: u32, rangeScope: u32, sites: u32): void {
  policy = bits;
  scope = rangeScope;
  deferSites = sites;
}

// @ts-ignore: decorator
@inline
export function has(bit: u32): bool {
  return (policy & bit) != 0;
}

// ---- IOMMU invalidation of the kernel half: every bound PASID of every IOMMU ----

/** [first, last], as `how` says: a range, or (with any other scope) more. True if a PASID was bound. */
function invalidateKernel(first: u64, last: u64, how: u32): bool {
  let any = false;
  startRound();
  for (let context = firstBound(); context != 0; context = nextBound(context)) {
    invalidateByQueue(context, first, last, how);
    any = true;
  }
  if (any) tally(IOMMU_ROUNDS);
  return any;
}

/** What an invalidation of everything, or of a range, names: everything is the PASID's, whatever the scope. */
// @ts-ignore: decorator
@inline
function scopeOf(everything: bool): u32 {
  return everything ? SCOPE_PASID : scope;
}

/** A flush that the policy hooks has ended: of [first, last], or of everything (then both are 0). */
export function afterFlush(first: u64, last: u64, everything: bool, hook: u32, freesTables: bool): void {
  assert(first <= last, "the range ends before it starts");
  if (!has(hook) || (has(ONLY_TABLE_FREES) && !freesTables)) return;
  if (has(ASYNC)) {
    queueInvalidation(first, last, everything);
    return;
  }
  if (!invalidateKernel(first, last, scopeOf(everything))) return;
  tally(SYNCHRONOUS_ROUNDS);
  if (!freesTables) tally(NEEDLESS_ROUNDS);
}

function queueInvalidation(first: u64, last: u64, everything: bool): void {
  const waiting = load<u32>(REQUEST_COUNT);
  if (waiting == MAX_REQUESTS) {
    tally(LOST_REQUESTS);
    return;
  }
  assert(waiting < MAX_REQUESTS, "the list of requests is over-full");
  const at = REQUESTS + <usize>waiting * REQUEST_SIZE;
  store<u64>(at, first, REQUEST_FIRST);
  store<u64>(at, last, REQUEST_LAST);
  store<u64>(at, everything ? 1 : 0, REQUEST_EVERYTHING);
  store<u32>(REQUEST_COUNT, waiting + 1);
}

/** The mmu notifier: every PASID that is bound to an mm, for [first, last]. */
export function notify(mm: u32, first: u64, last: u64): void {
  notifyBound(mm, first, last, SCOPE_RANGE);
}

/** The same for everything. */
export function notifyAll(mm: u32): void {
  notifyBound(mm, 0, 0, SCOPE_PASID);
}

function notifyBound(mm: u32, first: u64, last: u64, how: u32): void {
  if (!has(NOTIFY_USER)) return;
  let any = false;
  startRound();
  for (let context = firstBound(); context != 0; context = nextBound(context)) {
    if (!isBoundTo(context, mm)) continue;
    invalidateByQueue(context, first, last, how);
    any = true;
  }
  if (!any) return;
  tally(IOMMU_ROUNDS);
  tally(USER_ROUNDS);
}

// ---- freeing a table ----

/** Whether a frame is a table that nobody has freed yet. */
export function isFreeable(slot: u32): bool {
  return slot != 0 && stateOf(slot) == TABLE && !(marksOf(slot) & MARK_DEFERRED);
}

/**
 * A site lets go of a table: given back at once, or put on the deferred list. Nothing if it is gone already.
 */
export function freeTable(slot: u32, site: u8): void {
  if (!isFreeable(slot)) return;
  const marks = marksOf(slot);
  const covered = (marks & MARK_KERNEL) != 0 || (deferSites & (1 << site)) != 0;
  if (!has(DEFER_FREE) || marks & MARK_BOOT || !covered || isOfUser(site)) {
    release(slot, site);
    return;
  }
  const waiting = load<u32>(DEFERRED_COUNT);
  assert(waiting < deferredSize, "the deferred list has room for every frame of the pool");
  store<u32>(deferred + (<usize>waiting << 2), slot);
  store<u8>(deferredSite + waiting, site);
  store<u32>(DEFERRED_COUNT, waiting + 1);
  setMarks(slot, marks | MARK_DEFERRED);
  holdSince(slot, time());
  noteHeld(1);
  tally(FRAMES_DEFERRED);
  // Summed as a difference: now for every frame that comes, plus now for every frame that goes.
  tally(OPERATIONS_HELD, 0 - operationNumber());
}

function noteHeld(change: i64): void {
  const held = kernelCounter(FRAMES_HELD) + change;
  assert(<i64>held >= 0 && held <= deferredSize, "fewer frames are held than none, or more than there are");
  setCounter(FRAMES_HELD, held);
  if (held > kernelCounter(MAX_FRAMES_HELD)) setCounter(MAX_FRAMES_HELD, held);
}

/** Deferred work: the asynchronous requests, then the deferred list. Nothing if it is running already. */
export function runWork(): void {
  if (load<u32>(WORKING)) return;
  if (workWaits()) tally(WORK_RUNS);
  store<u32>(WORKING, 1);
  runRequests();
  if (has(DEFER_FREE) && load<u32>(DEFERRED_COUNT) != 0) {
    if (has(INVALIDATE_FIRST)) {
      invalidateWholeKernel();
      releaseFirst(load<u32>(DEFERRED_COUNT));
    } else {
      // The list is taken here: tables that arrive from now on wait for the next run.
      const taken = load<u32>(DEFERRED_COUNT);
      point(LIST_TAKEN, taken);
      invalidateWholeKernel();
      releaseFirst(taken);
    }
  }
  store<u32>(WORKING, 0);
}

function runRequests(): void {
  assert(load<u32>(WORKING) == 1, "requests run outside the deferred work");
  let waiting: u32;
  while ((waiting = load<u32>(REQUEST_COUNT)) != 0) {
    const first = load<u64>(REQUESTS, REQUEST_FIRST);
    const last = load<u64>(REQUESTS, REQUEST_LAST);
    const everything = load<u64>(REQUESTS, REQUEST_EVERYTHING) != 0;
    // Its place is free again: another flush, at the point, may ask for one.
    memory.copy(REQUESTS, REQUESTS + REQUEST_SIZE, <usize>(waiting - 1) * REQUEST_SIZE);
    store<u32>(REQUEST_COUNT, waiting - 1);
    invalidateKernel(first, last, scopeOf(everything));
    point(REQUEST_INVALIDATED, first);
  }
}

/** iommu_sva_invalidate_kva_range(PAGE_OFFSET, TLB_FLUSH_ALL): not "everything" to the driver, but the whole upper half. */
function invalidateWholeKernel(): void {
  const first = ~(addressMask >> 1);
  invalidateKernel(first, ~(<u64>0), scope);
  point(HALF_INVALIDATED, first);
}

function releaseFirst(taken: u32): void {
  assert(taken <= load<u32>(DEFERRED_COUNT), "more tables are taken than are deferred");
  assert(kernelCounter(FRAMES_HELD) == load<u32>(DEFERRED_COUNT), "frames held and frames on the list differ");
  const now = operationNumber();
  for (let i: u32 = 0; i < taken; i++) {
    const slot = load<u32>(deferred + (<usize>i << 2));
    assert((marksOf(slot) & MARK_DEFERRED) != 0, "a table on the deferred list is not marked so");
    tally(OPERATIONS_HELD, now);
    tally(NANOSECONDS_HELD, time() - heldSince(slot));
    release(slot, load<u8>(deferredSite + i));
  }
  noteHeld(-(<i64>taken));
  const left = load<u32>(DEFERRED_COUNT) - taken;
  memory.copy(deferred, deferred + (<usize>taken << 2), <usize>left << 2);
  memory.copy(deferredSite, deferredSite + taken, left);
  store<u32>(DEFERRED_COUNT, left);
}

/** Whether deferred work has something to do. */
export function workWaits(): bool {
  return load<u32>(REQUEST_COUNT) != 0 || load<u32>(DEFERRED_COUNT) != 0;
}
