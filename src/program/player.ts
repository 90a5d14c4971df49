// Packed programs in the engine's memory: copied in, checked and played, with others at their points (docs/rules.md section 13).

import { checkInteger, InvalidOptionError } from "../base/errors.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import { CHUNK, MAX_INTERLEAVED, MAX_TRAIL } from "../engine/limits.js";
import { type Actors, unplayable } from "./faults.js";
import { countOperations, operationBytes, twoRecords } from "./operations.js";
import { type PointName, pointNames } from "./sites.js";
import { playsToStop, stopRecord } from "./stop.js";

/** Records, and the point at which each is played: ascending. */
export interface Interleaved {
  /** A packed program; no operation of two records. */
  operations: Uint8Array;
  /** One per record, 0 to 2^32 - 1. */
  points: readonly number[];
}

const LAST_POINT = 0xffff_ffff;
/** In place of where results go. */
const NO_RESULTS = 0 as Pointer;

/** A point that a program has reached (docs/rules.md section 13). */
export interface ReachedPoint {
  /** Which point. */
  name: PointName;
  /** What it is about: after a free the frame, of a list how many tables, else an address, 0 if there is none. */
  at: bigint;
  /** How many interleaved operations it lies in, one inside the other; 0 in the program's own. */
  nested: number;
}

/** Plays programs; what each method does, the machine's method of that name says. @internal */
export class Player {
  /** Where records are played from. */
  readonly program: Pointer;
  /** Where operations are interleaved from, and their points. */
  readonly interleaved: Pointer;
  readonly interleavedPoints: Pointer;
  /** Where reached points are written down: name and nesting in 32 bits each, then what it tells. */
  readonly trail: Pointer;
  private readonly results: Pointer;
  private reached = 0;

  /** @param actors whom operations may name */
  constructor(
    private readonly engine: Engine,
    private readonly actors: Actors,
  ) {
    const { exports } = engine;
    this.program = engine.made(exports.allocate(CHUNK * operationBytes), "program memory");
    this.interleaved = engine.made(exports.allocate(MAX_INTERLEAVED * operationBytes), "program memory");
    this.interleavedPoints = engine.made(exports.allocate(MAX_INTERLEAVED * 4), "program memory");
    this.trail = engine.made(exports.allocate(MAX_TRAIL * 16), "program memory");
    exports.recordPoints(this.trail, MAX_TRAIL);
    this.results = engine.made(exports.allocate(CHUNK * 8), "result memory");
  }

  play(program: Uint8Array, wanted: boolean): BigUint64Array {
    const { exports } = this.engine;
    const total = countOperations(program);
    // Nothing is played unless all of it can be.
    for (const [first, count] of this.chunks(program, total)) this.check(this.program, first, count);
    const at = wanted ? this.results : NO_RESULTS;
    if (total <= CHUNK) {
      // It lies there still.
      exports.play(this.program, total, at);
      return this.engine.words(this.results, wanted ? total : 0).slice();
    }
    const results = new BigUint64Array(wanted ? total : 0);
    for (const [first, count] of this.chunks(program, total)) {
      exports.play(this.program, count, at);
      if (wanted) results.set(this.engine.words(this.results, count), first);
    }
    return results;
  }

  /** The memory that programs are played from. */
  memory(records: number): Uint8Array<ArrayBuffer> {
    return this.engine.bytes(this.program, checkInteger("records", records, 1, CHUNK) * operationBytes);
  }

  /** Copies the program into the engine chunk by chunk; an operation and its second record stay together. */
  private *chunks(program: Uint8Array, total: number): Generator<[first: number, count: number]> {
    for (let first = 0; first < total; ) {
      let count = Math.min(CHUNK, total - first);
      const last = program[(first + count - 1) * operationBytes] as number;
      if (first + count < total && last in twoRecords && count > 1) count--;
      const bytes = program.subarray(first * operationBytes, (first + count) * operationBytes);
      const room = this.engine.bytes(this.program, bytes.length);
      // What the caller has written there needs no copy.
      if (bytes.buffer !== room.buffer || bytes.byteOffset !== room.byteOffset) room.set(bytes);
      yield [first, count];
      first += count;
    }
  }

  private check(at: Pointer, first: number, count: number): void {
    const { exports } = this.engine;
    const bad = exports.checkProgram(at, count);
    if (bad === count) return;
    const record = this.engine.view(at + bad * operationBytes, operationBytes);
    throw unplayable(first + bad, record, exports.programFault.value, this.actors);
  }

  playInterleaved(program: Uint8Array, interleaved: Interleaved): { results: BigUint64Array; points: number } {
    const points = this.playPlaced(program, interleaved);
    return { results: this.engine.words(this.results, countOperations(program)).slice(), points };
  }

  /** The same without a copy of the results; how many points it reached. @internal */
  playPlaced(program: Uint8Array, interleaved: Interleaved): number {
    const { exports } = this.engine;
    const count = this.place(program, interleaved);
    exports.setInterleaved(this.interleaved, this.interleavedPoints, interleaved.points.length);
    exports.play(this.program, count, this.results);
    this.reached = exports.pointsReached();
    exports.ignorePoints();
    return this.reached;
  }

  /** Plays up to a point, and what is interleaved there, and no further. Playing goes wrong afterwards (stop.ts). */
  playUntil(program: Uint8Array, interleaved: Interleaved, point: number): void {
    const { exports } = this.engine;
    checkInteger("point", point, interleaved.points.at(-1) ?? 0, LAST_POINT);
    const extra = interleaved.points.length;
    checkInteger("points.length", extra, 0, MAX_INTERLEAVED - 1);
    const count = this.place(program, interleaved);
    this.engine.bytes(this.interleaved + extra * operationBytes, operationBytes).set(stopRecord);
    new Uint32Array(exports.memory.buffer, this.interleavedPoints, extra + 1)[extra] = point;
    exports.setInterleaved(this.interleaved, this.interleavedPoints, extra + 1);
    const stopped = playsToStop(this.engine, this.program, count);
    if (stopped) this.reached = exports.pointsReached();
    exports.ignorePoints();
    if (!stopped) throw new InvalidOptionError("point", point, "a point that the program reaches");
  }

  /** Checks a program and what is interleaved, and copies both into the engine; how many records the program has. */
  private place(program: Uint8Array, interleaved: Interleaved): number {
    const { exports } = this.engine;
    const count = countOperations(program);
    const extra = countOperations(interleaved.operations);
    if (count > CHUNK || extra > MAX_INTERLEAVED) {
      throw new InvalidOptionError("program", `${count} + ${extra} records`, `at most ${CHUNK} + ${MAX_INTERLEAVED}`);
    }
    if (interleaved.points.length !== extra) {
      throw new InvalidOptionError("points.length", interleaved.points.length, `one per record (${extra})`);
    }
    let least = 0;
    for (let i = 0; i < extra; i++) {
      const point = interleaved.points[i] as number;
      // A name is made only for an error: this loop is half of what a short program costs.
      if (!(Number.isInteger(point) && point >= least && point <= LAST_POINT)) {
        checkInteger(`points[${i}]`, point, least, LAST_POINT);
      }
      least = point;
      if ((interleaved.operations[i * operationBytes] as number) in twoRecords) {
        throw new InvalidOptionError(`operation ${i}`, "two records", "operations of one record");
      }
    }
    this.load(this.interleaved, interleaved.operations, 0);
    this.load(this.program, program, 0);
    new Uint32Array(exports.memory.buffer, this.interleavedPoints, extra).set(interleaved.points);
    return count;
  }

  /** The points that the latest {@link playInterleaved} reached, in order; of very long programs the first 4096. */
  reachedPoints(): ReachedPoint[] {
    const words = this.engine.words(this.trail, Math.min(this.reached, MAX_TRAIL) * 2);
    return Array.from({ length: words.length / 2 }, (_, i) => {
      const head = words[2 * i] as bigint;
      const number = Number(head & 0xffff_ffffn);
      const name = pointNames[number];
      if (name === undefined) throw new Error(`point ${i} has number ${number}, which has no name`);
      return { name, at: words[2 * i + 1] as bigint, nested: Number(head >> 32n) };
    });
  }

  /** Copies records into the engine and checks them. */
  private load(at: Pointer, program: Uint8Array, first: number): void {
    this.engine.bytes(at, program.length).set(program);
    this.check(at, first, program.length / operationBytes);
  }
}
