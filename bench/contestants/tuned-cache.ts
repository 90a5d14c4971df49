// A set-associative cache tuned for a JavaScript engine: typed arrays of 32-bit integers, no allocation, no BigInt.
// A key is two words: the low half of the page number; and VALID | GLOBAL | level | tag | its high half.
// Flushes of everything and of a tag note the clock; sets are swept before their next fill (as in assembly/cache/).
import type { Shape } from "./shapes.js";

const TAG_SHIFT = 13;
const LEVEL_SHIFT = 25;
const GLOBAL = 1 << 27;
const VALID = 1 << 28;
const TAGS = 4096;
const PAGE_HIGH = (1 << TAG_SHIFT) - 1;

/** Key word of an entry of one tag. */
export function taggedWord(pageHigh: number, level: number, tag: number): number {
  return VALID | (level << LEVEL_SHIFT) | (tag << TAG_SHIFT) | pageHigh;
}

/** Key word of a global entry. */
export function globalWord(pageHigh: number, level: number): number {
  return VALID | GLOBAL | (level << LEVEL_SHIFT) | pageHigh;
}

/** One cache with its counters. */
export class TunedCache {
  lookups = 0;
  hits = 0;
  fills = 0;
  evictions = 0;
  invalidated = 0;
  /** Bit L: leaves of level L may be here. */
  seen = 0;
  readonly mayHold: number;
  readonly dataLow: Int32Array;
  readonly dataHigh: Int32Array;
  private readonly sets: number;
  private readonly ways: number;
  private readonly mask: number;
  private readonly wrap: number;
  private readonly keyLow: Int32Array;
  private readonly keyHigh: Int32Array;
  private readonly usedAt: Int32Array;
  private readonly filledAt: Int32Array;
  private readonly sweptAt: Int32Array;
  private readonly tagSince = new Int32Array(TAGS);
  private readonly tagLive = new Int32Array(TAGS);
  private readonly tagCountedAt = new Int32Array(TAGS);
  private clock = 1;
  private globalSince = 0;
  private taggedSince = 0;
  private lastFlush = 0;
  private live = 0;
  private liveGlobal = 0;

  constructor({ sets, ways, levels }: Shape) {
    this.mayHold = levels.reduce((bits, level) => bits | (1 << level), 0);
    this.sets = sets;
    this.ways = ways;
    this.mask = (sets & (sets - 1)) === 0 ? sets - 1 : -1;
    this.wrap = 2 ** 32 % sets;
    const words = () => new Int32Array(sets * ways);
    this.dataLow = words();
    this.dataHigh = words();
    this.keyLow = words();
    this.keyHigh = words();
    this.usedAt = words();
    this.filledAt = words();
    this.sweptAt = new Int32Array(sets);
  }

  private setOf(low: number, high: number): number {
    if (this.mask >= 0) return low & this.mask;
    return ((((high % this.sets) * this.wrap) % this.sets) + ((low >>> 0) % this.sets)) % this.sets;
  }

  /** Index of the live entry for a page, -1 if there is none. */
  find(low: number, high: number, level: number, tag: number): number {
    const first = this.setOf(low, high) * this.ways;
    const end = first + this.ways;
    const keyLow = this.keyLow;
    for (let at = first; at < end; at++) {
      if (keyLow[at] !== low) continue;
      const word = this.keyHigh[at] as number;
      if (word === taggedWord(high, level, tag)) {
        const filled = this.filledAt[at] as number;
        if (filled > (this.tagSince[tag] as number) && filled > this.taggedSince) return at;
      } else if (word === globalWord(high, level) && (this.filledAt[at] as number) > this.globalSince) {
        return at;
      }
    }
    return -1;
  }

  levelAt(at: number): number {
    return ((this.keyHigh[at] as number) >> LEVEL_SHIFT) & 3;
  }

  touch(at: number): void {
    this.hits++;
    this.usedAt[at] = ++this.clock;
  }

  /** Puts an entry in; `word` is its second key word. */
  fill(low: number, word: number, level: number, dataLow: number, dataHigh: number): void {
    const set = this.setOf(low, word & PAGE_HIGH);
    const first = set * this.ways;
    if ((this.sweptAt[set] as number) < this.lastFlush) this.sweep(set, first);
    let at = this.wayFor(first, low, word);
    if (at < 0) {
      at = ~at;
      if (this.keyHigh[at] === 0) this.live++;
      else {
        this.countLive(this.keyHigh[at] as number, -1);
        this.evictions++;
      }
      this.keyLow[at] = low;
      this.keyHigh[at] = word;
      this.countLive(word, 1);
    }
    this.fills++;
    this.seen |= 1 << level;
    this.dataLow[at] = dataLow;
    this.dataHigh[at] = dataHigh;
    const now = ++this.clock;
    this.usedAt[at] = now;
    this.filledAt[at] = now;
  }

  /** The way that holds the key; else ~ the lowest empty way, else ~ the least recently used. */
  private wayFor(first: number, low: number, word: number): number {
    const end = first + this.ways;
    let empty = -1;
    let oldest = first;
    let oldestTime = 0x7fffffff;
    for (let at = first; at < end; at++) {
      const key = this.keyHigh[at] as number;
      if (key === word && this.keyLow[at] === low) return at;
      if (key === 0) {
        if (empty < 0) empty = at;
      } else if ((this.usedAt[at] as number) < oldestTime) {
        oldestTime = this.usedAt[at] as number;
        oldest = at;
      }
    }
    return empty >= 0 ? ~empty : ~oldest;
  }

  private isAlive(word: number, filled: number): boolean {
    if ((word & GLOBAL) !== 0) return filled > this.globalSince;
    return filled > this.taggedSince && filled > (this.tagSince[(word >> TAG_SHIFT) & (TAGS - 1)] as number);
  }

  private sweep(set: number, first: number): void {
    for (let at = first; at < first + this.ways; at++) {
      const word = this.keyHigh[at] as number;
      if (word !== 0 && !this.isAlive(word, this.filledAt[at] as number)) this.keyHigh[at] = 0;
    }
    this.sweptAt[set] = this.clock;
  }

  private liveOf(tag: number): number {
    return (this.tagCountedAt[tag] as number) <= this.taggedSince ? 0 : (this.tagLive[tag] as number);
  }

  private countLive(word: number, change: number): void {
    if ((word & GLOBAL) !== 0) {
      this.liveGlobal += change;
      return;
    }
    const tag = (word >> TAG_SHIFT) & (TAGS - 1);
    this.tagLive[tag] = this.liveOf(tag) + change;
    this.tagCountedAt[tag] = this.clock + 1;
  }

  /** Drops the entry of a tag for one page, and if asked the global one. */
  dropPage(low: number, high: number, level: number, tag: number, globals: boolean): void {
    const first = this.setOf(low, high) * this.ways;
    for (let at = first; at < first + this.ways; at++) {
      if (this.keyLow[at] !== low) continue;
      const word = this.keyHigh[at] as number;
      if (word !== taggedWord(high, level, tag) && !(globals && word === globalWord(high, level))) continue;
      if (!this.isAlive(word, this.filledAt[at] as number)) continue;
      this.countLive(word, -1);
      this.keyHigh[at] = 0;
      this.live--;
      this.invalidated++;
    }
  }

  dropTag(tag: number): void {
    const live = this.liveOf(tag);
    if (live === 0) return;
    this.tagSince[tag] = ++this.clock;
    this.lastFlush = this.clock;
    this.tagLive[tag] = 0;
    this.live -= live;
    this.invalidated += live;
  }

  dropAll(): void {
    this.globalSince = ++this.clock;
    this.taggedSince = this.clock;
    this.lastFlush = this.clock;
    this.seen = 0;
    this.invalidated += this.live;
    this.live = 0;
    this.liveGlobal = 0;
  }

  dropAllButGlobal(): void {
    this.taggedSince = ++this.clock;
    this.lastFlush = this.clock;
    this.invalidated += this.live - this.liveGlobal;
    this.live = this.liveGlobal;
  }
}
