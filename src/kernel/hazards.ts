// Hazards as the API gives them (docs/rules.md section 12; assembly/hardware/hazard.ts has the record).

import type { Engine } from "../engine/instance.js";
import type { FrameState } from "../paging/frames.js";
import { type Site, sites } from "../program/sites.js";

/** Kinds of hazard, in rising harm. */
export type HazardKind =
  /** An entry was read from a freed frame. */
  | "walk-after-free"
  /** An accessed or dirty bit was set in a frame that is no longer that table. */
  | "write-after-free"
  /** An entry was read from a frame that holds someone's data, or another table, by now. */
  | "walk-of-reused-frame"
  /** A translation was completed through such a frame. */
  | "forged-translation"
  /** A cached leaf was used after its page had been unmapped or given away. */
  | "stale-translation";

/** Kinds in the engine's order. */
export const hazardKinds: readonly HazardKind[] = [
  "walk-after-free",
  "write-after-free",
  "walk-of-reused-frame",
  "forged-translation",
  "stale-translation",
];

/** One walk (or hit) that used what it should not have. */
export interface Hazard {
  /** Number of the operation that used it. */
  operation: number;
  /** Time that the program had told by then, ns (0 if it tells none). */
  time: number;
  /** The agent: CPUs first, then IOMMUs, by number. */
  agent: number;
  /** PCID of a CPU, dense index of the PASID of an IOMMU. */
  tag: number;
  address: bigint;
  /** Kind of access, one of `Access`. */
  access: number;
  /** Level of the table that is no longer one; of a stale translation, level of its leaf. */
  level: number;
  /** Frame number of that table; of a stale translation, of the page. */
  frame: number;
  /** Generation that the pointer meant, and that the frame has now. */
  generations: { cached: number; now: number };
  state: FrameState;
  /** The worst kind that applies. */
  kind: HazardKind;
  /** All that apply. */
  kinds: HazardKind[];
  /** Where the frame was freed, if a site freed it. */
  site: Site | undefined;
  /** Number of the operation that freed it. */
  freedAt: number;
}

/** Hazards by kind, and by kind and site. */
export interface HazardCounts {
  /** Walks and hits with a hazard. */
  total: number;
  byKind: Record<HazardKind, number>;
  bySite: Partial<Record<Site, Record<HazardKind, number>>>;
  /** Records that the ring no longer holds. */
  dropped: number;
}

const STATES: readonly FrameState[] = ["free", "table", "data"];

/** @internal */
export function readCounts({ exports }: Engine, ring: number): HazardCounts {
  const at = (kind: number, site: number): number => Number(exports.hazardCount(kind, site));
  const row = (site: number): Record<HazardKind, number> =>
    Object.fromEntries(hazardKinds.map((name, kind) => [name, at(kind, site)])) as Record<HazardKind, number>;
  const rows = Array.from({ length: sites.length + 1 }, (_, site) => row(site));
  const byKind = Object.fromEntries(
    hazardKinds.map((kind) => [kind, rows.reduce((sum, counts) => sum + counts[kind], 0)]),
  ) as Record<HazardKind, number>;
  const bySite: HazardCounts["bySite"] = {};
  for (const [i, site] of sites.entries()) {
    const counts = rows[i] as Record<HazardKind, number>;
    if (Object.values(counts).some((count) => count > 0)) bySite[site] = counts;
  }
  const total = Number(exports.hazardsRecorded());
  return { total, byKind, bySite, dropped: Math.max(0, total - ring) };
}

/** The records that the ring holds, oldest first. @internal */
export function readHazards(engine: Engine, ring: number): Hazard[] {
  const total = Number(engine.exports.hazardsRecorded());
  const hazards: Hazard[] = [];
  for (let number = Math.max(0, total - ring); number < total; number++) {
    hazards.push(readRecord(engine, engine.exports.hazardRecord(number % ring)));
  }
  return hazards;
}

function readRecord(engine: Engine, at: number): Hazard {
  const view = new DataView(engine.exports.memory.buffer, at >>> 0, 64);
  const bits = view.getUint8(54);
  const kinds = hazardKinds.filter((_, kind) => (bits >> kind) & 1);
  return {
    operation: Number(view.getBigUint64(0, true)),
    time: Number(view.getBigUint64(8, true)),
    address: view.getBigUint64(16, true),
    frame: Number(view.getBigUint64(24, true)),
    freedAt: Number(view.getBigUint64(32, true)),
    generations: { cached: view.getUint32(40, true), now: view.getUint32(44, true) },
    tag: view.getUint32(48, true),
    agent: view.getUint16(52, true),
    access: view.getUint8(55),
    level: view.getUint8(56),
    state: STATES[view.getUint8(57)] as FrameState,
    site: sites[view.getUint8(58)],
    kinds,
    kind: kinds.at(-1) as HazardKind,
  };
}
