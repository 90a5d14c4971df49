// Contestant "naive JS": the rules written down in the clearest way that comes to mind, with BigInt addresses, Maps and
// objects. A yardstick for what one gets without thinking about speed; the program format is shared, nothing else.
import type { Controls } from "stalewalk";
import type { World } from "../world.js";
import { benchControls } from "../world.js";
import { type Contestant, chunkOperations, chunksOf, operationBytes, sumCounters } from "./contestant.js";
import { type Entry, NaiveCache } from "./naive-cache.js";
import { shapesOf } from "./shapes.js";

const P = 1n;
const RW = 2n;
const US = 4n;
const A = 32n;
const D = 64n;
const PS = 128n;
const G = 256n;
const XD = 1n << 63n;
const FRAME = 0x000f_ffff_ffff_f000n;

const shiftOf = (level: number): bigint => BigInt(9 * level + 3);

type Outcome =
  | { physicalAddress: bigint; level: number }
  | { reason: number; level: number; errorCode: bigint; drops: boolean };

const NOT_PRESENT = 1;
const RESERVED = 2;
const SUPERVISOR_PAGE = 3;
const SMAP = 4;
const SMEP = 5;
const NO_WRITE = 6;
const NO_FETCH = 7;
const NON_CANONICAL = 9;
const ABSENT = 10;

interface Access {
  write: boolean;
  fetch: boolean;
  user: boolean;
}

class NaiveCpu {
  translations = 0;
  faults = 0;
  walks = 0;
  entryReads = 0;
  adWrites = 0;
  invalidations = 0;
  readonly l1: NaiveCache[];
  readonly l2: NaiveCache[];
  readonly psc: NaiveCache[];
  private readonly levels: number;
  private readonly frameReserved: bigint;
  private readonly controls: Controls;
  private root: bigint;
  private pcid = 0;

  constructor(
    { set, geometry }: World,
    private readonly frames: Map<bigint, BigUint64Array>,
  ) {
    const shapes = shapesOf(geometry, set.levels);
    this.l1 = shapes.l1.map((shape) => new NaiveCache(shape));
    this.l2 = shapes.l2.map((shape) => new NaiveCache(shape));
    this.psc = shapes.psc.map((shape) => new NaiveCache(shape));
    this.levels = set.levels;
    this.controls = benchControls(set.controls);
    this.frameReserved = FRAME & ~((1n << BigInt(set.maxPhyAddr)) - 1n);
    this.root = set.root >> 12n;
  }

  get counters(): number[] {
    const { translations, faults, walks, entryReads, adWrites, invalidations } = this;
    const caches = [...this.l1, ...this.l2, ...this.psc];
    return [
      ...[translations, faults, walks, entryReads, adWrites, invalidations],
      ...caches.flatMap((c) => [c.lookups, c.hits, c.fills, c.evictions, c.invalidated]),
    ];
  }

  private page(va: bigint): bigint {
    return BigInt.asUintN(12 + 9 * this.levels, va);
  }

  translate(va: bigint, access: Access): Outcome {
    this.translations++;
    const bits = 12 + 9 * this.levels;
    if (BigInt.asUintN(64, BigInt.asIntN(bits, va)) !== va) {
      this.faults++;
      return { reason: NON_CANONICAL, level: 0, errorCode: 0n, drops: false };
    }
    const page = this.page(va);
    const outcome = this.fromCaches(va, page, access) ?? this.walk(va, page, access);
    if ("reason" in outcome && outcome.drops) {
      this.faults++;
      this.dropTranslations(page, this.pcid, true);
      this.dropPath(page, this.pcid);
    }
    return outcome;
  }

  private fromCaches(va: bigint, page: bigint, access: Access): Outcome | undefined {
    for (const [i, cache] of [...this.l1, ...this.l2].entries()) {
      cache.lookups++;
      const entry = this.lookUp(cache, page);
      if (entry === undefined) continue;
      const refused = this.refusal(access, entry.data, entry.level);
      if (refused === undefined && access.write && (entry.data & D) === 0n) continue;
      cache.touch(entry);
      if (refused !== undefined) return refused;
      if (i >= this.l1.length) this.fillList(this.l1, page, entry.level, entry.data);
      return this.translated(va, entry.data, entry.level);
    }
    return undefined;
  }

  private lookUp(cache: NaiveCache, page: bigint): Entry | undefined {
    for (const level of cache.shape.levels) {
      const entry = cache.find(level, page >> shiftOf(level), this.pcid);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  private translated(va: bigint, leaf: bigint, level: number): Outcome {
    const offset = va & ((1n << shiftOf(level)) - 1n);
    return { physicalAddress: (leaf & FRAME) | offset, level };
  }

  private walk(va: bigint, page: bigint, access: Access): Outcome {
    this.walks++;
    let level = this.levels;
    let frame = this.root;
    let rights = RW | US;
    for (const cache of this.psc) {
      const cached = cache.shape.levels[0] as number;
      cache.lookups++;
      const entry = cache.find(cached, page >> shiftOf(cached), this.pcid);
      if (entry === undefined) continue;
      cache.touch(entry);
      frame = (entry.data & FRAME) >> 12n;
      rights = entry.data & (RW | US | XD);
      level = cached - 1;
      break;
    }
    for (; ; level--) {
      const table = this.frames.get(frame);
      if (table === undefined) return { reason: ABSENT, level, errorCode: frame, drops: false };
      const index = Number((va >> shiftOf(level)) & 511n);
      const entry = table[index] as bigint;
      this.entryReads++;
      if ((entry & P) === 0n) return this.fault(NOT_PRESENT, level, this.attempted(access));
      const leaf = level === 1 || (level <= 3 && (entry & PS) !== 0n);
      if ((entry & this.reserved(level, leaf)) !== 0n) {
        return this.fault(RESERVED, level, 9n | this.attempted(access));
      }
      rights = (rights & entry & (RW | US)) | ((rights | entry) & XD);
      if (leaf) {
        const refused = this.refusal(access, rights, level);
        if (refused !== undefined) return refused;
        const marked = entry | A | (access.write ? D : 0n);
        if (marked !== entry) this.writeBack(table, index, marked);
        const global = (entry & G) !== 0n && this.controls.pge;
        const base = entry & FRAME & ~((1n << shiftOf(level)) - 1n);
        const data = base | rights | (marked & D) | (global ? G : 0n) | P | A;
        this.fillList(this.l2, page, level, data);
        this.fillList(this.l1, page, level, data);
        return this.translated(va, data, level);
      }
      if ((entry & A) === 0n) this.writeBack(table, index, entry | A);
      frame = (entry & FRAME) >> 12n;
      const cache = this.psc.find(({ shape }) => shape.levels[0] === level);
      cache?.fill(level, page >> shiftOf(level), this.pcid, (entry & FRAME) | rights | P | A);
    }
  }

  private writeBack(table: BigUint64Array, index: number, entry: bigint): void {
    table[index] = entry;
    this.adWrites++;
  }

  private reserved(level: number, leaf: boolean): bigint {
    let bits = this.frameReserved | (this.controls.nxe ? 0n : XD);
    if (!leaf && level >= 4) bits |= PS;
    if (leaf && level > 1) bits |= ((1n << shiftOf(level)) - 1n) & ~0x1fffn;
    return bits;
  }

  private attempted({ write, user, fetch }: Access): bigint {
    const { nxe, smep } = this.controls;
    return (write ? 2n : 0n) | (user ? 4n : 0n) | (fetch && (nxe || smep) ? 16n : 0n);
  }

  private fault(reason: number, level: number, errorCode: bigint): Outcome {
    return { reason, level, errorCode, drops: true };
  }

  private refusal(access: Access, leaf: bigint, level: number): Outcome | undefined {
    const { user, write, fetch } = access;
    const { smap, smep, ac, wp, nxe } = this.controls;
    const userPage = (leaf & US) !== 0n;
    const refused = (reason: number) => this.fault(reason, level, 1n | this.attempted(access));
    if (user && !userPage) return refused(SUPERVISOR_PAGE);
    if (!user && userPage && !fetch && smap && !ac) return refused(SMAP);
    if (!user && userPage && fetch && smep) return refused(SMEP);
    if (write && (leaf & RW) === 0n && (user || wp)) return refused(NO_WRITE);
    if (fetch && nxe && (leaf & XD) !== 0n) return refused(NO_FETCH);
    return undefined;
  }

  private fillList(list: NaiveCache[], page: bigint, level: number, data: bigint): void {
    const cache = list.find(({ shape }) => shape.levels.includes(level));
    cache?.fill(level, page >> shiftOf(level), (data & G) !== 0n ? undefined : this.pcid, data);
  }

  private dropTranslations(page: bigint, pcid: number, globals: boolean): void {
    for (const cache of [...this.l1, ...this.l2]) {
      for (const level of cache.shape.levels) cache.dropPage(level, page >> shiftOf(level), pcid, globals);
    }
  }

  private dropPath(page: bigint, pcid: number): void {
    for (const cache of this.psc) {
      const level = cache.shape.levels[0] as number;
      cache.dropPage(level, page >> shiftOf(level), pcid, false);
    }
  }

  private dropAll(fits: (entry: Entry) => boolean): void {
    for (const cache of [...this.l1, ...this.l2, ...this.psc]) cache.drop(fits);
  }

  invlpg(va: bigint, pages = 1): void {
    const start = this.page(va) & ~0xfffn;
    for (let i = 0; i < pages; i++) {
      this.invalidations++;
      const page = start + (BigInt(i) << 12n);
      if (page !== this.page(page)) continue;
      this.dropTranslations(page, this.pcid, true);
    }
    if (pages > 0) for (const cache of this.psc) cache.drop((entry) => entry.tag === this.pcid);
  }

  invpcid(type: number, pcid: number, va: bigint): void {
    this.invalidations++;
    if (type === 0) {
      this.dropTranslations(this.page(va), pcid, false);
      this.dropPath(this.page(va), pcid);
    } else if (type === 1) this.dropAll((entry) => entry.tag === pcid);
    else if (type === 2) this.dropAll(() => true);
    else this.dropAll((entry) => entry.tag !== undefined);
  }

  movToCr3(root: bigint, pcid: number, noFlush: boolean): void {
    this.root = (root & FRAME) >> 12n;
    this.pcid = pcid;
    if (!noFlush) this.invpcid(1, pcid, 0n);
  }
}

/** A packed outcome (assembly/paging/access.ts). */
function pack(outcome: Outcome): bigint {
  if ("physicalAddress" in outcome) return outcome.physicalAddress | (BigInt(outcome.level) << 60n);
  return (1n << 63n) | (BigInt(outcome.reason) << 56n) | (BigInt(outcome.level) << 52n) | outcome.errorCode;
}

function playOn(cpu: NaiveCpu, view: DataView, at: number): bigint {
  const operation = view.getUint8(at);
  const type = view.getUint8(at + 1);
  const argument = view.getUint32(at + 4, true);
  const address = view.getBigUint64(at + 8, true);
  switch (operation) {
    case 1:
      return pack(cpu.translate(address, { write: (type & 3) === 1, fetch: (type & 3) === 2, user: (type & 4) !== 0 }));
    case 2:
      cpu.invlpg(address);
      break;
    case 3:
      cpu.invpcid(type, argument, address);
      break;
    case 4:
      cpu.movToCr3(address, argument, type !== 0);
      break;
    case 6:
      cpu.invlpg(address, argument);
      break;
    case 7:
      cpu.invpcid(2, 0, 0n);
      break;
    case 16:
      if (argument > 33) cpu.invpcid(2, 0, 0n);
      else cpu.invlpg(address, argument);
      break;
    default:
      throw new Error(`operation ${operation} is not one of the benchmark's`);
  }
  return 0n;
}

/** The clear one. */
export const naiveJs: Contestant = {
  name: "naive JS",
  create(world) {
    const frames = new Map(world.set.tables.map(({ frame, entries }) => [BigInt(frame), entries.slice()]));
    const cpus = Array.from({ length: world.cpus }, () => new NaiveCpu(world, frames));
    const results = new BigUint64Array(chunkOperations);
    const playChunk = (program: Uint8Array): void => {
      const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
      for (let i = 0; i * operationBytes < program.byteLength; i++) {
        const requester = view.getUint16(i * operationBytes + 2, true);
        let result = 0n;
        for (const cpu of requester === 0xffff ? cpus : [cpus[requester] as NaiveCpu]) {
          result = playOn(cpu, view, i * operationBytes);
        }
        results[i] = result;
      }
    };
    return {
      load: (program, pieceOperations = chunkOperations) =>
        chunksOf(program, pieceOperations).map((chunk) => ({
          play: () => playChunk(chunk),
          outcomes: () => new Uint32Array(results.buffer, 0, (chunk.length / operationBytes) * 2),
        })),
      counters: () => sumCounters(cpus.map((cpu) => cpu.counters)),
    };
  },
};
