// The frame store of the model: sparse physical memory, 512 entries per frame, with each frame's state and generation.

/** What a frame is used as. */
export type FrameState = "free" | "table" | "data";

/** Frames that are RAM. */
export interface RamFrames {
  first: number;
  count: number;
}

interface Frame {
  entries: BigUint64Array;
  state: FrameState;
  generation: number;
}

/** Somebody else who writes to RAM: what an entry becomes just before A or D is set in it; undefined: it stays. */
export type Meddler = (entry: bigint) => bigint | undefined;

/** One who meddles with every third entry or so, by a seed: takes it away or brings it back, marks it, alters its rights. */
export function meddlerOf(seed: number): Meddler {
  let state = seed >>> 0;
  return (entry) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const change = [1n, 1n << 1n, 1n << 2n, 1n << 5n, 1n << 6n, 1n << 63n][state >>> 28];
    return change === undefined ? undefined : entry ^ change;
  };
}

/** Sparse physical memory, by frame number. */
export class Memory {
  readonly #frames = new Map<number, Frame>();
  readonly #ram = new Set<number>();
  /** Who else writes to RAM (rules.md 18.13). */
  meddler: Meddler | undefined;

  /**
   * Put a frame of zeros into the store, at generation 0.
   * @throws RangeError if it is there already
   */
  add(frame: number, state: FrameState): void {
    if (this.#frames.has(frame)) throw new RangeError(`frame ${frame} is in the store already`);
    this.#frames.set(frame, { entries: new BigUint64Array(512), state, generation: 0 });
  }

  /** Guest memory in place (rules.md section 18): frames that are in the store from the start, as tables unless they are there already. */
  addRam({ first, count }: RamFrames): void {
    for (let frame = first; frame < first + count; frame++) {
      if (!this.has(frame)) this.add(frame, "table");
      this.#ram.add(frame);
    }
  }

  /** Take a frame out of the store. */
  delete(frame: number): void {
    this.#frames.delete(frame);
  }

  /** Whether the frame is in the store. */
  has(frame: number): boolean {
    return this.#frames.has(frame);
  }

  /** All frame numbers, in the order in which they were added. */
  frames(): number[] {
    return [...this.#frames.keys()];
  }

  /** The entry, or undefined if the frame is not in the store. */
  readEntry(frame: number, index: number): bigint | undefined {
    return this.#frames.get(frame)?.entries[index];
  }

  /** @throws RangeError if the frame is not in the store or the index is not 0..511 */
  writeEntry(frame: number, index: number, entry: bigint): void {
    if (!(index >= 0 && index < 512)) throw new RangeError(`entry index ${index}: expected 0..511`);
    this.#get(frame).entries[index] = entry;
  }

  /** Put an entry in the place of what was read there, unless it has changed since; whether that was done. */
  exchange(frame: number, index: number, read: bigint, entry: bigint): boolean {
    const { entries } = this.#get(frame);
    const before = entries[index] as bigint;
    if (this.#ram.has(frame)) entries[index] = this.meddler?.(before) ?? before;
    if (entries[index] !== read) return false;
    entries[index] = entry;
    return true;
  }

  /** State of a frame. */
  state(frame: number): FrameState {
    return this.#get(frame).state;
  }

  /** Free a frame or give it a new use: its generation goes up by one. */
  setState(frame: number, state: FrameState): void {
    const it = this.#get(frame);
    it.state = state;
    it.generation += 1;
  }

  /** Generation of a frame; 0 for one that is not in the store. */
  generation(frame: number): number {
    return this.#frames.get(frame)?.generation ?? 0;
  }

  #get(frame: number): Frame {
    const it = this.#frames.get(frame);
    if (it === undefined) throw new RangeError(`frame ${frame} is not in the store`);
    return it;
  }
}
