// A set-associative cache as one would write it first: objects, BigInt, loops. Flushes are eager.
import type { Shape } from "./shapes.js";

/** An entry of a cache. */
export interface Entry {
  level: number;
  page: bigint;
  /** undefined: global. */
  tag: number | undefined;
  /** Frame and cumulative rights in the positions of a page-table entry. */
  data: bigint;
  usedAt: number;
}

/** One cache with its counters. */
export class NaiveCache {
  lookups = 0;
  hits = 0;
  fills = 0;
  evictions = 0;
  invalidated = 0;
  private readonly sets: (Entry | undefined)[][];
  private clock = 0;

  constructor(readonly shape: Shape) {
    this.sets = Array.from({ length: shape.sets }, () => new Array<Entry | undefined>(shape.ways).fill(undefined));
  }

  private setOf(page: bigint): (Entry | undefined)[] {
    return this.sets[Number(page % BigInt(this.shape.sets))] as (Entry | undefined)[];
  }

  find(level: number, page: bigint, tag: number): Entry | undefined {
    return this.setOf(page).find(
      (entry) => entry?.page === page && entry.level === level && (entry.tag === undefined || entry.tag === tag),
    );
  }

  touch(entry: Entry): void {
    this.hits++;
    entry.usedAt = ++this.clock;
  }

  fill(level: number, page: bigint, tag: number | undefined, data: bigint): void {
    const set = this.setOf(page);
    this.fills++;
    const known = set.find((entry) => entry?.page === page && entry.level === level && entry.tag === tag);
    if (known) {
      known.data = data;
      known.usedAt = ++this.clock;
      return;
    }
    let way = set.indexOf(undefined);
    if (way < 0) {
      way = 0;
      for (let i = 1; i < set.length; i++) if ((set[i] as Entry).usedAt < (set[way] as Entry).usedAt) way = i;
      this.evictions++;
    }
    set[way] = { level, page, tag, data, usedAt: ++this.clock };
  }

  /** Drops the entry of a tag for one page (and, if asked, the global one). */
  dropPage(level: number, page: bigint, tag: number, globals: boolean): void {
    this.dropFrom(
      this.setOf(page),
      (entry) =>
        entry.page === page && entry.level === level && (entry.tag === tag || (globals && entry.tag === undefined)),
    );
  }

  /** Drops every entry that fits. */
  drop(fits: (entry: Entry) => boolean): void {
    for (const set of this.sets) this.dropFrom(set, fits);
  }

  private dropFrom(set: (Entry | undefined)[], fits: (entry: Entry) => boolean): void {
    for (let way = 0; way < set.length; way++) {
      const entry = set[way];
      if (entry === undefined || !fits(entry)) continue;
      set[way] = undefined;
      this.invalidated++;
    }
  }
}
