// Address spaces of a trace as the small numbers of the model: made when they are first named, gone when the trace says so.

import { Operation } from "../program/operations.js";
import type { RecordWriter } from "./records.js";

/** The process whose PASID the device uses: the trace does not have it. */
export const DEVICE_MM = 0;
/** What a CPU runs when nothing is known. */
export const IDLE_MM = 1;
const FIRST = 2;

/** Gives numbers to mm pointers, and keeps in mind which CPU runs what. */
export class AddressSpaces {
  readonly #writer: RecordWriter;
  readonly #numbers = new Map<number, number>();
  readonly #free: number[] = [];
  readonly #running: Int32Array;
  #unused = FIRST;
  readonly #most: number;
  /** Address spaces made, and taken away while the trace still had them because there were no numbers left. */
  made = 0;
  evicted = 0;

  constructor(writer: RecordWriter, most: number, cpus: number) {
    this.#writer = writer;
    this.#most = most;
    this.#running = new Int32Array(cpus).fill(IDLE_MM);
  }

  /** A pointer's 48 bits that differ between pointers; the others would not fit a number exactly. */
  static key(low: number, high: number): number {
    return (high & 0xffff) * 4294967296 + low;
  }

  /** Number of an mm, made if it is new. */
  need(key: number): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    let number = this.#free.pop();
    if (number === undefined && this.#unused < this.#most) number = this.#unused++;
    if (number === undefined) {
      // The one that has been known longest makes room.
      const [oldest] = this.#numbers.keys() as unknown as [number];
      this.destroy(oldest);
      this.evicted++;
      number = this.#free.pop()!;
    }
    this.#numbers.set(key, number);
    this.#writer.put(Operation.mmCreate, 0, 0, number, 0, 0);
    this.made++;
    return number;
  }

  /** A CPU runs an mm. */
  run(cpu: number, number: number): void {
    if (this.#running[cpu] === number) return;
    this.#running[cpu] = number;
    this.#writer.put(Operation.switchMm, 0, cpu, number, 0, 0);
  }

  /** The end of an mm; false if it is not known. */
  destroy(key: number): boolean {
    const number = this.#numbers.get(key);
    if (number === undefined) return false;
    for (let cpu = 0; cpu < this.#running.length; cpu++) if (this.#running[cpu] === number) this.run(cpu, IDLE_MM);
    this.#writer.put(Operation.mmDestroy, 0, 0, number, 0, 0);
    this.#numbers.delete(key);
    this.#free.push(number);
    return true;
  }
}
