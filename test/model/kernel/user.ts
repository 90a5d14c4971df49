// User mappings (rules.md 10.6): mmap, munmap with the tables that it empties, and mprotect.

import { type CacheEntry, STALE, STALE_RIGHTS } from "../cache.js";
import { type Level, PAGE_SIZE, PRESENT, WRITABLE } from "../entry.js";
import type { AddressSpace } from "./address-spaces.js";
import type { Calls } from "./calls.js";
import { flushMmRange } from "./flush.js";
import { LARGE, misplacedPages, PAGE, type Span, TABLE_BITS, USER_LEAF_BITS } from "./geometry.js";
import type { Kernel } from "./kernel.js";
import { USER_SITE } from "./policy.js";
import type { Answer, Refusal } from "./refusals.js";
import { entryAt, leavesIn, needTable, type PlacedLeaf, setEntry, tablesIn } from "./tables.js";

/** Bits of the type of a mapping: 2 MiB pages; read-only. */
export const MAP = { large: 1, readOnly: 2 } as const;

/** A range of pages of an mm, and its root; refused if the mm does not exist or the range is not of the user half. */
function userRange(
  k: Kernel,
  number: number,
  address: bigint,
  pages: number,
): (Span & { root: number; mm: AddressSpace }) | Refusal {
  const mm = k.spaces.mms.get(number);
  if (mm === undefined) return "no-such-mm";
  const range = { start: address, end: address + BigInt(pages) * PAGE };
  return misplacedPages(k.parameters.levels, "user", range) ?? { ...range, root: mm.root, mm };
}

/** Map pages; what is there already stays. Refused if out of range, not aligned to the page size, or out of frames. */
export function mmap(k: Kernel, number: number, address: bigint, pages: number, type: number): Answer {
  const range = userRange(k, number, address, pages);
  const large = (type & MAP.large) !== 0;
  const size = large ? LARGE : PAGE;
  if (typeof range === "string") return range;
  if (range.start % size !== 0n || range.end % size !== 0n) return "not-aligned";
  for (let at = range.start; at < range.end; at += size) {
    const table = needTable(k, range.root, at, large ? 2 : 1, { mark: "none", bits: TABLE_BITS });
    if (table === "large-leaf-above") continue;
    if (typeof table === "string") return table;
    if ((entryAt(k, table, at) & PRESENT) !== 0n) continue;
    const target = BigInt(k.memory.nextTarget(large ? 512 : 1)) << 12n;
    const bits = (type & MAP.readOnly) !== 0 ? USER_LEAF_BITS & ~WRITABLE : USER_LEAF_BITS;
    setEntry(k, table, at, target | bits | (large ? PAGE_SIZE : 0n));
  }
  return "done";
}

/** Unmap pages, unlink the tables that are empty then, flush, release them. Refused if out of range. */
export function munmap(k: Kernel, number: number, address: bigint, pages: number): Answer {
  const range = userRange(k, number, address, pages);
  if (typeof range === "string") return range;
  const leaves = leavesIn(k, range.root, range);
  for (const leaf of leaves) setEntry(k, leaf.table, leaf.address, 0n);
  if (k.detect && !k.policy.notifyUser) markDevicesStale(k, number, leaves, STALE);

  const unlinked: number[] = [];
  for (let level: Level = 1; level < k.parameters.levels; level = (level + 1) as Level) {
    for (const { table, frame, address: at } of tablesIn(k, range.root, range, level)) {
      if (!k.memory.isTable(frame) || !k.memory.isEmpty(frame)) continue;
      setEntry(k, table, at, 0n);
      unlinked.push(frame);
    }
  }
  range.mm.underWay += 1;
  k.points.reach("MUNMAP_UNLINKED", range.start);
  flushMmRange(k, number, range, 12);
  k.points.reach("MUNMAP_FLUSHED", range.start);
  range.mm.underWay -= 1;
  for (const frame of unlinked) k.memory.release(frame, USER_SITE, k.hazards.operation);
  return "done";
}

/** Without the notifier, IOTLBs and device TLBs of the bound PASIDs keep what is gone, or (by the mark) may be written no more. */
export function markDevicesStale(k: Kernel, number: number, leaves: readonly PlacedLeaf[], mark: bigint): void {
  for (const binding of k.spaces.bindings) {
    if (binding.mm !== number || !binding.entry) continue;
    const iommu = k.iommu(binding.iommu);
    const tag = iommu.indexOf(binding.pasid);
    const names = (entry: CacheEntry): boolean => entry.tag === tag && leaves.some((leaf) => k.isOf(leaf, entry));
    iommu.agent.markStale(names, mark);
    for (const device of iommu.devices) device?.markStale(names, mark);
  }
}

/** Make pages read-only. Refused if out of range. */
export function mprotect(k: Kernel, number: number, address: bigint, pages: number): Answer {
  const range = userRange(k, number, address, pages);
  if (typeof range === "string") return range;
  const writable = leavesIn(k, range.root, range).filter(({ entry }) => (entry & WRITABLE) !== 0n);
  for (const { table, entry, address: at } of writable) setEntry(k, table, at, entry & ~WRITABLE);
  if (k.detect && !k.policy.notifyUser) markDevicesStale(k, number, writable, STALE_RIGHTS);
  return flushMmRange(k, number, range, 12);
}

/** Operations on user mappings. */
export type UserCall =
  /** `type` bit 0: 2 MiB leaves, bit 1: read-only. */
  | { kind: "mmap"; mm: number; address: bigint; pages: number; type: number }
  | { kind: "munmap" | "mprotect"; mm: number; address: bigint; pages: number };

export const userCalls: Calls<UserCall> = {
  mmap: (k, { mm, address, pages, type }) => mmap(k, mm, address, pages, type),
  munmap: (k, { mm, address, pages }) => munmap(k, mm, address, pages),
  mprotect: (k, { mm, address, pages }) => mprotect(k, mm, address, pages),
};
