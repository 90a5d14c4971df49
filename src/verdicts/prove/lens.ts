// Two other states beside the one that a machine is in: the cell's begin, and one that is held. They stand in the engine's memory behind
// everything else, in the same order, and a small module over the same memory (assembly/prove/) compares and copies.

import { bytesOfBase64 } from "../../base/base64.js";
import type { Pointer } from "../../engine/exports.js";
import type { Machine } from "../../machine.js";
import { WASM_BASE64 } from "./wasm-bytes.js";

const PAGE = 65_536;
/** Words of a form, and of what differs in the contents of one frame. */
const FORM_WORDS = 16_384;
const RANGE_WORDS = 2 * 2048;

/** A range of memory: its first byte, and the one after its last. */
export type Range = readonly [from: Pointer, to: Pointer];

/** What the module exports. */
interface Module {
  differences(ranges: Pointer, count: number, other: number, out: Pointer): Pointer;
  copyRanges(ranges: Pointer, count: number, from: number, to: number): void;
  copy(at: Pointer, bytes: number, from: number, to: number): void;
}

let compiled: WebAssembly.Module | undefined;

/** The memory of one machine, made longer. Views of it that were made before have no length any more. */
export class Lens {
  /** Where the state at hand, the cell's begin and the state that is held stand: bytes further on. */
  readonly now = 0;
  readonly begin: number;
  readonly held: number;
  /** Room for a form, and for the words in which a frame differs. */
  readonly form: Uint32Array;
  readonly content: Uint32Array;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  private readonly room: number;
  private readonly module: Module;
  private ranges = 0;

  constructor(private readonly machine: Machine) {
    const memory = machine.engine.exports.memory as WebAssembly.Memory;
    const room = memory.buffer.byteLength;
    const lists = 4 * (2 * FORM_WORDS + RANGE_WORDS);
    memory.grow(Math.ceil((2 * room + lists) / PAGE));
    this.room = room;
    this.begin = room;
    this.held = 2 * room;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Uint32Array(memory.buffer);
    this.form = new Uint32Array(memory.buffer, 3 * room, FORM_WORDS);
    this.content = new Uint32Array(memory.buffer, 3 * room + 4 * FORM_WORDS, FORM_WORDS);
    this.ranges = 3 * room + 8 * FORM_WORDS;
    compiled ??= new WebAssembly.Module(bytesOfBase64(WASM_BASE64));
    this.module = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Module;
  }

  /** The state at hand is where a cell begins; lists of the cell before are forgotten. */
  beginHere(): void {
    if (this.machine.memoryBytes > this.room) throw new Error("the machine has grown into other states");
    this.bytes.copyWithin(this.begin, 0, this.room);
    this.ranges = this.content.byteOffset + this.content.byteLength;
  }

  /** A list of ranges, for {@link differences} and {@link copyRanges}. */
  list(ranges: readonly Range[]): RangeList {
    const at = this.ranges;
    this.ranges += 8 * ranges.length;
    if (this.ranges > this.bytes.length) throw new Error("more ranges than there is room for");
    this.words.set(ranges.flat(), at >> 2);
    return { at, count: ranges.length };
  }

  /** Writes the words of a list that differ from the cell's begin into `out` from word `from` on: number, value; where they end. */
  differences({ at, count }: RangeList, out: Uint32Array, from: number): number {
    const end = this.module.differences(at, count, this.begin, out.byteOffset + 4 * from);
    return (end - out.byteOffset) >> 2;
  }

  /** Copies all ranges of a list from one of the states to another. */
  copyRanges({ at, count }: RangeList, from: number, to: number): void {
    this.module.copyRanges(at, count, from, to);
  }

  /** Copies a piece from one of the states to another. */
  copy(at: Pointer, bytes: number, from: number, to: number): void {
    this.module.copy(at, bytes, from, to);
  }
}

/** Ranges that stand in memory. */
export interface RangeList {
  readonly at: Pointer;
  readonly count: number;
}
