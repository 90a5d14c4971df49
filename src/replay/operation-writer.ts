// Drawn operations in the form in which a trace's come: packed in a batch (src/trace/operation-batch.ts).

import {
  OPERATION_NAMES,
  OperationBatch,
  type OperationName,
  operationArguments,
  operationNumber,
} from "../trace/index.js";
import { MAX_ARGUMENTS } from "../trace/operation-batch.js";
import { StringTable } from "../trace/strings.js";

const PAGE_WORDS = 0x10_0000;
const TYPES = OPERATION_NAMES.map((name) => operationArguments(name).map(([, type]) => type));

/** Fills one batch, again and again. */
export class OperationWriter {
  readonly batch: OperationBatch;
  /** Operations of each name, in all. */
  readonly counts: Map<OperationName, number> = new Map();
  readonly #strings = new StringTable();
  #words = 0;
  #written = 0;

  constructor(operations: number) {
    this.batch = new OperationBatch(this.#strings, operations, operations * 2 * MAX_ARGUMENTS);
  }

  /** Operations written in all. */
  get written(): number {
    return this.#written;
  }

  /** Begins the next batch. */
  clear(): void {
    this.batch.count = 0;
    this.#words = 0;
  }

  /**
   * One operation. Arguments in their order: of addresses the page number, of counts the number, of texts the text; what is left out
   * at the end is 0, as of a trace that does not tell it.
   */
  put(name: OperationName, timeNs: number, cpu: number, values: readonly (number | string)[]): void {
    const { batch } = this;
    const at = batch.count++;
    batch.kind[at] = operationNumber(name);
    batch.time[at] = timeNs;
    batch.cpu[at] = cpu;
    // A thread per CPU is enough: what one of them does is never interrupted by itself.
    batch.pid[at] = cpu + 1;
    batch.line[at] = ++this.#written;
    batch.offset[at] = this.#words;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    const types = TYPES[batch.kind[at]!]!;
    for (let i = 0; i < types.length; i++) {
      const value = values[i] ?? 0;
      const number = typeof value === "string" ? this.#strings.add(value) : value;
      const address = types[i] === "address";
      batch.words[this.#words++] = address ? (number % PAGE_WORDS) * 4096 : number;
      batch.words[this.#words++] = address ? Math.floor(number / PAGE_WORDS) : 0;
    }
    batch.offset[batch.count] = this.#words;
  }
}
