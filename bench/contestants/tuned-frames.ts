// Tables of the tuned JavaScript contestant: one Int32Array, found by an open-addressing table of frame numbers.
import type { Table } from "../world.js";

const SPREAD = 0x9e3779b1 | 0;

/** The tables of a machine; frame numbers below 2^31. */
export class TunedFrames {
  /** 1024 words a table: low and high half of each entry. */
  readonly words: Int32Array;
  private readonly frames: Int32Array;
  private readonly slots: Int32Array;
  private readonly shift: number;
  private readonly mask: number;

  constructor(tables: readonly Table[]) {
    const bits = Math.max(4, Math.ceil(Math.log2(tables.length * 2 + 1)));
    this.shift = 32 - bits;
    this.mask = 2 ** bits - 1;
    this.frames = new Int32Array(2 ** bits).fill(-1);
    this.slots = new Int32Array(2 ** bits);
    this.words = new Int32Array(tables.length * 1024);
    for (const [slot, { frame, entries }] of tables.entries()) {
      if (frame >= 2 ** 31) throw new RangeError(`frame ${frame}: the tuned contestant knows frames below 2^31`);
      let bucket = Math.imul(frame, SPREAD) >>> this.shift;
      while (this.frames[bucket] !== -1) bucket = (bucket + 1) & this.mask;
      this.frames[bucket] = frame;
      this.slots[bucket] = slot;
      this.words.set(new Int32Array(entries.slice().buffer), slot * 1024);
    }
  }

  /** Slot of a frame number given as low and high word; -1 if there is none. */
  slotOf(frame: number, high: number): number {
    if (high !== 0 || frame < 0) return -1;
    let bucket = Math.imul(frame, SPREAD) >>> this.shift;
    for (;;) {
      const found = this.frames[bucket] as number;
      if (found === frame) return this.slots[bucket] as number;
      if (found === -1) return -1;
      bucket = (bucket + 1) & this.mask;
    }
  }
}
