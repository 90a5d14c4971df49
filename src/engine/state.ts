// What a snapshot holds of the engine's memory, and how a restore brings it back. Small parts are copied whole. Of frames, and of
// arrays that are long and mostly left alone (assembly/base/sparse.ts), only that is which was written to since the snapshot was
// taken or gone back to: mostly one or two of thousands. What RAM holds is the host's, who may write there at any time: it is copied
// whole, or left alone.

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

/** Bytes as they were, of which pieces of one size are brought back, each by its number, counted from `first`. */
interface Pieces extends Part {
  first: number;
  size: number;
  piece: (Uint8Array | undefined)[];
}

/** A part that has a piece for each slot from one on. */
interface OfSlots extends Part {
  first: number;
  size: number;
}

const CONTENTS_SIZE = entries * 8;
const BLOCK_SIZE = 1 << sparse.block;

const inPieces = (part: Part, size: number, first = 0): Pieces => ({ ...part, first, size, piece: [] });

function bringPiece({ at, bytes, first, size, piece }: Pieces, number: number, memory: Uint8Array): void {
  if (number < first) return;
  const offset = (number - first) * size;
  piece[number - first] ??= bytes.subarray(offset, offset + size);
  memory.set(piece[number - first] as Uint8Array, at + offset);
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
    /** Arrays that are long and mostly left alone. */
    readonly sparse: readonly Part[],
    /** What walks ask of frames, what else is known of them, and their contents. */
    readonly frames: readonly OfSlots[],
    /** Slots that there were. */
    readonly used: number,
    /** What RAM held, if that was asked for. */
    readonly ram: Part | undefined,
  ) {
    this.perSlot = frames.map((part) => inPieces(part, part.size, part.first));
    this.perBlock = sparse.map((part) => inPieces(part, BLOCK_SIZE));
  }

  /** Everything, in order of addresses. */
  get parts(): readonly Part[] {
    const ram = this.ram ? [this.ram] : [];
    return [...this.small, ...this.sparse, ...this.frames, ...ram].sort((a, b) => a.at - b.at);
  }

  /** Brings one frame back; of a frame of RAM all but its contents. */
  frame(slot: number, memory: Uint8Array): void {
    for (const part of this.perSlot) bringPiece(part, slot, memory);
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
  /** Slots written to since the latest image, of which the engine's marks say nothing any more. */
  private readonly earlier = new Set<number>();
  /** Slots written to since somebody asked last for changes; undefined as long as nobody has. */
  private changed: Set<number> | undefined;

  /**
   * @param ranges all that may be written to but frames
   * @param lent slots whose contents the host may write through a view that it was given
   * @param ram how many slots, the first ones, are RAM
   */
  constructor(
    private readonly engine: Engine,
    ranges: readonly Range[],
    private readonly lent: ReadonlySet<number>,
    private readonly ram: number,
  ) {
    const heads = sparseHeads(engine);
    this.sparse = heads.map(({ at, bytes }) => [at + sparse.head, at + sparse.head + bytes]);
    this.small = heads.reduce<readonly Range[]>(
      (all, { at, bytes }) => all.flatMap((range) => without(range, [at, at + sparse.head + bytes])),
      ranges,
    );
  }

  /** Copies the state; what RAM holds too, if `ram`. */
  take(ram: boolean): Image {
    const used = this.engine.exports.framesUsed();
    const image = new Image(
      this.small.map(this.copy),
      this.sparse.map(this.copy),
      this.copyFrames(used),
      used,
      ram && this.ram > 0 ? this.copyContents(1, this.ram) : undefined,
    );
    this.collect();
    this.isAt(image);
    return image;
  }

  private readonly copy = ([from, to]: Range): Part => ({
    at: from,
    bytes: this.engine.bytes(from, to - from).slice(),
  });

  private copyFrames(used: number): OfSlots[] {
    if (used === 0) return [];
    const { standingOf, metaOf } = this.engine.exports;
    const ofAll = (at: Pointer, size: number): OfSlots => ({ ...this.copy([at, at + used * size]), first: 1, size });
    const parts = [ofAll(standingOf(1), standingSize), ofAll(metaOf(1), metaSize)];
    const first = this.ram + 1;
    return used < first ? parts : [...parts, { ...this.copyContents(first, used), first, size: CONTENTS_SIZE }];
  }

  private copyContents(first: number, last: number): Part {
    const at = this.engine.exports.contentsOf(first);
    return this.copy([at, at + (last - first + 1) * CONTENTS_SIZE]);
  }

  /** Brings an image back. Frames that have been added since would stay: the caller has made sure that there are none. */
  bringBack(image: Image): void {
    const memory = this.memory();
    const isLatest = image === this.latest;
    this.collect();
    if (isLatest) this.bringMarked(image, memory);
    else {
      for (let slot = 1; slot <= image.used; slot++) {
        image.frame(slot, memory);
        this.changed?.add(slot);
      }
      image.allSparse(memory);
    }
    for (const { at, bytes } of image.small) memory.set(bytes, at);
    if (image.ram) memory.set(image.ram.bytes, image.ram.at);
    this.isAt(image);
  }

  private bringMarked(image: Image, memory: Uint8Array): void {
    const { nextTouched } = this.engine.exports;
    for (let slot = nextTouched(1); slot !== 0; slot = nextTouched(slot + 1)) image.frame(slot, memory);
    for (const slot of this.earlier) {
      image.frame(slot, memory);
      this.changed?.add(slot);
    }
    for (const [array, marks] of this.marks.entries()) {
      for (let block = marks.indexOf(1); block >= 0; block = marks.indexOf(1, block + 1))
        image.block(array, block, memory);
    }
  }

  /** Slots written to since the last call, ascending, those that are lent always; at the first call all there are. */
  takeChanged(): number[] {
    const all = (): number[] => Array.from({ length: this.engine.exports.framesUsed() }, (_, i) => i + 1);
    const slots = this.changed ?? new Set(all());
    this.changed = slots;
    this.collect();
    for (const slot of this.lent) slots.add(slot);
    this.changed = new Set();
    return [...slots].sort((a, b) => a - b);
  }

  /** Once somebody has asked for changes: takes what the engine has marked, so that a new image does not hide it. */
  private collect(): void {
    if (!this.changed) return;
    const { forgetTouched, nextTouched } = this.engine.exports;
    for (let slot = nextTouched(1); slot !== 0; slot = nextTouched(slot + 1)) {
      this.earlier.add(slot);
      this.changed.add(slot);
    }
    forgetTouched();
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
    this.earlier.clear();
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
