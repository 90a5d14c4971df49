// A cache as seen from outside: its counters and its contents.

import {
  type CacheCounterValues,
  cacheCounters,
  cacheDumpSize,
  cacheField,
  cacheKeyGlobal,
  cacheKeyLevel,
  cacheKeyPageShift,
  cacheKeyTag,
  cacheKeyTagShift,
  cacheDump as dump,
} from "../engine/abi.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import { readCounters, readNumber, readWord } from "../engine/structures.js";
import { shiftOf } from "../paging/levels.js";
import type { CacheShape } from "./geometry.js";

/** Counters of a cache since it was made. */
export interface CacheCounters extends Omit<CacheCounterValues, "misses"> {
  /** Translations that reached it. */
  lookups: number;
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
  /** IOTLB: number of the device that the entry belongs to. */
  device?: number;
  /** IOTLB and paging-structure caches of an IOMMU: domain id that the PASID had when the entry was filled. */
  domain?: number;
  /** Frame and cumulative rights in the positions of a page-table entry (docs/rules.md section 4). */
  data: bigint;
  /** Place in its set's order of replacement: 0 is the next victim (always 0 under random replacement). */
  rank: number;
}

/** What a tag in an IOMMU's cache stands for. @internal */
export type TagReader = (tag: number) => Pick<CacheEntry, "tag" | "device" | "domain">;

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
    private readonly readTag: TagReader = (tag) => ({ tag }),
  ) {
    this.entries = shape.sets * shape.ways;
    this.ways = shape.ways;
  }

  /** Counters since the cache was made. */
  get counters(): CacheCounters {
    return readCacheCounters(this.engine, this.pointer);
  }

  /** One of these, by itself: a search reads two of them after every program. @internal */
  counter(name: "hits" | "fills"): number {
    return Number(this.engine.exports.cacheCounter(this.pointer, cacheCounters.indexOf(name)));
  }

  /** Live entries by set and way. For looking and comparing, not for hot paths. */
  contents(): CacheEntry[] {
    const { at, words } = this.scratch;
    const found = this.engine.exports.cacheContents(this.pointer, at, Math.floor((words * 8) / cacheDumpSize));
    const view = this.engine.view(at, found * cacheDumpSize);
    const entries: CacheEntry[] = [];
    for (let from = 0; from < view.byteLength; from += cacheDumpSize) {
      const key = readWord(view, dump.key, from);
      entries.push({
        set: readNumber(view, dump.set, from),
        way: readNumber(view, dump.way, from),
        pageShift: this.span || shiftOf(Number(key & cacheKeyLevel)),
        pageNumber: key >> cacheKeyPageShift,
        ...(key & cacheKeyGlobal ? { tag: "global" } : this.readTag(Number((key >> cacheKeyTagShift) & cacheKeyTag))),
        data: readWord(view, dump.data, from),
        rank: readNumber(view, dump.rank, from),
      });
    }
    return entries;
  }

  /** Of a paging-structure cache: no entry leads to this slot any more; each looks for its frame again. @internal */
  forgetSlot(slot: number): void {
    const head = this.engine.view(this.pointer, cacheField.links + 4);
    const field = (at: number): number => head.getUint32(at, true);
    const [base, bytes] = [field(cacheField.base), field(cacheField.setBytes)];
    const links = field(cacheField.keys) + field(cacheField.links);
    const sets = this.engine.view(base, field(cacheField.sets) * bytes);
    for (let set = 0; set < sets.byteLength; set += bytes) {
      for (let way = 0; way < this.ways; way++) {
        const at = set + links + way * 8;
        if (sets.getUint32(at, true) === slot) sets.setUint32(at, 0, true);
      }
    }
  }

  /** For tests of the engine's 32-bit clock: moves it on. @internal */
  moveClock(clock: number): void {
    this.engine.exports.setCacheClock(this.pointer, clock);
  }
}

/** Counters of the cache at a place in the engine's memory. @internal */
export function readCacheCounters({ exports }: Engine, cache: Pointer): CacheCounters {
  const { misses, ...counters } = readCounters(cacheCounters, (number) => exports.cacheCounter(cache, number));
  return { lookups: counters.hits + misses, ...counters };
}
