// The kernel's frames (rules.md section 8): memory with a pool, a stack of free frames, and for each frame of the pool its
// level, its mark and who freed it last. Leaf targets are only numbers: their frames are not in the store.

import type { Level } from "../entry.js";
import { Memory } from "../memory.js";

/** Mark of a table: `kernel` is the ptdesc flag of the merged fix, `boot` memory reserved at boot. */
export type Mark = "kernel" | "boot" | "none";

/** What is known about a frame of the pool besides its contents, state and generation. */
export interface FrameInfo {
  /** Level of the table; 0 for data and for a frame that was never a table. */
  level: Level | 0;
  mark: Mark;
  /** Site of the last release; undefined if there was none. */
  site: number | undefined;
  /** Number of the operation in which it was released last. */
  operation: number | undefined;
}

/** First frame number and size of the window of leaf targets. */
const WINDOW_BASE = 0x10_0000;
const WINDOW_FRAMES = 2 ** 19;

/** Memory with the kernel's allocator on top. */
export class FrameStore extends Memory {
  tablesAllocated = 0;
  tablesReleased = 0;
  /** Allocations that found no free frame. */
  outOfFrames = 0;
  readonly #info = new Map<number, FrameInfo>();
  /** Free frames; the top of the stack is the last. */
  readonly #free: number[] = [];
  /** Frames of data, in the order in which they were taken. */
  readonly #taken: number[] = [];
  readonly #freedBy = new Map<number, number>();
  #nextTarget = 0;

  /** All frames `poolBase`..`poolBase + pool - 1` are free, the lowest on top. */
  constructor(poolBase: number, pool: number) {
    super();
    for (let frame = poolBase; frame < poolBase + pool; frame++) {
      this.add(frame, "free");
      this.#info.set(frame, { level: 0, mark: "none", site: undefined, operation: undefined });
      this.#free.unshift(frame);
    }
  }

  /** Free frames, the next one to be allocated last. */
  freeStack(): number[] {
    return [...this.#free];
  }

  /** What is known about a frame; undefined for one that is not of the pool. */
  info(frame: number): Readonly<FrameInfo> | undefined {
    return this.#info.get(frame);
  }

  /** A table of zeros, or undefined (and counted) if no frame is free. */
  allocateTable(level: Level, mark: Mark): number | undefined {
    const frame = this.#allocate("table", level, mark);
    if (frame !== undefined) this.tablesAllocated += 1;
    return frame;
  }

  /** A frame for someone's data, all entries alike; undefined (and counted) if no frame is free. */
  allocateData(entry: bigint): number | undefined {
    const frame = this.#allocate("data", 0, "none");
    if (frame === undefined) return undefined;
    this.#fill(frame, entry);
    this.#taken.push(frame);
    return frame;
  }

  /** The frame of data that was taken longest ago is free again, without a site; undefined if there is none. */
  giveBack(): number | undefined {
    const frame = this.#taken.shift();
    if (frame === undefined) return undefined;
    this.setState(frame, "free");
    Object.assign(this.#infoOf(frame), { site: undefined, operation: undefined });
    this.#free.push(frame);
    return frame;
  }

  /** A table's mark is known to be another; tables of boot memory keep theirs. */
  remark(frame: number, mark: "kernel" | "none"): void {
    const info = this.#infoOf(frame);
    if (info.mark !== "boot") info.mark = mark;
  }

  /** Give a table back; its contents stay. Nothing happens to a frame that is not a table now. */
  release(frame: number, site: number, operation: number): void {
    if (!this.isTable(frame)) return;
    this.tablesReleased += 1;
    this.#freedBy.set(site, (this.#freedBy.get(site) ?? 0) + 1);
    this.setState(frame, "free");
    Object.assign(this.#infoOf(frame), { site, operation });
    this.#free.push(frame);
  }

  /** Tables released, by site. */
  freedBy(): Record<number, number> {
    return Object.fromEntries([...this.#freedBy].sort(([a], [b]) => a - b));
  }

  /** Whether the frame is in the store and is a table now. */
  isTable(frame: number): boolean {
    return this.has(frame) && this.state(frame) === "table";
  }

  /** Whether all 512 entries of a frame are 0. */
  isEmpty(frame: number): boolean {
    return Array.from({ length: 512 }, (_, index) => this.readEntry(frame, index)).every((entry) => entry === 0n);
  }

  /** The next frame number for a page of that many frames (a power of two). */
  nextTarget(frames: number): number {
    const start = (Math.ceil(this.#nextTarget / frames) * frames) % WINDOW_FRAMES;
    this.#nextTarget = (start + frames) % WINDOW_FRAMES;
    return WINDOW_BASE + start;
  }

  #allocate(state: "table" | "data", level: Level | 0, mark: Mark): number | undefined {
    const frame = this.#free.pop();
    if (frame === undefined) {
      this.outOfFrames += 1;
      return undefined;
    }
    this.setState(frame, state);
    this.#fill(frame, 0n);
    Object.assign(this.#infoOf(frame), { level, mark });
    return frame;
  }

  #fill(frame: number, entry: bigint): void {
    for (let index = 0; index < 512; index++) this.writeEntry(frame, index, entry);
  }

  #infoOf(frame: number): FrameInfo {
    const info = this.#info.get(frame);
    if (info === undefined) throw new RangeError(`frame ${frame} is not of the pool`);
    return info;
  }
}
