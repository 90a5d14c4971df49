// Hazards as the API gives them (docs/rules.md section 12).

import { frameStates, hazardRecordSize, hazardKinds as kinds, noSite, hazardRecord as record } from "../engine/abi.js";
import type { Engine } from "../engine/instance.js";
import { type Field, readNumber, readWord } from "../engine/structures.js";
import type { FrameState } from "../paging/frames.js";
import { type Site, sites } from "../program/sites.js";

/**
 * Kinds of hazard, in rising harm:
 *
 * - `walk-after-free`: an entry was read from a freed frame;
 * - `write-after-free`: an accessed or dirty bit was set in a frame that is no longer that table;
 * - `walk-of-reused-frame`: an entry was read from a frame that holds someone's data, or another table, by now;
 * - `forged-translation`: a translation was completed through such a frame;
 * - `stale-rights`: a cached leaf allowed a write after its page had been made read-only;
 * - `stale-translation`: a cached leaf was used after its page had been unmapped or given away.
 */
export type HazardKind = (typeof kinds)[number];

/** Kinds in the engine's order. */
export const hazardKinds: readonly HazardKind[] = kinds;

/** Whether a hazard is a hit of a cached leaf, not a walk through a table. @internal */
export function isHit({ kind }: Pick<Hazard, "kind">): boolean {
  return kind === "stale-translation" || kind === "stale-rights";
}

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
  /** Virtual address of the walk or hit. */
  address: bigint;
  /** Kind of access, one of `Access`. */
  access: number;
  /** Level of the table that is no longer one; of a hit, level of its leaf. */
  level: number;
  /** Frame number of that table; of a hit, of the page. */
  frame: number;
  /** Generation that the pointer meant, and that the frame has now. */
  generations: { cached: number; now: number };
  /** State of that frame when it was used; of a hit, of the page's. */
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
  /** By kind; a record of several kinds counts in each. */
  byKind: Record<HazardKind, number>;
  /** By the site that freed the frame, and kind. */
  bySite: Partial<Record<Site, Record<HazardKind, number>>>;
  /** Records that the ring no longer holds. */
  dropped: number;
}

/** @internal */
export function readCounts({ exports }: Engine, ring: number): HazardCounts {
  const at = (kind: number, site: number): number => Number(exports.hazardCount(kind, site));
  const row = (site: number): Record<HazardKind, number> =>
    Object.fromEntries(hazardKinds.map((name, kind) => [name, at(kind, site)])) as Record<HazardKind, number>;
  const rows = [...sites.map((_, site) => row(site)), row(noSite)];
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
    hazards.push(readRecord(engine, engine.exports.hazardRecord(BigInt(number))));
  }
  return hazards;
}

function readRecord(engine: Engine, at: number): Hazard {
  const view = engine.view(at, hazardRecordSize);
  const number = (field: Field): number => readNumber(view, field);
  const bits = number(record.kinds);
  const kinds = hazardKinds.filter((_, kind) => (bits >> kind) & 1);
  return {
    operation: number(record.operation),
    time: number(record.time),
    address: readWord(view, record.address),
    frame: number(record.frame),
    freedAt: number(record.freedAt),
    generations: { cached: number(record.generationThen), now: number(record.generationNow) },
    tag: number(record.tag),
    agent: number(record.agent),
    access: number(record.access),
    level: number(record.level),
    state: frameStates[number(record.state)] as FrameState,
    site: sites[number(record.site)],
    kinds,
    kind: kinds.at(-1) as HazardKind,
  };
}
