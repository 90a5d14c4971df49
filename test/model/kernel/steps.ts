// The steps of a free one by one, for traces (rules.md 10.9).

import { entryIndex, frameOf, isLeaf, type Level, PRESENT } from "../entry.js";
import type { Calls } from "./calls.js";
import { misplaced, TABLE_BITS } from "./geometry.js";
import type { Kernel } from "./kernel.js";
import { freeTable, isFreeable } from "./policy.js";
import type { Answer } from "./refusals.js";
import { SITE } from "./sites.js";
import { entryAt, findTable, needTable } from "./tables.js";

/** Level of the table that a step is about; 0: the site's own. */
export type StepLevel = 0 | 1 | 2 | 3;

/** The steps. */
export type StepCall =
  | { kind: "table-clear"; site: number; address: bigint; level?: StepLevel }
  /** `mark`: what the table is known to have. */
  | { kind: "table-free"; site: number; address: bigint; level?: StepLevel; mark?: "kernel" | "none" };

function levelOf(site: number, level: StepLevel): 1 | 2 | 3 {
  if (level !== 0) return level;
  return site === SITE.pudFreePmdPage ? 2 : 1;
}

/** Mark of the tables above one that a site frees. */
function markAbove(site: number): "kernel" | "none" {
  const marked: readonly number[] = [SITE.pmdFreePtePage, SITE.pudFreePmdPage, SITE.kasanRemoveZeroShadow];
  return marked.includes(site) ? "kernel" : "none";
}

/** Mark of a table that a site frees. */
function markOf(k: Kernel, site: number): "kernel" | "none" {
  return site === SITE.cpaCollapse && k.traits.splitsMarked ? "kernel" : markAbove(site);
}

/** Unlink and remember the table that a site is about to free; made first if it is not there. */
function tableClear(k: Kernel, { site, address, level: given = 0 }: StepCall): Answer {
  const level = levelOf(site, given);
  const above = (level + 1) as Level;
  const wrong = misplaced(k.parameters.levels, "kernel", { start: address, end: address + 1n });
  if (wrong !== undefined) return wrong;
  const holder = needTable(k, k.spaces.initMm, address, above, { mark: markAbove(site), bits: TABLE_BITS });
  if (typeof holder === "string") return holder;
  const own = { mark: markOf(k, site), bits: TABLE_BITS };
  const target = needTable(k, k.spaces.initMm, address, level, own);
  if (typeof target === "string") return target;
  if (isFreeable(k, target.frame)) {
    // A table waits in one place only.
    for (const [place, frame] of k.remembered) if (frame === target.frame) k.remembered.delete(place);
    k.remembered.set(`${site} ${address}`, target.frame);
  }
  // In a root of init_mm alone: nobody copies a clear.
  k.memory.writeEntry(holder.frame, entryIndex(address, above), 0n);
  k.points.reach("TABLE_CLEARED", address);
  return "done";
}

/** Free what was remembered, or what the entry names, or a table newly allocated. */
function tableFree(k: Kernel, call: Extract<StepCall, { kind: "table-free" }>): Answer {
  const { site, address, level: given = 0, mark } = call;
  const level = levelOf(site, given);
  const above = (level + 1) as Level;
  const wrong = misplaced(k.parameters.levels, "kernel", { start: address, end: address + 1n });
  if (wrong !== undefined) return wrong;
  const name = `${site} ${address}`;
  const holder = findTable(k, k.spaces.initMm, address, above);
  const entry = typeof holder === "string" ? 0n : entryAt(k, holder, address);
  const linked = (entry & PRESENT) !== 0n && !isLeaf(entry, above) ? frameOf(entry) : undefined;
  const named = k.remembered.get(name) ?? (linked !== undefined && isFreeable(k, linked) ? linked : undefined);
  const frame = named ?? k.memory.allocateTable(level, markOf(k, site));
  if (frame === undefined) return "no-free-frame";
  k.remembered.delete(name);
  if (mark !== undefined && isFreeable(k, frame)) k.memory.remark(frame, mark);
  freeTable(k, frame, site);
  k.points.reach("TABLE_FREED", frame);
  return "done";
}

/** How they play. */
export const stepCalls: Calls<StepCall> = {
  "table-clear": tableClear,
  "table-free": tableFree,
};
