// Memory at the states of a cell: programs are played from the cell's begin up to a point and stop there; single moves are played from
// where memory stands then, and taken back. It copies what has changed: frames and blocks by the engine's marks, small parts always.

import { metaSize, sparse, standingSize } from "../../engine/abi.js";
import type { Pointer } from "../../engine/exports.js";
import type { Part } from "../../engine/state.js";
import type { Machine, Snapshot } from "../../machine.js";
import { operationBytes } from "../../program/operations.js";
import { pointNames } from "../../program/sites.js";
import { playsToStop, stopRecord } from "../../program/stop.js";
import type { Forms, Remembered } from "./form.js";
import type { Lens, RangeList } from "./lens.js";

const FRAME_BYTES = 4096;
const BLOCK = 1 << sparse.block;

/** Operations of a program, and what plays at its points: `points` ascend. */
export interface Script {
  main: readonly Uint8Array[];
  placed: readonly Uint8Array[];
  points: readonly number[];
}

/** A point that a program has reached. */
export interface Reached {
  name: number;
  nested: number;
  /** What it tells, as two words. */
  low: number;
  high: number;
}

/** Pieces of memory, of one size each; the last may be shorter. */
interface Pieces {
  at: Pointer;
  end: Pointer;
  size: number;
}

/** Pieces that the engine marks when it writes to them. */
interface Marked extends Pieces {
  marks: Uint8Array;
}

export class Board {
  private readonly bytes: Uint8Array;
  private readonly words: Uint32Array;
  private readonly slots: number;
  private small: RangeList = { at: 0, count: 0 };
  private frames: readonly Pieces[] = [];
  private blocks: readonly Marked[] = [];
  /** By slot, by block: it is not what it was when the cell began, and what it was at the state that is held. */
  private readonly changed: Uint8Array;
  private changedBlocks: readonly Uint8Array[] = [];
  private readonly known: Remembered;
  private recordedAt = 0;

  constructor(
    private readonly machine: Machine,
    private readonly lens: Lens,
    private readonly forms: Forms,
  ) {
    this.bytes = lens.bytes;
    this.words = lens.words;
    this.slots = machine.frames.size;
    this.changed = new Uint8Array(this.slots + 1);
    this.known = forms.nothingRemembered();
    this.recordedAt = forms.places.find(({ what }) => what === "numbers of hazards")?.from ?? 0;
  }

  /** The machine is as this snapshot holds it: here the cell begins. */
  begin(snapshot: Snapshot): void {
    const { small, sparse: arrays, frames } = snapshot.image;
    const [standings, metas, contents] = frames as readonly Part[] as [Part, Part, Part];
    this.forms.begin(snapshot);
    this.small = this.lens.list(small.map(({ at, bytes }) => [at, at + bytes.length]));
    const inPieces = ({ at, bytes }: Part, size: number): Pieces => ({ at, end: at + bytes.length, size });
    this.frames = [inPieces(standings, standingSize), inPieces(metas, metaSize), inPieces(contents, FRAME_BYTES)];
    this.blocks = arrays.map((part) => {
      const marks = part.at - sparse.head + sparse.marks;
      const count = Math.ceil(part.bytes.length / BLOCK);
      return { ...inPieces(part, BLOCK), marks: this.bytes.subarray(marks, marks + count) };
    });
    this.changed.fill(0);
    this.changedBlocks = this.blocks.map(({ marks }) => new Uint8Array(marks.length));
    this.forms.remember(this.known);
    this.forgetMarks();
  }

  /** Hazards recorded so far, in 32 bits. */
  get recorded(): number {
    return this.words[this.recordedAt >>> 2] as number;
  }

  /** Back to where the cell begins. */
  rewind(): void {
    const { lens } = this;
    lens.copyRanges(this.small, lens.begin, lens.now);
    this.gatherMarks();
    for (let slot = 1; slot <= this.slots; slot++) {
      if (this.changed[slot] === 0) continue;
      for (const pieces of this.frames) this.copy(pieces, slot - 1, lens.begin, lens.now);
      this.forms.forget(slot);
    }
    for (const [i, pieces] of this.blocks.entries()) {
      const changed = this.changedBlocks[i] as Uint8Array;
      for (let block = changed.indexOf(1); block >= 0; block = changed.indexOf(1, block + 1)) {
        this.copy(pieces, block, lens.begin, lens.now);
      }
      changed.fill(0);
    }
    this.changed.fill(0);
  }

  /**
   * Plays a program from the cell's begin and stops at its point `stop`, after what plays there; how many points it has reached by then,
   * those inside of what plays at points among them.
   */
  playTo({ main, placed, points }: Script, stop: number): number {
    this.rewind();
    const { player, engine } = this.machine;
    let at = player.program as number;
    for (const record of main) {
      this.bytes.set(record, at);
      at += record.length;
    }
    let next = player.interleaved as number;
    let count = 0;
    for (const [i, record] of placed.entries()) {
      this.bytes.set(record, next);
      next += record.length;
      for (let left = record.length; left > 0; left -= operationBytes) {
        this.words[(player.interleavedPoints >>> 2) + count++] = points[i] as number;
      }
    }
    this.bytes.set(stopRecord, next);
    this.words[(player.interleavedPoints >>> 2) + count] = stop;
    engine.exports.setInterleaved(player.interleaved, player.interleavedPoints, count + 1);
    const stopped = playsToStop(engine, player.program, (at - player.program) / operationBytes);
    const reached = engine.exports.pointsReached();
    if (!stopped || reached <= stop) throw new Error(`the program has not come to its point ${stop}`);
    // What is played from here on reaches points with nothing to play at them.
    engine.exports.setInterleaved(player.interleaved, player.interleavedPoints, 0);
    return reached;
  }

  /** A point of the program that was played last. */
  point(number: number): Reached {
    const { words } = this;
    const at = (this.machine.player.trail >>> 2) + 4 * number;
    return {
      name: words[at] as number,
      nested: words[at + 1] as number,
      low: words[at + 2] as number,
      high: words[at + 3] as number,
    };
  }

  /** Contents that the engine has marked are looked at, so that the form of this state can be told. */
  look(): void {
    this.gatherMarks();
    for (let slot = 1; slot <= this.slots; slot++) if (this.changed[slot] !== 0) this.forms.look(slot);
  }

  /** Holds memory as it is, for {@link back}; it has been looked at. */
  hold(): void {
    const { lens } = this;
    lens.copyRanges(this.small, lens.now, lens.held);
    for (let slot = 1; slot <= this.slots; slot++) {
      if (this.changed[slot] !== 0) for (const pieces of this.frames) this.copy(pieces, slot - 1, lens.now, lens.held);
    }
    for (const [i, pieces] of this.blocks.entries()) {
      const changed = this.changedBlocks[i] as Uint8Array;
      for (let block = changed.indexOf(1); block >= 0; block = changed.indexOf(1, block + 1))
        this.copy(pieces, block, lens.now, lens.held);
    }
    this.forms.remember(this.known);
  }

  /** Plays operations from where memory stands; what they have marked is looked at. */
  play(record: Uint8Array): void {
    const { player, engine } = this.machine;
    this.bytes.set(record, player.program);
    engine.exports.play(player.program, record.length / operationBytes, 0);
    const { nextTouched } = engine.exports;
    for (let slot = nextTouched(1); slot !== 0; slot = nextTouched(slot + 1)) this.forms.look(slot);
  }

  /** Back to what is held. */
  back(): void {
    const { lens } = this;
    lens.copyRanges(this.small, lens.held, lens.now);
    const { nextTouched, forgetTouched } = this.machine.engine.exports;
    let any = false;
    for (let slot = nextTouched(1); slot !== 0; slot = nextTouched(slot + 1)) {
      any = true;
      const was = this.changed[slot] !== 0;
      for (const pieces of this.frames) this.copy(pieces, slot - 1, was ? lens.held : lens.begin, lens.now);
      this.forms.recall(this.known, slot);
    }
    if (any) forgetTouched();
    for (let i = 0; i < this.blocks.length; i++) {
      const pieces = this.blocks[i] as Marked;
      const { marks } = pieces;
      if (marks.length === 1 && marks[0] === 0) continue;
      for (let block = marks.indexOf(1); block >= 0; block = marks.indexOf(1, block + 1)) {
        const was = (this.changedBlocks[i] as Uint8Array)[block] !== 0;
        this.copy(pieces, block, was ? lens.held : lens.begin, lens.now);
        marks[block] = 0;
      }
    }
  }

  private copy({ at, end, size }: Pieces, piece: number, from: number, to: number): void {
    const first = at + piece * size;
    this.lens.copy(first, Math.min(size, end - first), from, to);
  }

  /** What the engine has marked is noted as changed since the cell's begin. */
  private gatherMarks(): void {
    const { nextTouched } = this.machine.engine.exports;
    for (let slot = nextTouched(1); slot !== 0; slot = nextTouched(slot + 1)) this.changed[slot] = 1;
    for (const [i, { marks }] of this.blocks.entries()) {
      for (let block = marks.indexOf(1); block >= 0; block = marks.indexOf(1, block + 1)) {
        (this.changedBlocks[i] as Uint8Array)[block] = 1;
      }
    }
    this.forgetMarks();
  }

  private forgetMarks(): void {
    this.machine.engine.exports.forgetTouched();
    for (const { marks } of this.blocks) marks.fill(0);
  }
}

/** Number of the point between two operations. */
export const OPERATION_DONE = pointNames.indexOf("OPERATION_DONE");
