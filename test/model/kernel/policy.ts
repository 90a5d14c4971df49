// Policies (rules.md section 11): what the IOMMUs hear of the kernel's flushes, and when a freed table may be used again.

import { countDeferral, countRelease } from "./costs.js";
import { invalidateIommus, type Range, type Scope } from "./driver.js";
import { halves } from "./geometry.js";
import type { Kernel } from "./kernel.js";

/** A policy: data, not code. */
export interface Policy {
  /** flush_tlb_kernel_range invalidates the IOMMUs. */
  hookKernelRange: boolean;
  /** flush_tlb_all invalidates the IOMMUs. */
  hookFlushAll: boolean;
  /** A hooked flush invalidates only if a table is freed with it. */
  onlyTableFrees: boolean;
  /** What the invalidation of a range is: page-selective, PASID-selective, or of the whole IOMMU. */
  scope: Scope;
  /** Hooked invalidations are queued as work. */
  async: boolean;
  /** Tables marked as the kernel's go to a list instead of being released. */
  deferFree: boolean;
  /** Sites whose tables go to the list although they are not marked. */
  deferSites: number[];
  /** The worker invalidates before it takes the list. */
  invalidateFirst: boolean;
  /** What the root of a bound PASID is: that of the mm, one without the kernel half, or nothing (no binding). */
  root: "shared" | "user-only" | "none";
  /** flush_tlb_mm_range tells the bound PASIDs. */
  notifyUser: boolean;
}

const NONE: Policy = {
  hookKernelRange: false,
  hookFlushAll: false,
  onlyTableFrees: false,
  scope: "range",
  async: false,
  deferFree: false,
  deferSites: [],
  invalidateFirst: false,
  root: "shared",
  notifyUser: true,
};

/** The history of the fix, as policies. */
export const PRESETS = {
  none: NONE,
  "flush-range": { ...NONE, hookKernelRange: true },
  "flush-async": { ...NONE, hookKernelRange: true, hookFlushAll: true, async: true },
  "flush-on-table-free": { ...NONE, hookKernelRange: true, hookFlushAll: true, onlyTableFrees: true },
  "deferred-free": { ...NONE, deferFree: true },
  "deferred-free-unlocked": { ...NONE, deferFree: true, invalidateFirst: true },
  "user-root": { ...NONE, root: "user-only" },
  "sva-off": { ...NONE, root: "none" },
} as const satisfies Record<string, Policy>;

/** Most queued requests of asynchronous invalidation. */
export const MAX_REQUESTS = 64;

/** The sites of user mappings, unmapped and reclaimed: their tables are never deferred. */
export const USER_SITE = 5;
export const RECLAIM_SITE = 6;

/** What a hooked flush does: invalidate now, or queue the request if there is room. `freesTable`: the caller frees one with it. */
export function hook(k: Kernel, range: Range, freesTable: boolean): void {
  if (!k.policy.async) {
    if (!invalidateIommus(k, range)) return;
    k.counters.synchronousRounds += 1;
    if (!freesTable) k.counters.needlessRounds += 1;
  } else if (k.requests.length < MAX_REQUESTS) k.requests.push(range);
  else k.counters.lostRequests += 1;
}

/** Whether a table can be freed: it is one, and neither waits on the list already nor is in the worker's hands (rule 8.6). */
export function isFreeable(k: Kernel, frame: number): boolean {
  const waits = [...k.deferred, ...k.taken].some((waiting) => waiting.frame === frame);
  return k.memory.isTable(frame) && !waits;
}

function defer(k: Kernel, frame: number, site: number): void {
  k.deferred.push({ frame, site, operation: k.hazards.operation, time: k.time });
  countDeferral(k);
}

/** Free a table: release it, or put it on the list of the worker. */
export function freeTable(k: Kernel, frame: number, site: number): void {
  if (!isFreeable(k, frame)) return;
  const mark = k.memory.info(frame)?.mark;
  const covered = mark === "kernel" || (mark === "none" && k.policy.deferSites.includes(site));
  if (k.policy.deferFree && covered && site !== USER_SITE && site !== RECLAIM_SITE) defer(k, frame, site);
  else k.memory.release(frame, site, k.hazards.operation);
}

/**
 * The worker: queued requests, oldest first; then the list of tables, with one invalidation of the kernel's half. A work item
 * never runs twice at once: what is interleaved in it finds it busy.
 */
export function runWork(k: Kernel): void {
  if (k.working) return;
  if (k.requests.length > 0 || k.deferred.length > 0) k.counters.workRuns += 1;
  k.working = true;
  work(k);
  k.working = false;
}

function work(k: Kernel): void {
  for (let range = k.requests.shift(); range !== undefined; range = k.requests.shift()) {
    invalidateIommus(k, range);
    k.points.reach("REQUEST_INVALIDATED", range === "everything" ? 0n : range.start);
  }
  if (!k.policy.deferFree || k.deferred.length === 0) return;
  const half = halves(k.parameters.levels).kernel;
  let taken: Kernel["deferred"];
  if (k.policy.invalidateFirst) {
    invalidateIommus(k, half);
    k.points.reach("HALF_INVALIDATED", half.start);
    taken = k.deferred.splice(0);
  } else {
    taken = k.deferred.splice(0);
    k.taken = taken;
    k.points.reach("LIST_TAKEN", taken.length);
    invalidateIommus(k, half);
    k.points.reach("HALF_INVALIDATED", half.start);
  }
  k.taken = [];
  for (const { frame, site, ...since } of taken) {
    countRelease(k, since);
    k.memory.release(frame, site, k.hazards.operation);
  }
}
