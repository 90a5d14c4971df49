// One set-associative cache (rules.md section 4; SDM 4.10.2, 4.10.3): translation caches and paging-structure caches alike.
// Kept as an array of ways per set, so that way numbers, victims and the order of replacement can be compared exactly.

/** How the victim in a full set is chosen. */
export type Replacement = "lru" | "fifo" | "random";

/** Geometry of any cache. */
export interface CacheGeometry {
  /** Entries in all; a multiple of `ways`. */
  entries: number;
  ways: number;
  replacement: Replacement;
  enabled: boolean;
}

/** Mark in the data of a translation whose page was unmapped since its fill (rules.md section 12); a fill is fresh. */
export const STALE = 1n << 52n;
/** The same if its page was made read-only. */
export const STALE_RIGHTS = 1n << 53n;

/** PCID or PASID index, or global. */
export type Tag = number | "global";

/** Whom an entry belongs to, and whom a lookup is made for. CPUs and device TLBs have a tag alone. */
export interface Owner {
  tag: number;
  /** IOTLB: number of the device. */
  device?: number;
  /** IOTLB and paging-structure caches of an IOMMU: domain id. */
  domain?: number;
}

/** The five counters of a cache. */
export interface CacheCounters {
  lookups: number;
  hits: number;
  fills: number;
  evictions: number;
  invalidated: number;
}

/** What is put into a cache. */
export interface CacheEntry {
  /** log2 of the bytes that the entry spans. */
  pageShift: number;
  /** Translated address bits >> pageShift. */
  pageNumber: bigint;
  tag: Tag;
  device?: number;
  domain?: number;
  data: bigint;
  /** Paging-structure caches: generation of the next table's frame at the fill. Else 0. */
  generation: number;
}

/** A live way. */
export interface Way extends CacheEntry {
  /** Clock of the last fill. */
  filled: number;
  /** Clock of the last hit or fill. */
  used: number;
}

/** One live way as dumped. */
export interface DumpedWay {
  set: number;
  way: number;
  pageShift: number;
  pageNumber: bigint;
  tag: Tag;
  device?: number;
  domain?: number;
  data: bigint;
  /** Place in the order of replacement among the live ways of the set, 0 = next victim; 0 for all if random. */
  rank: number;
}

/** Content and counters of a cache. */
export interface CacheDump {
  /** Sorted by set, then way. */
  ways: DumpedWay[];
  counters: CacheCounters;
}

/** A set-associative cache of entries of one or more page sizes. */
export class Cache {
  readonly enabled: boolean;
  readonly counters: CacheCounters = { lookups: 0, hits: 0, fills: 0, evictions: 0, invalidated: 0 };
  /** Sizes that it holds (log2 bytes), smallest first. */
  readonly pageShifts: readonly number[];
  readonly #sets: (Way | undefined)[][];
  readonly #replacement: Replacement;
  #clock = 0;
  #random = 0x9e3779b9;

  /** @throws RangeError if `entries` is not a positive multiple of `ways` */
  constructor(geometry: CacheGeometry, pageShifts: readonly number[]) {
    const { entries, ways } = geometry;
    if (!(Number.isInteger(entries / ways) && entries > 0 && ways > 0)) {
      throw new RangeError(`cache of ${entries} entries and ${ways} ways: expected a positive multiple of the ways`);
    }
    this.enabled = geometry.enabled;
    this.pageShifts = [...pageShifts].sort((a, b) => a - b);
    this.#replacement = geometry.replacement;
    this.#sets = Array.from({ length: entries / ways }, () => new Array<Way | undefined>(ways).fill(undefined));
  }

  /** The entry that answers for an address (translated bits) and its owner: smallest size first, then lowest way. Changes nothing. */
  match(address: bigint, of: number | Owner): Way | undefined {
    const owner = typeof of === "number" ? { tag: of } : of;
    for (const pageShift of this.pageShifts) {
      const pageNumber = address >> BigInt(pageShift);
      for (const way of this.#setOf(pageNumber)) {
        if (way === undefined || way.pageShift !== pageShift || way.pageNumber !== pageNumber) continue;
        if (way.tag === "global" || sameOwner(way, owner)) return way;
      }
    }
    return undefined;
  }

  /** Count a hit on a way and make it the most recently used. */
  hit(way: Way): void {
    this.counters.hits += 1;
    this.#clock += 1;
    way.used = this.#clock;
  }

  /** Put an entry in: over its like, else into the first empty way, else over the victim. Nothing if disabled. */
  fill(entry: CacheEntry): void {
    if (!this.enabled) return;
    const set = this.#setOf(entry.pageNumber);
    this.counters.fills += 1;
    this.#clock += 1;
    set[this.#wayFor(entry, set)] = { ...entry, filled: this.#clock, used: this.#clock };
  }

  /** Drop and count every live entry that the predicate names. */
  invalidate(drops: (entry: CacheEntry) => boolean): void {
    for (const set of this.#sets) {
      for (const [number, way] of set.entries()) {
        if (way === undefined || !drops(way)) continue;
        set[number] = undefined;
        this.counters.invalidated += 1;
      }
    }
  }

  /** Mark every live entry that the predicate names as stale, or its rights. */
  markStale(names: (entry: CacheEntry) => boolean, mark: bigint): void {
    for (const way of this.#sets.flat()) {
      if (way !== undefined && names(way)) way.data |= mark;
    }
  }

  /** Content and counters, as plain values. */
  dump(): CacheDump {
    const ways: DumpedWay[] = [];
    for (const [set, members] of this.#sets.entries()) {
      for (const [way, it] of members.entries()) {
        if (it === undefined) continue;
        const { generation: _, filled: _filled, used: _used, ...entry } = it;
        const older = members.filter((other) => other !== undefined && this.#age(other) < this.#age(it));
        ways.push({ set, way, ...entry, rank: older.length });
      }
    }
    return { ways, counters: { ...this.counters } };
  }

  #setOf(pageNumber: bigint): (Way | undefined)[] {
    return this.#sets[Number(pageNumber % BigInt(this.#sets.length))] ?? [];
  }

  /** What the replacement goes by: the smallest is the victim. */
  #age(way: Way): number {
    return { lru: way.used, fifo: way.filled, random: 0 }[this.#replacement];
  }

  #wayFor(entry: CacheEntry, set: (Way | undefined)[]): number {
    const same = set.findIndex(
      (way) => way?.pageShift === entry.pageShift && way.pageNumber === entry.pageNumber && sameOwner(way, entry),
    );
    if (same >= 0) return same;
    const empty = set.indexOf(undefined);
    if (empty >= 0) return empty;
    this.counters.evictions += 1;
    if (this.#replacement === "random") return this.#nextRandom() % set.length;
    const ages = set.map((way) => (way === undefined ? 0 : this.#age(way)));
    return ages.indexOf(Math.min(...ages));
  }

  #nextRandom(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x >>> 0;
    return this.#random;
  }
}

/** Whether two entries, or an entry and a lookup, have the same owner. */
function sameOwner(a: Pick<CacheEntry, "tag" | "device" | "domain">, b: typeof a): boolean {
  return a.tag === b.tag && a.device === b.device && a.domain === b.domain;
}
