// Packed records of a program, written straight into memory (layout: assembly/base/record.ts) and handed on when it is full.
// Addresses come as two 32-bit words or as page numbers: no bigint and no object per record.

import { operation as field } from "../engine/abi.js";
import { Operation, operationBytes } from "../program/operations.js";

/** Records handed on at a time, at most. Hazard rings are as large, so none is lost between two hand-overs. */
export const RECORDS = 8192;

/** Below that, handing on costs more than playing. */
const LEAST_RECORDS = 256;

const PAGE_WORDS = 0x10_0000;
const WORDS = operationBytes / 4;
/** Operation, type and requester share the first word of a record; the others begin one. */
const TYPE_SHIFT = 8 * field.type.at;
const REQUESTER_SHIFT = 8 * field.requester.at;
const ARGUMENT = field.argument.at / 4;
const ADDRESS = field.address.at / 4;

/** Writes records; when the buffer is full (or {@link flush} is called) `play` gets them, as long as the call lasts. */
export class RecordWriter {
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #size: number;
  readonly #play: (program: Uint8Array) => void;
  #count = 0;
  #handedOn = 0;

  /** @param most records at a time, below {@link RECORDS} if the host is to have its turn earlier */
  constructor(play: (program: Uint8Array) => void, most: number = RECORDS) {
    this.#size = Math.max(LEAST_RECORDS, Math.min(RECORDS, most));
    this.#words = new Uint32Array(WORDS * this.#size);
    this.#bytes = new Uint8Array(this.#words.buffer);
    this.#play = play;
  }

  /** Number of the next record in the whole program. */
  get next(): number {
    return this.#handedOn + this.#count;
  }

  /** A record whose address is `high * 2^32 + low`. */
  put(operation: number, type: number, requester: number, argument: number, low: number, high: number): void {
    if (this.#count === this.#size) this.flush();
    const at = WORDS * this.#count++;
    this.#words[at] = operation | (type << TYPE_SHIFT) | (requester << REQUESTER_SHIFT);
    this.#words[at + ARGUMENT] = argument;
    this.#words[at + ADDRESS] = low;
    this.#words[at + ADDRESS + 1] = high;
  }

  /** A record whose address is that of a page, by its number. */
  putPage(operation: number, type: number, requester: number, argument: number, page: number): void {
    this.put(operation, type, requester, argument, (page % PAGE_WORDS) * 4096, Math.floor(page / PAGE_WORDS));
  }

  /** An operation of two records: start, end. */
  putRange(
    operation: number,
    type: number,
    requester: number,
    low: number,
    high: number,
    endLow: number,
    endHigh: number,
  ): void {
    if (this.#count > this.#size - 2) this.flush();
    this.put(operation, type, requester, 0, low, high);
    this.put(Operation.nothing, 0, 0, 0, endLow, endHigh);
  }

  /** What time it is, ns. */
  time(ns: number): void {
    this.put(Operation.time, 0, 0, 0, ns % 4294967296, Math.floor(ns / 4294967296));
  }

  /** Hands on what has been written. */
  flush(): void {
    if (this.#count === 0) return;
    const bytes = this.#bytes.subarray(0, operationBytes * this.#count);
    this.#handedOn += this.#count;
    this.#count = 0;
    this.#play(bytes);
  }
}

/** Page number (52 bits) of an address in two words. */
export function pageOf(low: number, high: number): number {
  return high * PAGE_WORDS + (low >>> 12);
}

/** Address of a page. */
export function addressOfPage(page: number): bigint {
  return BigInt(page) << 12n;
}
