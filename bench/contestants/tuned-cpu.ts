// Contestant "tuned JS", the CPU: addresses, entries and outcomes as two 32-bit words, tables in one Int32Array.
// Rules: docs/rules.md, sections 2 to 6, without protection keys.
import type { World } from "../world.js";
import { benchControls } from "../world.js";
import { shapesOf } from "./shapes.js";
import { globalWord, TunedCache, taggedWord } from "./tuned-cache.js";
import type { TunedFrames } from "./tuned-frames.js";
import { frameLow, indexOf, pageHighOf, pageLowOf, reservedLow } from "./tuned-words.js";

const RW = 2;
const US = 4;
const A = 32;
const D = 64;
const PS = 128;
const G = 256;
/** Bits of an entry's high word. */
const XD = 1 << 31;
const FRAME_HIGH = 0xfffff;

const FAULT = 1 << 31;
const REASON_SHIFT = 24;
const LEVEL_SHIFT = 20;
const NON_CANONICAL = 9;
const ABSENT = 10;
const WRITE = 1;
const FETCH = 2;
const USER = 4;

/** One CPU. The outcome of the last translation is in `low` and `high`. */
export class TunedCpu {
  low = 0;
  high = 0;
  private translations = 0;
  private faults = 0;
  private walks = 0;
  private entryReads = 0;
  private adWrites = 0;
  private invalidations = 0;
  private readonly l1: TunedCache[];
  private readonly l2: TunedCache[];
  /** By level; undefined where there is none. */
  private readonly psc: (TunedCache | undefined)[];
  private readonly levels: number;
  private readonly canonicalShift: number;
  private readonly addressHigh: number;
  private readonly reservedHigh: number;
  private readonly wp: boolean;
  private readonly smep: boolean;
  private readonly smap: boolean;
  private readonly nxe: boolean;
  private readonly pge: boolean;
  private root: number;
  private tag = 0;

  constructor(
    { set, geometry }: World,
    private readonly frames: TunedFrames,
  ) {
    const shapes = shapesOf(geometry, set.levels);
    this.l1 = shapes.l1.map((shape) => new TunedCache(shape));
    this.l2 = shapes.l2.map((shape) => new TunedCache(shape));
    this.psc = [undefined, undefined, undefined, undefined, undefined, undefined];
    for (const shape of shapes.psc) this.psc[shape.levels[0] as number] = new TunedCache(shape);
    this.levels = set.levels;
    this.canonicalShift = 64 - (12 + 9 * set.levels);
    this.addressHigh = (1 << (32 - this.canonicalShift)) - 1;
    const controls = benchControls(set.controls);
    this.reservedHigh = FRAME_HIGH & ~(2 ** (set.maxPhyAddr - 32) - 1);
    if (!controls.nxe) this.reservedHigh |= XD;
    this.wp = controls.wp;
    this.smep = controls.smep;
    this.smap = controls.smap && !controls.ac;
    this.nxe = controls.nxe;
    this.pge = controls.pge;
    this.root = Number(set.root >> 12n);
  }

  private get caches(): TunedCache[] {
    return [...this.l1, ...this.l2, ...this.psc.filter((cache) => cache !== undefined)];
  }

  get counters(): number[] {
    const { translations, faults, walks, entryReads, adWrites, invalidations } = this;
    return [
      ...[translations, faults, walks, entryReads, adWrites, invalidations],
      ...this.caches.flatMap((c) => [c.lookups, c.hits, c.fills, c.evictions, c.invalidated]),
    ];
  }

  translate(low: number, high: number, access: number): void {
    this.translations++;
    if ((high << this.canonicalShift) >> this.canonicalShift !== high) {
      this.faults++;
      this.setFault(NON_CANONICAL, 0, 0);
      return;
    }
    const pageHigh = high & this.addressHigh;
    if (this.fromList(this.l1, low, pageHigh, access, false)) return;
    if (this.fromList(this.l2, low, pageHigh, access, true)) return;
    this.walk(low, pageHigh, access);
  }

  private setFault(reason: number, level: number, errorCode: number): void {
    this.low = errorCode;
    this.high = FAULT | (reason << REASON_SHIFT) | (level << LEVEL_SHIFT);
  }

  private setTranslated(leafLow: number, leafHigh: number, level: number, low: number): void {
    const offset = (1 << (9 * level + 3)) - 1;
    this.low = (leafLow & ~offset) | (low & offset);
    this.high = (leafHigh & FRAME_HIGH) | (level << 28);
  }

  /** Whether a cache of the list answered. */
  private fromList(list: TunedCache[], low: number, high: number, access: number, fillL1: boolean): boolean {
    for (let i = 0; i < list.length; i++) {
      const cache = list[i] as TunedCache;
      cache.lookups++;
      const at = this.lookUp(cache, low, high);
      if (at < 0) continue;
      const leafLow = cache.dataLow[at] as number;
      const leafHigh = cache.dataHigh[at] as number;
      const level = cache.levelAt(at);
      const reason = this.refusal(access, leafLow, leafHigh);
      if (reason !== 0) {
        cache.touch(at);
        this.pageFault(reason, level, 1 | this.attempted(access), low, high);
        return true;
      }
      if ((access & 3) === WRITE && (leafLow & D) === 0) continue;
      cache.touch(at);
      if (fillL1) this.fillList(this.l1, low, high, level, leafLow, leafHigh);
      this.setTranslated(leafLow, leafHigh, level, low);
      return true;
    }
    return false;
  }

  private lookUp(cache: TunedCache, low: number, high: number): number {
    const seen = cache.seen;
    if ((seen & 2) !== 0) {
      const at = cache.find((low >>> 12) | (high << 20), high >>> 12, 1, this.tag);
      if (at >= 0 || seen === 2) return at;
    }
    if ((seen & 4) !== 0) {
      const at = cache.find((low >>> 21) | (high << 11), high >>> 21, 2, this.tag);
      if (at >= 0) return at;
    }
    if ((seen & 8) !== 0) return cache.find((low >>> 30) | (high << 2), high >>> 30, 3, this.tag);
    return -1;
  }

  private fillList(list: TunedCache[], low: number, high: number, level: number, leafLow: number, leafHigh: number) {
    const bit = 1 << level;
    for (let i = 0; i < list.length; i++) {
      const cache = list[i] as TunedCache;
      if ((cache.mayHold & bit) === 0) continue;
      const pageHigh = pageHighOf(high, level);
      const word = (leafLow & G) !== 0 ? globalWord(pageHigh, level) : taggedWord(pageHigh, level, this.tag);
      cache.fill(pageLowOf(low, high, level), word, level, leafLow, leafHigh);
      return;
    }
  }

  /** 0, or the reason why a leaf refuses an access. */
  private refusal(access: number, leafLow: number, leafHigh: number): number {
    const type = access & 3;
    if ((access & USER) !== 0) {
      if ((leafLow & US) === 0) return 3;
      if (type === WRITE && (leafLow & RW) === 0) return 6;
    } else {
      if ((leafLow & US) !== 0) {
        if (type !== FETCH && this.smap) return 4;
        if (type === FETCH && this.smep) return 5;
      }
      if (type === WRITE && (leafLow & RW) === 0 && this.wp) return 6;
    }
    if (type === FETCH && this.nxe && leafHigh < 0) return 7;
    return 0;
  }

  private attempted(access: number): number {
    const type = access & 3;
    return (type === WRITE ? 2 : 0) | (access & USER) | (type === FETCH && (this.nxe || this.smep) ? 16 : 0);
  }

  private walk(low: number, high: number, access: number): void {
    this.walks++;
    const words = this.frames.words;
    let level = this.levels;
    let frame = this.root;
    let rights = RW | US;
    let denied = 0;
    for (let cached = 2; cached <= this.levels; cached++) {
      const cache = this.psc[cached];
      if (cache === undefined) continue;
      cache.lookups++;
      const at = cache.find(pageLowOf(low, high, cached), pageHighOf(high, cached), 1, this.tag);
      if (at < 0) continue;
      cache.touch(at);
      const entry = cache.dataLow[at] as number;
      rights = entry & (RW | US);
      denied = (cache.dataHigh[at] as number) & XD;
      frame = frameLow(entry, cache.dataHigh[at] as number);
      level = cached - 1;
      break;
    }
    let slot = this.frames.slotOf(frame, 0);
    let frameHigh = 0;
    for (; ; level--) {
      if (slot < 0) {
        this.low = frame;
        this.high = FAULT | (ABSENT << REASON_SHIFT) | (level << LEVEL_SHIFT) | frameHigh;
        return;
      }
      const at = slot * 1024 + indexOf(low, high, level) * 2;
      const entryLow = words[at] as number;
      const entryHigh = words[at + 1] as number;
      this.entryReads++;
      if ((entryLow & 1) === 0) {
        this.pageFault(1, level, this.attempted(access), low, high);
        return;
      }
      const leaf = level === 1 || ((entryLow & PS) !== 0 && level <= 3);
      if ((entryHigh & this.reservedHigh) !== 0 || (entryLow & reservedLow(level, leaf)) !== 0) {
        this.pageFault(2, level, 9 | this.attempted(access), low, high);
        return;
      }
      rights &= entryLow;
      denied |= entryHigh & XD;
      if (leaf) {
        this.finish(low, high, access, level, at, entryLow, entryHigh, rights, denied);
        return;
      }
      if ((entryLow & A) === 0) {
        words[at] = entryLow | A;
        this.adWrites++;
      }
      frame = frameLow(entryLow, entryHigh);
      frameHigh = (entryHigh >>> 12) & 0xff;
      slot = this.frames.slotOf(frame, frameHigh);
      const cache = this.psc[level];
      if (cache !== undefined) {
        const word = taggedWord(pageHighOf(high, level), 1, this.tag);
        const data = (entryLow & ~0xfff) | rights;
        cache.fill(pageLowOf(low, high, level), word, 1, data, (entryHigh & FRAME_HIGH) | denied);
      }
    }
  }

  private finish(
    low: number,
    high: number,
    access: number,
    level: number,
    at: number,
    entryLow: number,
    entryHigh: number,
    rights: number,
    denied: number,
  ): void {
    const reason = this.refusal(access, rights, denied);
    if (reason !== 0) {
      this.pageFault(reason, level, 1 | this.attempted(access), low, high);
      return;
    }
    const marks = (access & 3) === WRITE ? A | D : A;
    if ((entryLow & marks) !== marks) {
      this.frames.words[at] = entryLow | marks;
      this.adWrites++;
    }
    const offset = (1 << (9 * level + 3)) - 1;
    const leafLow = (entryLow & ~offset) | rights | ((entryLow | marks) & D) | (this.pge ? entryLow & G : 0);
    const leafHigh = (entryHigh & FRAME_HIGH) | denied;
    this.fillList(this.l2, low, high, level, leafLow, leafHigh);
    this.fillList(this.l1, low, high, level, leafLow, leafHigh);
    this.setTranslated(leafLow, leafHigh, level, low);
  }

  private pageFault(reason: number, level: number, errorCode: number, low: number, high: number): void {
    this.setFault(reason, level, errorCode);
    this.faults++;
    this.dropTranslations(low, high, this.tag, true);
    this.dropPath(low, high, this.tag);
  }

  private dropTranslations(low: number, high: number, tag: number, globals: boolean): void {
    for (let i = 0; i < this.l1.length; i++) dropFrom(this.l1[i] as TunedCache, low, high, tag, globals);
    for (let i = 0; i < this.l2.length; i++) dropFrom(this.l2[i] as TunedCache, low, high, tag, globals);
  }

  private dropPath(low: number, high: number, tag: number): void {
    for (let level = 2; level <= this.levels; level++) {
      this.psc[level]?.dropPage(pageLowOf(low, high, level), pageHighOf(high, level), 1, tag, false);
    }
  }

  /** INVLPG of `pages` pages, up to the top of the address space. */
  invlpg(low: number, high: number, pages: number): void {
    if (pages === 0) return;
    this.invalidations += pages;
    let pageLow = low & ~0xfff;
    let pageHigh = high & this.addressHigh;
    for (let i = 0; i < pages; i++) {
      this.dropTranslations(pageLow, pageHigh, this.tag, true);
      pageLow = (pageLow + 4096) | 0;
      if (pageLow === 0 && ++pageHigh > this.addressHigh) break;
    }
    for (let level = 2; level <= this.levels; level++) this.psc[level]?.dropTag(this.tag);
  }

  invpcid(type: number, tag: number, low: number, high: number): void {
    this.invalidations++;
    if (type === 0) {
      this.dropTranslations(low, high & this.addressHigh, tag, false);
      this.dropPath(low, high & this.addressHigh, tag);
      return;
    }
    for (let i = 0; i < this.l1.length; i++) flush(this.l1[i] as TunedCache, type, tag);
    for (let i = 0; i < this.l2.length; i++) flush(this.l2[i] as TunedCache, type, tag);
    for (let level = 2; level <= this.levels; level++) {
      const cache = this.psc[level];
      if (cache !== undefined) flush(cache, type, tag);
    }
  }

  movToCr3(low: number, high: number, tag: number, noFlush: boolean): void {
    this.root = frameLow(low, high) >>> 0;
    this.tag = tag;
    if (!noFlush) this.invpcid(1, tag, 0, 0);
  }
}

function flush(cache: TunedCache, type: number, tag: number): void {
  if (type === 1) cache.dropTag(tag);
  else if (type === 2) cache.dropAll();
  else cache.dropAllButGlobal();
}

function dropFrom(cache: TunedCache, low: number, high: number, tag: number, globals: boolean): void {
  const seen = cache.seen;
  if ((seen & 2) !== 0) cache.dropPage((low >>> 12) | (high << 20), high >>> 12, 1, tag, globals);
  if ((seen & 4) !== 0) cache.dropPage((low >>> 21) | (high << 11), high >>> 21, 2, tag, globals);
  if ((seen & 8) !== 0) cache.dropPage((low >>> 30) | (high << 2), high >>> 30, 3, tag, globals);
}
