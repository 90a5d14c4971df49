// Policies (rules.md section 11): what the IOMMUs hear of the kernel's flushes, and when a freed table may be used again.

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
  scope: "range" | "pasid" | "all";
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

/** A range of bytes [start, end), or everything. */
export type Range = { start: bigint; end: bigint } | "everything";

/** The smallest aligned power of two of pages that VT-d's page-selective invalidation takes for a range. */
export function alignedPages({ start, end }: { start: bigint; end: bigint }): { address: bigint; am: number } {
  const first = start >> 12n;
  const pages = ((end - 1n) >> 12n) - first + 1n;
  for (let am = 0n; ; am += 1n) {
    const base = (first >> am) << am;
    if (1n << am >= pages && base + (1n << am) >= first + pages) return { address: base << 12n, am: Number(am) };
  }
}

/** Invalidate a range (or everything) of one bound PASID, then in the device TLBs in front for it. */
function invalidatePasid(k: Kernel, place: number, pasid: number, range: Range, scope: Policy["scope"]): void {
  const iommu = k.iommu(place);
  const pages = range === "everything" || scope !== "range" ? undefined : alignedPages(range);
  if (pages !== undefined) iommu.invalidatePages(pasid, pages.address, pages.am, false);
  else if (range !== "everything" && scope === "all") iommu.invalidateAll();
  else iommu.invalidatePasid(pasid);
  k.counters.iotlbInvalidations += 1;

  for (const [device, tlb] of iommu.devices.entries()) {
    if (!tlb?.enabled) continue;
    if (pages !== undefined) iommu.invalidateDevicePages(device, pasid, pages.address, pages.am);
    else iommu.invalidateDevicePasid(device, pasid);
    k.counters.deviceTlbInvalidations += 1;
  }
}

/** A round of IOMMU invalidation: of every bound PASID, or of those that are bound to one mm (the notifier: always by range). */
export function invalidateIommus(k: Kernel, range: Range, mm?: number): void {
  const targets = k.spaces.bindings.filter((it) => it.entry && (mm === undefined || it.mm === mm));
  if (targets.length > 0) k.counters.iommuRounds += 1;
  for (const { iommu, pasid } of targets) {
    invalidatePasid(k, iommu, pasid, range, mm === undefined ? k.policy.scope : "range");
  }
}

/** What a hooked flush does: invalidate now, or queue the request if there is room. */
export function hook(k: Kernel, range: Range): void {
  if (!k.policy.async) invalidateIommus(k, range);
  else if (k.requests.length < MAX_REQUESTS) k.requests.push(range);
  else k.counters.lostRequests += 1;
}

/** Whether a table can be freed: it is one, and does not wait on the list already. */
export function isFreeable(k: Kernel, frame: number): boolean {
  return k.memory.isTable(frame) && !k.deferred.some((waiting) => waiting.frame === frame);
}

/** Free a table: release it, or put it on the list of the worker. */
export function freeTable(k: Kernel, frame: number, site: number): void {
  if (!isFreeable(k, frame)) return;
  const mark = k.memory.info(frame)?.mark;
  const covered = mark === "kernel" || (mark === "none" && k.policy.deferSites.includes(site));
  if (k.policy.deferFree && covered && site !== USER_SITE && site !== RECLAIM_SITE) k.deferred.push({ frame, site });
  else k.memory.release(frame, site, k.hazards.operation);
}

/**
 * The worker: queued requests, oldest first; then the list of tables, with one invalidation of the kernel's half. A work item
 * never runs twice at once: what is interleaved in it finds it busy.
 */
export function runWork(k: Kernel): void {
  if (k.working) return;
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
  let taken: { frame: number; site: number }[];
  if (k.policy.invalidateFirst) {
    invalidateIommus(k, half);
    k.points.reach("HALF_INVALIDATED", half.start);
    taken = k.deferred.splice(0);
  } else {
    taken = k.deferred.splice(0);
    k.points.reach("LIST_TAKEN", taken.length);
    invalidateIommus(k, half);
    k.points.reach("HALF_INVALIDATED", half.start);
  }
  for (const { frame, site } of taken) k.memory.release(frame, site, k.hazards.operation);
}
