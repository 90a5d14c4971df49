// What the IOMMU drivers make of an invalidation (rules.md 11 and 15.23 to 15.25), and what that counts (section 17). All
// bindings of the kernel are of domain 1, whose entries are all that a PASID has.

import { countWaits } from "./costs.js";
import type { Kernel } from "./kernel.js";

/** A range of bytes [start, end), or everything. */
export type Range = { start: bigint; end: bigint } | "everything";

/** What a round says about a range: its pages, all of the PASID, or the whole IOMMU. */
export type Scope = "range" | "pasid" | "all";

/** log2 of pages: from here on AMD's command means every page. */
const AMD_EVERY_PAGE = 40;

/** The smallest aligned power of two of pages that covers a range. */
export function alignedPages({ start, end }: { start: bigint; end: bigint }): { address: bigint; am: number } {
  const first = start >> 12n;
  const pages = ((end - 1n) >> 12n) - first + 1n;
  for (let am = 0n; ; am += 1n) {
    const base = (first >> am) << am;
    if (1n << am >= pages && base + (1n << am) >= first + pages) return { address: base << 12n, am: Number(am) };
  }
}

/** The pages that a driver names; undefined: all of the PASID. */
function pagesNamed(k: Kernel, iommu: number, range: Range): { address: bigint; am: number } | undefined {
  if (range === "everything") return undefined;
  const pages = alignedPages(range);
  return k.iommu(iommu).dialect === "amd" && pages.am >= AMD_EVERY_PAGE ? undefined : pages;
}

/** All of a PASID. AMD's driver names every page, which takes the PASID-cache entries along. */
function dropPasid(k: Kernel, place: number, pasid: number): void {
  const iommu = k.iommu(place);
  iommu.invalidatePasid(pasid);
  k.counters.pasidSelectiveInvalidations += 1;
  if (iommu.dialect === "amd") iommu.dropPasidCache((entry) => entry.pasid === pasid);
}

/** Everything of an IOMMU. */
function dropAll(k: Kernel, place: number): void {
  const iommu = k.iommu(place);
  iommu.invalidateAll();
  k.counters.globalInvalidations += 1;
  if (iommu.dialect === "amd") iommu.dropPasidCache(() => true);
}

/** Invalidate a range of one bound PASID, then in the device TLBs in front for it. Returns how many descriptors that takes. */
function invalidatePasid(k: Kernel, place: number, pasid: number, range: Range, scope: Scope): number {
  const iommu = k.iommu(place);
  const pages = scope === "range" ? pagesNamed(k, place, range) : undefined;
  if (pages !== undefined) {
    iommu.invalidatePages(pasid, pages.address, pages.am, false);
    k.counters.pageSelectiveInvalidations += 1;
    k.counters.pagesInvalidated += 2 ** pages.am;
  } else if (range !== "everything" && scope === "all") dropAll(k, place);
  else dropPasid(k, place, pasid);
  k.counters.iotlbInvalidations += 1;

  let descriptors = 1;
  for (const [device, tlb] of iommu.devices.entries()) {
    if (!tlb?.enabled) continue;
    descriptors += 1;
    if (pages !== undefined) iommu.invalidateDevicePages(device, pasid, pages.address, pages.am);
    else iommu.invalidateDevicePasid(device, pasid);
    k.counters.deviceTlbInvalidations += 1;
  }
  return descriptors;
}

/**
 * A round of IOMMU invalidation: of every bound PASID, or of those that are bound to one mm (the notifier: always by range).
 * False if there is none.
 */
export function invalidateIommus(k: Kernel, range: Range, mm?: number): boolean {
  const targets = k.spaces.bindings.filter((it) => it.entry && (mm === undefined || it.mm === mm));
  if (targets.length === 0) return false;
  k.counters.iommuRounds += 1;
  if (mm !== undefined) k.counters.userRounds += 1;
  const submitted = targets.flatMap((target) => {
    const scope = mm === undefined ? k.policy.scope : "range";
    return new Array<typeof target>(invalidatePasid(k, target.iommu, target.pasid, range, scope)).fill(target);
  });
  countWaits(k, submitted);
  return true;
}

/** What a change of a PASID-table entry is followed by. */
export function forgetPasid(k: Kernel, place: number, pasid: number): void {
  const iommu = k.iommu(place);
  if (iommu.dialect === "vtd") {
    iommu.invalidatePasidCache(pasid);
    k.counters.pasidCacheInvalidations += 1;
  }
  dropPasid(k, place, pasid);
  k.counters.queueWaits += 1;
  for (const device of iommu.devices.keys()) iommu.invalidateDevicePasid(device, pasid);
}
