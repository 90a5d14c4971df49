// madvise(MADV_DONTNEED) and the page tables that it empties (rules.md 10.6).

import { STALE } from "../cache.js";
import { levelShift } from "../entry.js";
import type { Calls } from "./calls.js";
import { flushMmRange } from "./flush.js";
import { LARGE, misplacedPages, PAGE } from "./geometry.js";
import type { Kernel } from "./kernel.js";
import { RECLAIM_SITE } from "./policy.js";
import type { Answer } from "./refusals.js";
import { leavesIn, setEntry, tablesIn } from "./tables.js";
import { markDevicesStale } from "./user.js";

/** Give up pages; then, if the kernel does so, the page tables of whole 2 MiB that are empty. */
export function dontNeed(k: Kernel, number: number, address: bigint, pages: number): Answer {
  const mm = k.spaces.mms.get(number);
  if (mm === undefined) return "no-such-mm";
  const range = { start: address, end: address + BigInt(pages) * PAGE };
  const wrong = misplacedPages(k.parameters.levels, "user", range);
  if (wrong !== undefined) return wrong;
  const leaves = leavesIn(k, mm.root, range);
  for (const leaf of leaves) setEntry(k, leaf.table, leaf.address, 0n);
  if (k.detect && !k.policy.notifyUser) markDevicesStale(k, number, leaves, STALE);

  const gathered = leaves.map((leaf) => ({
    start: leaf.address,
    end: leaf.address + (1n << BigInt(levelShift(leaf.level))),
  }));
  const unlinked: number[] = [];
  for (const { table, frame, address: at } of k.traits.reclaims ? tablesIn(k, mm.root, range, 1) : []) {
    const whole = at >= range.start && at + LARGE <= range.end;
    if (!whole || !k.memory.isTable(frame) || !k.memory.isEmpty(frame)) continue;
    setEntry(k, table, at, 0n);
    unlinked.push(frame);
    const start = k.traits.reclaimFlushesPastTable ? at + LARGE : at;
    gathered.push({ start, end: start + PAGE });
  }
  mm.underWay += 1;
  k.points.reach("RECLAIM_UNLINKED", range.start);
  if (gathered.length > 0) {
    const start = gathered.reduce((least, it) => (it.start < least ? it.start : least), gathered[0]?.start ?? 0n);
    const end = gathered.reduce((most, it) => (it.end > most ? it.end : most), 0n);
    flushMmRange(k, number, { start, end }, leaves.some(({ level }) => level === 1) ? 12 : 21);
  }
  k.points.reach("RECLAIM_FLUSHED", range.start);
  mm.underWay -= 1;
  for (const frame of unlinked) k.memory.release(frame, RECLAIM_SITE, k.hazards.operation);
  return "done";
}

/** Operations that give pages up. */
export type ReclaimCall = { kind: "dont-need"; mm: number; address: bigint; pages: number };

export const reclaimCalls: Calls<ReclaimCall> = {
  "dont-need": (k, { mm, address, pages }) => dontNeed(k, mm, address, pages),
};
