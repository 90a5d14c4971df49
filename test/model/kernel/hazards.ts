// Detection of hazards (rules.md section 12): looks at each walk when it has ended, and at each hit of a stale translation.
// Nothing changes a frame's state during a walk, so that the order within the walk does not matter.

import { ACCESS_IMPLICIT, ACCESS_SPECULATIVE, ACCESS_USER, type Access } from "../access.js";
import type { Watch } from "../agent.js";
import { STALE } from "../cache.js";
import { frameOf, type Level } from "../entry.js";
import type { FrameState } from "../memory.js";
import type { CachedLeaf, WalkResult, WalkStart } from "../walk.js";
import type { FrameStore } from "./frame-store.js";

/** Kinds of hazards. */
export const HAZARD_KINDS = [
  "walk-after-free",
  "write-after-free",
  "walk-of-reused-frame",
  "forged-translation",
  "stale-translation",
] as const;
export type HazardKind = (typeof HAZARD_KINDS)[number];

/** One record: of a walk through a bad table, or of a hit of a stale translation. */
export interface HazardRecord {
  /** Number of the main operation during which it happened. */
  operation: number;
  /** CPUs in order, then IOMMUs in order. */
  agent: number;
  /** PCID or PASID index of the requester. */
  tag: number;
  address: bigint;
  /** Level of the bad table; of the leaf for a stale translation. */
  level: Level;
  /** Frame number of the bad table; of the page (its first frame) for a stale translation. */
  frame: number;
  /** Generation that the pointer had, or (read from memory) that the frame has; 0 for a stale translation. */
  cachedGeneration: number;
  /** Generation of the frame now; 0 for a stale translation. */
  generation: number;
  /** State of the bad table's frame now; undefined for a stale translation. */
  state: FrameState | undefined;
  /** In the order of `HAZARD_KINDS`. */
  kinds: HazardKind[];
  /** Site of the last free of the frame; undefined if it was never freed, and for a stale translation. */
  site: number | undefined;
  /** Number of the operation of that free. */
  freedIn: number | undefined;
  /** Access code as the agent took it: implicit has no user bit, a speculative write is a read, requests are user. */
  access: number;
}

/** Hazards so far. */
export interface HazardDump {
  /** The latest records, oldest first. */
  records: HazardRecord[];
  /** Records that the ring no longer holds. */
  dropped: number;
  /** "kind/site" (site "none" if there is none) -> how often. */
  counts: Record<string, number>;
}

/** Encoding of an access. */
function accessCode({ type, user, implicit, speculative }: Access): number {
  return (
    { read: 0, write: 1, fetch: 2 }[type] +
    (user ? ACCESS_USER : 0) +
    (implicit ? ACCESS_IMPLICIT : 0) +
    (speculative ? ACCESS_SPECULATIVE : 0)
  );
}

/** The ring of records and the counts. */
export class Hazards {
  /** Number of the main operation that is being played. */
  operation = 0;
  readonly #records: HazardRecord[] = [];
  readonly #counts = new Map<string, number>();
  #dropped = 0;

  /** `ring`: how many records are kept, 0 or more. */
  constructor(
    readonly memory: FrameStore,
    readonly ring: number,
  ) {}

  /** What an agent's walks and hits are told to. */
  watchOf(agent: number): Watch {
    return {
      walked: (tag, address, access, start, result) =>
        this.#walked({ agent, tag, address, access: accessCode(access) }, start, result),
      hit: (tag, address, access, leaf) => this.#hit({ agent, tag, address, access: accessCode(access) }, leaf),
    };
  }

  /** Records and counts. */
  dump(): HazardDump {
    return {
      records: this.#records.map((record) => ({ ...record })),
      dropped: this.#dropped,
      counts: Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  #walked(by: Requester, start: WalkStart, { steps, outcome }: WalkResult): void {
    const first = steps.findIndex(({ frame }, place) => {
      const moved = place === 0 && start.generation !== undefined && start.generation !== this.#generation(frame);
      return moved || !this.memory.isTable(frame);
    });
    const bad = steps[first];
    if (bad === undefined) return;
    const state = this.memory.state(bad.frame);
    const kinds: Record<HazardKind, boolean> = {
      "walk-after-free": state === "free",
      "write-after-free": steps.slice(first).some(({ written }) => written),
      "walk-of-reused-frame": state !== "free",
      "forged-translation": outcome.kind === "ok",
      "stale-translation": false,
    };
    const generation = this.#generation(bad.frame);
    this.#record({
      ...by,
      operation: this.operation,
      level: bad.level,
      frame: bad.frame,
      cachedGeneration: (first === 0 ? start.generation : undefined) ?? generation,
      generation,
      state,
      kinds: HAZARD_KINDS.filter((kind) => kinds[kind]),
      site: this.memory.info(bad.frame)?.site,
      freedIn: this.memory.info(bad.frame)?.operation,
    });
  }

  #hit(by: Requester, leaf: CachedLeaf): void {
    if ((leaf.data & STALE) === 0n) return;
    this.#record({
      ...by,
      operation: this.operation,
      level: leaf.level,
      frame: frameOf(leaf.data & ~STALE),
      cachedGeneration: 0,
      generation: 0,
      state: undefined,
      kinds: ["stale-translation"],
      site: undefined,
      freedIn: undefined,
    });
  }

  #generation(frame: number): number {
    return this.memory.generation(frame);
  }

  #record(record: HazardRecord): void {
    for (const kind of record.kinds) {
      const name = `${kind}/${record.site ?? "none"}`;
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    }
    this.#records.push(record);
    if (this.#records.length <= this.ring) return;
    this.#records.shift();
    this.#dropped += 1;
  }
}

/** Who walked or hit, where and how. */
type Requester = Pick<HazardRecord, "agent" | "tag" | "address" | "access">;
