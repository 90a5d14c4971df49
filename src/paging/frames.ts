// The frames that a machine holds: those that are, or once were, page tables.

import { checkAddress, checkInteger, checkOneOf, InvalidOptionError } from "../base/errors.js";
import { entries as ENTRIES, frameStates, metaSize, pageShift, standingSize } from "../engine/abi.js";
import type { EngineExports } from "../engine/exports.js";
import type { Engine, EngineImports } from "../engine/instance.js";
import { MAX_FRAME } from "../engine/limits.js";
import type { FrameRange } from "./ram.js";

/** Use of a frame. */
export type FrameState = (typeof frameStates)[number];

const PAGE_SHIFT = BigInt(pageShift);
const PAGE_OFFSET = (1n << PAGE_SHIFT) - 1n;

/** Frames whose contents the host keeps: the first slots. @internal */
export interface HostFrames {
  readonly frames: readonly FrameRange[];
  /** What the engine imports for them. */
  readonly imports: EngineImports;
  /** Tells the engine of them, before its frame store is made. */
  announce(exports: EngineExports): void;
  /** Whether a slot is one of them. */
  holds(slot: number): boolean;
  /** The word at a physical address, a multiple of 8. */
  load(address: bigint): bigint;
  store(address: bigint, word: bigint): void;
}

/** Makes them, for a machine with this MAXPHYADDR and so many other frames. @internal */
export type MakeHost = (maxPhyAddr: number, beside: number) => HostFrames;

/** Frames that are not only the caller's, and what else keeps slots. @internal */
export interface OwnedFrames {
  ram?: FrameRange | undefined;
  /** In place of RAM. */
  host?: HostFrames | undefined;
  /** The kernel's. */
  pool?: FrameRange | undefined;
  /** Called before a slot is given up; may refuse. */
  beforeDelete?: (slot: number) => void;
}

/** RAM, what of it lies in a pool apart. */
function partsOf(ram: FrameRange, pool: FrameRange = { first: 0, count: 0 }): (FrameRange & { state: FrameState })[] {
  const end = ram.first + ram.count;
  const within = (frame: number): number => Math.min(Math.max(frame, ram.first), end);
  const [from, to] = [within(pool.first), within(pool.first + pool.count)];
  return [
    { first: ram.first, count: from - ram.first, state: "table" },
    { first: from, count: to - from, state: "free" },
    { first: to, count: end - to, state: "table" },
  ];
}

/** The frame store of a machine: sparse over 2^40 frame numbers, with a capacity fixed when the machine is made. */
export class Frames {
  /** Frames that fit in. */
  readonly capacity: number;
  /** Slots whose contents have been given out as a view, which may be written to at any time. @internal */
  readonly lent: Set<number> = new Set();
  /** Rises when a frame is added or deleted. @internal */
  revision = 0;
  /** How many slots, the first ones, are frames of RAM or of memory of the host's. @internal */
  readonly shared: number;
  private readonly ranges: readonly FrameRange[];
  /** Slots of frames that were deleted. */
  private spare = 0;

  /** @internal */
  constructor(
    private readonly engine: Engine,
    tables: number,
    private readonly owned: OwnedFrames = {},
  ) {
    const { host, pool } = owned;
    this.ranges = host?.frames ?? (owned.ram ? [owned.ram] : []);
    this.shared = this.ranges.reduce((sum, { count }) => sum + count, 0);
    this.capacity = tables + this.shared;
    host?.announce(engine.exports);
    engine.made(engine.exports.createFrameStore(this.capacity), `a frame store for ${this.capacity} tables`);
    // In order, so that their contents follow each other; the kernel's own are free (rule 8.2).
    for (const { first, count, state } of this.ranges.flatMap((range) => partsOf(range, pool))) {
      engine.exports.claimFrames(BigInt(first), count, frameStates.indexOf(state));
    }
  }

  /** Frames held now, those of RAM among them. */
  get size(): number {
    return this.engine.exports.framesUsed() - this.spare;
  }

  /** Whether the store holds a frame. */
  has(frame: number): boolean {
    return this.engine.exports.slotOf(BigInt(frame)) !== 0;
  }

  /**
   * Makes a frame a table with these entries (all zero if none are given).
   * @param frame frame number, 0 to 2^40 - 1
   * @param entries 512 entries, or their 4096 bytes (little endian)
   * @param level 1 = PT … 5 = PML5; 0 if not known. Only for display
   * @throws RangeError if the store is full; InvalidOptionError for a bad frame number or size
   */
  setTable(frame: number, entries?: BigUint64Array | Uint8Array, level = 0): void {
    this.set(frame, "table", level);
    this.fill(frame, entries);
  }

  /**
   * Sets use and level of a frame (its generation rises); a frame the store did not hold comes with zeroed contents.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  set(frame: number, state: FrameState, level = 0): void {
    checkOneOf("state", state, frameStates);
    checkInteger("level", level, 0, 5);
    const slot = this.claim(frame);
    this.engine.exports.setState(slot, frameStates.indexOf(state), level);
  }

  private claim(frame: number): number {
    checkInteger("frame", frame, 0, MAX_FRAME);
    const known = this.slot(frame);
    if (known !== 0) return known;
    const slot = this.engine.exports.claimSlot(BigInt(frame));
    if (slot === 0) {
      throw new RangeError(`frame 0x${frame.toString(16)}: the frame store is full (${this.capacity} tables)`);
    }
    this.revision++;
    if (this.spare > 0) this.spare--;
    return slot;
  }

  /**
   * Takes a frame out of the store: a walk that comes to it is *absent* from then on. Caches keep what they hold until they are told
   * to drop it; a view of the frame is no longer its.
   * @returns whether the store held it
   * @throws InvalidOptionError for a frame of RAM, of memory of the host's or of the kernel's pool, or while a walk is under way
   */
  delete(frame: number): boolean {
    checkInteger("frame", frame, 0, MAX_FRAME);
    for (const range of [...this.ranges, ...(this.owned.pool ? [this.owned.pool] : [])]) {
      if (frame >= range.first && frame < range.first + range.count) {
        const expected = "a frame that belongs neither to RAM or memory of the host's nor to the kernel's pool";
        throw new InvalidOptionError("frame", frame, expected);
      }
    }
    const slot = this.slot(frame);
    if (slot === 0) return false;
    const { exports } = this.engine;
    this.owned.beforeDelete?.(slot);
    exports.clearContents(slot);
    this.engine.words(exports.standingOf(slot), standingSize / 8).fill(0n);
    // The first word is the frame number.
    this.engine.words(exports.metaOf(slot), metaSize / 8).fill(0n, 1);
    exports.deleteFrame(slot);
    this.lent.delete(slot);
    this.revision++;
    this.spare++;
    return true;
  }

  private fill(frame: number, entries: BigUint64Array | Uint8Array | undefined): void {
    const slot = this.slot(frame);
    if (entries === undefined) {
      this.engine.exports.clearContents(slot);
    } else if (entries instanceof BigUint64Array) {
      if (entries.length !== ENTRIES) throw new InvalidOptionError("entries.length", entries.length, "512 entries");
      if (this.isHosts(slot)) this.fillHosts(frame, (index) => entries[index] as bigint);
      else this.contents(slot).set(entries);
    } else {
      if (!(entries instanceof Uint8Array)) {
        throw new InvalidOptionError("entries", entries, "a BigUint64Array, or their bytes as Uint8Array");
      }
      if (entries.length !== ENTRIES * 8) throw new InvalidOptionError("entries.length", entries.length, "4096 bytes");
      const words = new DataView(entries.buffer, entries.byteOffset, entries.length);
      if (this.isHosts(slot)) this.fillHosts(frame, (index) => words.getBigUint64(index * 8, true));
      else this.engine.bytes(this.engine.exports.contentsOf(slot), ENTRIES * 8).set(entries);
    }
    this.engine.exports.touch(slot);
  }

  /** Whether a slot's contents are the host's. */
  private isHosts(slot: number): boolean {
    return this.owned.host?.holds(slot) ?? false;
  }

  private fillHosts(frame: number, entry: (index: number) => bigint): void {
    for (let index = 0; index < ENTRIES; index++) {
      this.owned.host?.store((BigInt(frame) << PAGE_SHIFT) + BigInt(index * 8), entry(index));
    }
  }

  private slot(frame: number): number {
    return this.engine.exports.slotOf(BigInt(frame));
  }

  /**
   * The 512 entries of a frame as a view of the engine's memory (writes go through), or undefined if it is not held.
   * @throws InvalidOptionError for a frame of memory of the host's, which has a view of its own if anybody has
   */
  view(frame: number): BigUint64Array | undefined {
    const slot = this.slot(frame);
    if (slot === 0) return undefined;
    if (this.isHosts(slot)) throw new InvalidOptionError("frame", frame, "a frame outside of the ranges of `memory`");
    this.lent.add(slot);
    this.engine.exports.touch(slot);
    return this.contents(slot);
  }

  private contents(slot: number): BigUint64Array {
    return this.engine.words(this.engine.exports.contentsOf(slot), ENTRIES);
  }

  /** Use, level and generation of a frame, or undefined if it is not held. */
  describe(frame: number): { state: FrameState; level: number; generation: number } | undefined {
    const slot = this.slot(frame);
    if (slot === 0) return undefined;
    const { stateOf, levelOf, generationOf } = this.engine.exports;
    return {
      state: frameStates[stateOf(slot)] as FrameState,
      level: levelOf(slot),
      generation: generationOf(slot),
    };
  }

  /** The entry at a physical address (its low three bits do not matter). @throws RangeError if its frame is not held */
  readEntry(physicalAddress: bigint): bigint {
    const [slot, index] = this.locate(physicalAddress);
    if (this.isHosts(slot)) return (this.owned.host as HostFrames).load(physicalAddress & ~7n);
    return this.contents(slot)[index] as bigint;
  }

  /** Writes the entry at a physical address; no cache notices. @throws RangeError if its frame is not held */
  writeEntry(physicalAddress: bigint, entry: bigint): void {
    const [slot, index] = this.locate(physicalAddress);
    const word = checkAddress("entry", entry);
    if (this.isHosts(slot)) this.owned.host?.store(physicalAddress & ~7n, word);
    else this.contents(slot)[index] = word;
    this.engine.exports.touch(slot);
  }

  /** Slot of the frame, and index of the entry. */
  private locate(physicalAddress: bigint): [number, number] {
    const address = checkAddress("physicalAddress", physicalAddress);
    const frame = Number(address >> PAGE_SHIFT);
    if (frame > MAX_FRAME || !this.has(frame)) {
      throw new RangeError(`physical address 0x${address.toString(16)}: its frame is not in the frame store`);
    }
    return [this.slot(frame), Number((address & PAGE_OFFSET) >> 3n)];
  }
}
