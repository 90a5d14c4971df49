// Detection of hazards (rules.md sections 12 and 14): looks at each step of a walk when it is made, and at each hit of a stale
// translation, or of one with stale rights.

import { ACCESS_IMPLICIT, ACCESS_SPECULATIVE, ACCESS_USER, type Access } from "../access.js";
import { STALE, STALE_RIGHTS } from "../cache.js";
import { frameOf, type Level, WRITABLE } from "../entry.js";
import type { FrameState } from "../memory.js";
import type { CachedLeaf, TableRead } from "../walk.js";
import type { Watch, WatchedWalk } from "../walks.js";
import type { FrameStore } from "./frame-store.js";

/** Kinds of hazards. */
export const HAZARD_KINDS = [
  "walk-after-free",
  "write-after-free",
  "walk-of-reused-frame",
  "forged-translation",
  "stale-rights",
  "stale-translation",
] as const;
export type HazardKind = (typeof HAZARD_KINDS)[number];

/** One record: of a walk through a bad table, or of a hit of a stale translation. */
export interface HazardRecord {
  /** Number of the main operation during which it happened. */
  operation: number;
  /** What time it was, ns. */
  time: bigint;
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
    private readonly now: () => bigint = () => 0n,
  ) {}

  /** What an agent's walks and hits are told to. */
  watchOf(agent: number): Watch {
    return {
      walks: (tag, address, access) => this.#walks({ agent, tag, address, access: accessCode(access) }),
      hit: (tag, address, access, leaf) => {
        const writes = access.type === "write" || (access.orWrite === true && (leaf.data & WRITABLE) !== 0n);
        const by = { agent, tag, address, access: accessCode(access) };
        if ((leaf.data & STALE) !== 0n) this.#hit(by, leaf, "stale-translation");
        else if ((leaf.data & STALE_RIGHTS) !== 0n && writes) this.#hit(by, leaf, "stale-rights");
      },
    };
  }

  /** Records and counts. */
  dump(): HazardDump {
    return {
      records: this.#records.map((record) => ({ ...record, kinds: [...record.kinds] })),
      dropped: this.#dropped,
      counts: Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  #walks(by: Requester): WatchedWalk {
    let record: HazardRecord | undefined;
    const meet = (table: TableRead, kind: HazardKind): void => {
      const { frame, level, generation } = table;
      if (this.memory.isTable(frame) && generation === this.#generation(frame)) return;
      record = this.#record({
        ...by,
        operation: this.operation,
        time: this.now(),
        level,
        frame,
        cachedGeneration: generation,
        generation: this.#generation(frame),
        state: this.memory.state(frame),
        kinds: [kind],
        site: this.memory.info(frame)?.site,
        freedIn: this.memory.info(frame)?.operation,
      });
    };
    return {
      read: (table) => {
        if (record) return;
        meet(table, this.memory.state(table.frame) === "free" ? "walk-after-free" : "walk-of-reused-frame");
      },
      marked: (table) => {
        if (record) this.#add(record, "write-after-free");
        else meet(table, "write-after-free");
      },
      completed: () => {
        if (record) this.#add(record, "forged-translation");
      },
    };
  }

  /** A further kind of a record, which the ring may have dropped. */
  #add(record: HazardRecord, kind: HazardKind): void {
    if (record.kinds.includes(kind)) return;
    record.kinds = HAZARD_KINDS.filter((it) => it === kind || record.kinds.includes(it));
    this.#count(record, kind);
  }

  #hit(by: Requester, leaf: CachedLeaf, kind: HazardKind): void {
    this.#record({
      ...by,
      operation: this.operation,
      time: this.now(),
      level: leaf.level,
      frame: frameOf(leaf.data),
      cachedGeneration: 0,
      generation: 0,
      state: undefined,
      kinds: [kind],
      site: undefined,
      freedIn: undefined,
    });
  }

  #generation(frame: number): number {
    return this.memory.generation(frame);
  }

  #record(record: HazardRecord): HazardRecord {
    for (const kind of record.kinds) this.#count(record, kind);
    this.#records.push(record);
    if (this.#records.length > this.ring) {
      this.#records.shift();
      this.#dropped += 1;
    }
    return record;
  }

  #count({ site }: HazardRecord, kind: HazardKind): void {
    const name = `${kind}/${site ?? "none"}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}

/** Who walked or hit, where and how. */
type Requester = Pick<HazardRecord, "agent" | "tag" | "address" | "access">;
