// What a snapshot holds of the engine's memory, and how a restore brings it back. Small parts are copied whole. Of the frames
// only those are that were written to since the snapshot was taken or gone back to: mostly one or two of thousands.

import { entries, metaSize, standingSize } from "./abi.js";
import type { Pointer } from "./exports.js";
import type { Engine } from "./instance.js";

/** A range of linear memory, [from, to). */
export type Range = readonly [from: Pointer, to: Pointer];

/** Bytes as they were. */
export interface Part {
  at: Pointer;
  bytes: Uint8Array<ArrayBuffer>;
}

const CONTENTS_SIZE = entries * 8;

/** State as it was at one moment. */
export class Image {
  /** By slot: what walks ask of a frame, what else is known of it, its contents. */
  private readonly perSlot: readonly (Part & { size: number; ofSlot: (Uint8Array | undefined)[] })[];

  constructor(
    /** Ranges that are no frames. */
    readonly small: readonly Part[],
    private readonly frames: readonly Part[],
    /** Frames that there were. */
    readonly used: number,
  ) {
    this.perSlot = frames.map((part) => ({ ...part, size: part.bytes.length / used, ofSlot: [] }));
  }

  /** Everything, in order of addresses. */
  get parts(): readonly Part[] {
    return [...this.small, ...this.frames].sort((a, b) => a.at - b.at);
  }

  /** Brings one frame back. */
  frame(slot: number, memory: Uint8Array): void {
    for (const { at, bytes, size, ofSlot } of this.perSlot) {
      const offset = (slot - 1) * size;
      ofSlot[slot] ??= bytes.subarray(offset, offset + size);
      memory.set(ofSlot[slot], at + offset);
    }
  }
}

/** The memory of a machine that holds state. */
export class State {
  /** The image that memory differs from in the frames marked as written to, and in the small parts. */
  private latest: Image | undefined;
  private whole = new Uint8Array(0);

  /** @param lent slots whose contents the host may write through a view that it was given */
  constructor(
    private readonly engine: Engine,
    private readonly small: readonly Range[],
    private readonly lent: ReadonlySet<number>,
  ) {}

  /** Copies the state. */
  take(): Image {
    const used = this.engine.exports.framesUsed();
    const image = new Image(this.small.map(this.copy), this.frameRanges(used).map(this.copy), used);
    this.isAt(image);
    return image;
  }

  private readonly copy = ([from, to]: Range): Part => ({
    at: from,
    bytes: this.engine.bytes(from, to - from).slice(),
  });

  private frameRanges(used: number): Range[] {
    if (used === 0) return [];
    const { standingOf, metaOf, contentsOf } = this.engine.exports;
    const first = [standingOf(1), metaOf(1), contentsOf(1)] as const;
    return ([standingSize, metaSize, CONTENTS_SIZE] as const).map((size, i) => {
      const at = first[i] as Pointer;
      return [at, at + used * size];
    });
  }

  /** Brings an image back. Frames that have been added since would stay: the caller has made sure that there are none. */
  bringBack(image: Image): void {
    const { nextTouched } = this.engine.exports;
    // Views of memory are made once: it does not grow any more, but may have since the first snapshot.
    if (this.whole.length === 0) this.whole = this.engine.bytes(0, this.engine.exports.memory.buffer.byteLength);
    const memory = this.whole;
    if (image === this.latest) {
      for (let slot = nextTouched(1); slot !== 0; slot = nextTouched(slot + 1)) image.frame(slot, memory);
    } else {
      for (let slot = 1; slot <= image.used; slot++) image.frame(slot, memory);
    }
    for (const { at, bytes } of image.small) memory.set(bytes, at);
    this.isAt(image);
  }

  private isAt(image: Image): void {
    const { forgetTouched, touch } = this.engine.exports;
    forgetTouched();
    for (const slot of this.lent) touch(slot);
    this.latest = image;
  }
}
