// What invalidations of an IOMMU name: PASIDs and domains, and aligned powers of two of pages (rules.md 7.6).

import type { CacheEntry } from "./cache.js";
import { type MachineParameters, translatedBits } from "./walk.js";

/** 2^am aligned pages. */
export interface Pages {
  address: bigint;
  am: number;
}

/** What an invalidation drops: entries of these PASIDs, of any if undefined; likewise of a domain. */
export interface Named {
  pasid?: number;
  domain?: number;
}

/** The aligned 2^am pages around an address: translated bits, [start, end). */
export function spanOf({ address, am }: Pages, parameters: MachineParameters): { start: bigint; end: bigint } {
  const size = 4096n << BigInt(am);
  const start = (translatedBits(address, parameters) / size) * size;
  return { start, end: start + size };
}

/** Whether an entry overlaps them. */
export function overlapOf(pages: Pages, parameters: MachineParameters): (entry: CacheEntry) => boolean {
  const { start, end } = spanOf(pages, parameters);
  return ({ pageNumber, pageShift }) =>
    pageNumber << BigInt(pageShift) < end && start < (pageNumber + 1n) << BigInt(pageShift);
}
