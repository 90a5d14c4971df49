// The frames that a machine holds: those that are, or once were, page tables.

import { checkAddress, checkInteger, InvalidOptionError } from "../base/errors.js";
import { entries as ENTRIES, frameStates, pageShift } from "../engine/abi.js";
import type { Engine } from "../engine/instance.js";
import { MAX_FRAME } from "../engine/limits.js";

/** Use of a frame. */
export type FrameState = (typeof frameStates)[number];

const PAGE_SHIFT = BigInt(pageShift);
const PAGE_OFFSET = (1n << PAGE_SHIFT) - 1n;

/** The frame store of a machine: sparse over 2^40 frame numbers, with a capacity fixed when the machine is made. */
export class Frames {
  /** Frames that fit in. */
  readonly capacity: number;
  /** Slots whose contents have been given out as a view, which may be written to at any time. @internal */
  readonly lent: Set<number> = new Set();

  /** @internal */
  constructor(
    private readonly engine: Engine,
    capacity: number,
  ) {
    this.capacity = capacity;
    engine.made(engine.exports.createFrameStore(capacity), `a frame store for ${capacity} tables`);
  }

  /** Frames held now. */
  get size(): number {
    return this.engine.exports.framesUsed();
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

  /** Sets use and level of a frame (its generation rises); a frame the store did not hold comes with zeroed contents. */
  set(frame: number, state: FrameState, level = 0): void {
    const slot = this.claim(frame);
    this.engine.exports.setState(slot, frameStates.indexOf(state), level);
  }

  private claim(frame: number): number {
    checkInteger("frame", frame, 0, MAX_FRAME);
    const slot = this.engine.exports.claimSlot(BigInt(frame));
    if (slot === 0) {
      throw new RangeError(`frame 0x${frame.toString(16)}: the frame store is full (${this.capacity} tables)`);
    }
    return slot;
  }

  private fill(frame: number, entries: BigUint64Array | Uint8Array | undefined): void {
    if (entries === undefined) {
      this.engine.exports.clearContents(this.slot(frame));
    } else if (entries instanceof BigUint64Array) {
      if (entries.length !== ENTRIES) throw new InvalidOptionError("entries.length", entries.length, "512 entries");
      this.contents(this.slot(frame)).set(entries);
    } else {
      if (entries.length !== ENTRIES * 8) throw new InvalidOptionError("entries.length", entries.length, "4096 bytes");
      this.engine.bytes(this.engine.exports.contentsOf(this.slot(frame)), ENTRIES * 8).set(entries);
    }
    this.engine.exports.touch(this.slot(frame));
  }

  private slot(frame: number): number {
    return this.engine.exports.slotOf(BigInt(frame));
  }

  /** The 512 entries of a frame as a view of the engine's memory (writes go through), or undefined if it is not held. */
  view(frame: number): BigUint64Array | undefined {
    const slot = this.slot(frame);
    if (slot === 0) return undefined;
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
    return this.contents(slot)[index] as bigint;
  }

  /** Writes the entry at a physical address; no cache notices. @throws RangeError if its frame is not held */
  writeEntry(physicalAddress: bigint, entry: bigint): void {
    const [slot, index] = this.locate(physicalAddress);
    this.contents(slot)[index] = checkAddress("entry", entry);
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
