// What a snapshot holds of the engine's memory, and how a restore brings it back. Small parts are copied whole. Of frames, and of
// arrays that are long and mostly left alone (assembly/base/sparse.ts), only that is which was written to since the snapshot was
// taken or gone back to: mostly one or two of thousands.

import { entries, metaSize, sparse, standingSize } from "./abi.js";
import type { Pointer } from "./exports.js";
import type { Engine } from "./instance.js";

/** A range of linear memory, [from, to). */
export type Range = readonly [from: Pointer, to: Pointer];

/** Bytes as they were. */
export interface Part {
  at: Pointer;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Bytes as they were, of which pieces of one size are brought back, each by its number. */
interface Pieces extends Part {
  size: number;
  piece: (Uint8Array | undefined)[];
}

const CONTENTS_SIZE = entries * 8;
const BLOCK_SIZE = 1 << sparse.block;

const inPieces = (part: Part, size: number): Pieces => ({ ...part, size, piece: [] });

function bringPiece({ at, bytes, size, piece }: Pieces, number: number, memory: Uint8Array): void {
  const offset = number * size;
  piece[number] ??= bytes.subarray(offset, offset + size);
  memory.set(piece[number], at + offset);
}

/** State as it was at one moment. */
export class Image {
  /** What walks ask of a frame, what else is known of it, its contents; in pieces by slot. */
  private readonly perSlot: readonly Pieces[];
  /** In pieces by block. */
  private readonly perBlock: readonly Pieces[];

  constructor(
    /** Ranges that are neither frames nor sparse arrays. */
    readonly small: readonly Part[],
    private readonly sparse: readonly Part[],
    private readonly frames: readonly Part[],
    /** Frames that there were. */
    readonly used: number,
  ) {
    this.perSlot = frames.map((part) => inPieces(part, part.bytes.length / used));
    this.perBlock = sparse.map((part) => inPieces(part, BLOCK_SIZE));
  }

  /** Everything, in order of addresses. */
  get parts(): readonly Part[] {
    return [...this.small, ...this.sparse, ...this.frames].sort((a, b) => a.at - b.at);
  }

  /** Brings one frame back. */
  frame(slot: number, memory: Uint8Array): void {
    for (const part of this.perSlot) bringPiece(part, slot - 1, memory);
  }

  /** Brings one block of a sparse array back. */
  block(array: number, block: number, memory: Uint8Array): void {
    bringPiece(this.perBlock[array] as Pieces, block, memory);
  }

  /** Brings sparse arrays back. */
  allSparse(memory: Uint8Array): void {
    for (const { at, bytes } of this.sparse) memory.set(bytes, at);
  }
}

/** The memory of a machine that holds state. */
export class State {
  /** The image that memory differs from in what is marked as written to, and in the small parts. */
  private latest: Image | undefined;
  private whole = new Uint8Array(0);
  private readonly small: readonly Range[];
  private readonly sparse: readonly Range[];
  /** One for each sparse array: a byte for each of its blocks. */
  private marks: readonly Uint8Array[] = [];

  /**
   * @param ranges all that may be written to but frames
   * @param lent slots whose contents the host may write through a view that it was given
   */
  constructor(
    private readonly engine: Engine,
    ranges: readonly Range[],
    private readonly lent: ReadonlySet<number>,
  ) {
    const heads = sparseHeads(engine);
    this.sparse = heads.map(({ at, bytes }) => [at + sparse.head, at + sparse.head + bytes]);
    this.small = heads.reduce<readonly Range[]>(
      (all, { at, bytes }) => all.flatMap((range) => without(range, [at, at + sparse.head + bytes])),
      ranges,
    );
  }

  /** Copies the state. */
  take(): Image {
    const used = this.engine.exports.framesUsed();
    const image = new Image(
      this.small.map(this.copy),
      this.sparse.map(this.copy),
      this.frameRanges(used).map(this.copy),
      used,
    );
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
    const memory = this.memory();
    if (image === this.latest) this.bringMarked(image, memory);
    else {
      for (let slot = 1; slot <= image.used; slot++) image.frame(slot, memory);
      image.allSparse(memory);
    }
    for (const { at, bytes } of image.small) memory.set(bytes, at);
    this.isAt(image);
  }

  private bringMarked(image: Image, memory: Uint8Array): void {
    const { nextTouched } = this.engine.exports;
    for (let slot = nextTouched(1); slot !== 0; slot = nextTouched(slot + 1)) image.frame(slot, memory);
    for (const [array, marks] of this.marks.entries()) {
      for (let block = marks.indexOf(1); block >= 0; block = marks.indexOf(1, block + 1))
        image.block(array, block, memory);
    }
  }

  /** Views of memory, made once, and again should it have grown: a view of what it was has no length then. */
  private memory(): Uint8Array {
    if (this.whole.length === 0) {
      this.whole = this.engine.bytes(0, this.engine.exports.memory.buffer.byteLength);
      this.marks = this.sparse.map(([from, to]) => {
        const first = from - sparse.head + sparse.marks;
        return this.whole.subarray(first, first + Math.ceil((to - from) / BLOCK_SIZE));
      });
    }
    return this.whole;
  }

  private isAt(image: Image): void {
    const { forgetTouched, touch } = this.engine.exports;
    this.memory();
    forgetTouched();
    for (const slot of this.lent) touch(slot);
    for (const marks of this.marks) marks.fill(0);
    this.latest = image;
  }
}

/** The heads of all sparse arrays, and how long the arrays are. */
function sparseHeads(engine: Engine): { at: Pointer; bytes: number }[] {
  const heads: { at: Pointer; bytes: number }[] = [];
  for (let at = engine.exports.latestSparse(); at !== 0; ) {
    const head = engine.view(at, sparse.marks);
    heads.push({ at, bytes: head.getUint32(sparse.bytes, true) });
    at = head.getUint32(sparse.next, true);
  }
  return heads;
}

/** What a range has left and right of another. */
function without([from, to]: Range, [hole, end]: Range): Range[] {
  if (end <= from || hole >= to) return [[from, to]];
  const left: Range = [from, hole];
  const right: Range = [end, to];
  return [left, right].filter(([a, b]) => b > a);
}
