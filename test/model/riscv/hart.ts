// A hart with caches of copies of entries, as the specification allows them ("address-translation cache"), and SFENCE.VMA. What
// is the implementation's choice is the engine's: exact LRU, an l1 and an l2 for pages of every size, paging-structure caches,
// a NAPOT page cached as 4 KiB pieces, and a page fault that drops what is cached for its address.

import { Cache, type CacheCounters, type Way } from "../cache.js";
import type { Memory } from "../memory.js";
import { pageShift } from "./pte.js";
import {
  type Access,
  type Controls,
  isCanonical,
  judge,
  type Leaf,
  type Outcome,
  pageFault,
  type Start,
  translated,
  walk,
} from "./walk.js";

/** Entries and ways of a cache. */
export interface Size {
  entries: number;
  ways: number;
}

/** Caches of a hart. */
export interface Sizes {
  l1: Size;
  l2: Size;
  psc: Size;
}

const LEAF_SHIFTS = [0, 1, 2, 3, 4].map(pageShift);

/** A hart. */
export class Hart {
  controls: Controls = { sum: false, mxr: false, adue: false, pbmte: false, svnapot: false };
  root = 0;
  asid = 0;
  readonly #memory: Memory;
  readonly #levels: number;
  readonly #l1: Cache;
  readonly #l2: Cache;
  /** By `i` of the pointers that they hold, from 1 up. */
  readonly #psc: readonly { i: number; cache: Cache }[];
  /** What the data of a way stand for. */
  readonly #leaves: Leaf[] = [];
  readonly #starts: Start[] = [];

  constructor(memory: Memory, levels: number, sizes: Sizes) {
    this.#memory = memory;
    this.#levels = levels;
    const make = (size: Size, shifts: readonly number[]): Cache =>
      new Cache({ ...size, replacement: "lru", enabled: true }, shifts);
    this.#l1 = make(sizes.l1, LEAF_SHIFTS);
    this.#l2 = make(sizes.l2, LEAF_SHIFTS);
    this.#psc = Array.from({ length: levels - 1 }, (_, k) => ({
      i: k + 1,
      cache: make(sizes.psc, [pageShift(k + 1)]),
    }));
  }

  /** Counters of l1, l2 and the paging-structure caches from the lowest level up. */
  get counters(): CacheCounters[] {
    return this.#all().map(({ counters }) => ({ ...counters }));
  }

  translate(va: bigint, access: Access): Outcome {
    if (!isCanonical(va, this.#levels)) return pageFault(access);
    const page = this.#translatedBits(va);
    const outcome = this.#fromCaches(page, access) ?? this.#walk(page, access);
    if (outcome.kind === "page-fault") this.#dropAfterFault(page);
    return outcome;
  }

  /** SFENCE.VMA x0, x0. */
  fence(): void {
    for (const cache of this.#all()) cache.invalidate(() => true);
  }

  /** SFENCE.VMA x0, asid. */
  fenceAsid(asid: number): void {
    for (const cache of this.#all()) cache.invalidate(({ tag }) => tag === asid);
  }

  /** SFENCE.VMA va, asid: pointers to the leaf go too. It has no effect if va is no valid address (privileged spec, SFENCE.VMA). */
  fenceAddress(va: bigint, asid: number): void {
    if (!isCanonical(va, this.#levels)) return;
    this.#drop(this.#translatedBits(va), (tag) => tag === asid);
  }

  #fromCaches(page: bigint, access: Access): Outcome | undefined {
    for (const cache of [this.#l1, this.#l2]) {
      cache.counters.lookups += 1;
      const way = cache.match(page, this.asid);
      const leaf = way && (this.#leaves[Number(way.data)] as Leaf);
      const verdict = leaf && judge(leaf, access, this.controls);
      if (!way || !leaf || verdict === "marks-wanted") continue;
      cache.hit(way);
      if (verdict === "fault") return pageFault(access);
      if (cache === this.#l2) this.#fill(this.#l1, page, leaf);
      return translated(leaf, page);
    }
    return undefined;
  }

  #walk(page: bigint, access: Access): Outcome {
    const { outcome, pointers, leaf } = walk(this.#memory, this.#start(page), page, access, this.controls);
    for (const { i, table, global } of pointers) {
      const cache = this.#psc.find((it) => it.i === i)?.cache;
      const data = BigInt(this.#starts.push({ i: i - 1, table, global }) - 1);
      cache?.fill({ ...place(page, i), tag: this.asid, data, generation: 0 });
    }
    if (leaf) for (const cache of [this.#l2, this.#l1]) this.#fill(cache, page, leaf);
    return outcome;
  }

  /** The lowest pointer that is cached, or the root. */
  #start(page: bigint): Start {
    for (const { cache } of this.#psc) {
      cache.counters.lookups += 1;
      const way: Way | undefined = cache.match(page, this.asid);
      if (!way) continue;
      cache.hit(way);
      return this.#starts[Number(way.data)] as Start;
    }
    return { i: this.#levels - 1, table: this.root, global: false };
  }

  #fill(cache: Cache, page: bigint, leaf: Leaf): void {
    const data = BigInt(this.#leaves.push(leaf) - 1);
    cache.fill({ ...place(page, leaf.i), tag: leaf.global ? "global" : this.asid, data, generation: 0 });
  }

  #dropAfterFault(page: bigint): void {
    this.#drop(page, (tag) => tag === this.asid || tag === "global");
  }

  #drop(page: bigint, names: (tag: number | "global") => boolean): void {
    for (const cache of this.#all()) {
      cache.invalidate(({ tag, pageNumber, pageShift: shift }) => names(tag) && pageNumber === page >> BigInt(shift));
    }
  }

  #translatedBits(va: bigint): bigint {
    return BigInt.asUintN(pageShift(this.#levels), va);
  }

  #all(): Cache[] {
    return [this.#l1, this.#l2, ...this.#psc.map(({ cache }) => cache)];
  }
}

function place(page: bigint, i: number): { pageShift: number; pageNumber: bigint } {
  return { pageShift: pageShift(i), pageNumber: page >> BigInt(pageShift(i)) };
}
