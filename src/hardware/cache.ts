// A cache as seen from outside: its counters and its contents.

import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import type { CacheShape } from "./geometry.js";

/** Counters of a cache since it was made. */
export interface CacheCounters {
  /** Translations that reached it. */
  lookups: number;
  /** Lookups that it answered, refusals included. */
  hits: number;
  /** Entries written, in empty ways, over a victim or in place. */
  fills: number;
  /** Live entries that a fill displaced. */
  evictions: number;
  /** Live entries that an invalidation or a page fault dropped. */
  invalidated: number;
}

/** A live entry of a cache. */
export interface CacheEntry {
  /** Set, from 0. */
  set: number;
  /** Way within the set, from 0. */
  way: number;
  /** log2 of the bytes that the entry covers: 12, 21, 30 for leaves, the span of the level in a paging-structure cache. */
  pageShift: number;
  /** Translated address bits >> pageShift. */
  pageNumber: bigint;
  /** PCID, or dense index of the PASID; `global` matches under every tag. */
  tag: number | "global";
  /** Frame and cumulative rights in the positions of a page-table entry (docs/rules.md section 4). */
  data: bigint;
  /** Place in its set's order of replacement: 0 is the next victim (always 0 under random replacement). */
  rank: number;
}

const ENTRY_WORDS = 4;
const SHIFT_OF_LEVEL = [0, 12, 21, 30];

/** A translation cache or paging-structure cache of a machine. */
export class Cache {
  /** Capacity in entries. */
  readonly entries: number;
  /** Ways per set. */
  readonly ways: number;

  /** @internal */
  constructor(
    private readonly engine: Engine,
    private readonly scratch: { at: Pointer; words: number },
    /** @internal */ readonly pointer: Pointer,
    /** Name within its agent: `l1`, `l2[1]`, `psc3`, … */
    readonly name: string,
    shape: CacheShape,
    private readonly span: number,
  ) {
    this.entries = shape.sets * shape.ways;
    this.ways = shape.ways;
  }

  /** Counters since the cache was made. */
  get counters(): CacheCounters {
    const counter = (which: number): number => Number(this.engine.exports.cacheCounter(this.pointer, which));
    return { lookups: counter(0), hits: counter(1), fills: counter(2), evictions: counter(3), invalidated: counter(4) };
  }

  /** Live entries by set and way. For looking and comparing, not for hot paths. */
  contents(): CacheEntry[] {
    const { at, words } = this.scratch;
    const found = this.engine.exports.cacheContents(this.pointer, at, Math.floor(words / ENTRY_WORDS));
    const view = this.engine.words(at, found * ENTRY_WORDS);
    const entries: CacheEntry[] = [];
    for (let i = 0; i < view.length; i += ENTRY_WORDS) {
      const [key, data, place, rank] = view.subarray(i, i + ENTRY_WORDS) as unknown as [bigint, bigint, bigint, bigint];
      entries.push({
        set: Number(place & 0xffff_ffffn),
        way: Number(place >> 32n),
        pageShift: this.span || (SHIFT_OF_LEVEL[Number(key & 3n)] as number),
        pageNumber: key >> 19n,
        tag: key & 4n ? "global" : Number((key >> 3n) & 0xffffn),
        data,
        rank: Number(rank & 0xffff_ffffn),
      });
    }
    return entries;
  }

  /** For tests of the engine's 32-bit clock: moves it on. @internal */
  moveClock(clock: number): void {
    this.engine.exports.setCacheClock(this.pointer, clock);
  }
}
