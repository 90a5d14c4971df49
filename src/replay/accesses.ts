// Accesses of devices by the model of device-model.ts: seeded, cheap, deterministic. It sees the program only as it is
// written: which kernel areas were mapped last, and which table is going away.

import { Access } from "../paging/access.js";
import { Operation } from "../program/operations.js";
import type { DeviceModel } from "./device-model.js";
import { xorshift } from "./draw.js";
import type { RecordWriter } from "./records.js";

/** First page of the device's own pages in its process: 0x7f0000000000. */
export const USER_PAGE = 0x7_f000_0000;

/** Writes the accesses of one device with one PASID. */
export class DeviceAccesses {
  readonly #model: DeviceModel;
  readonly #writer: RecordWriter;
  readonly #requester: number;
  /** Latest kernel areas: first page, pages. A ring. */
  readonly #areaPage: Float64Array;
  readonly #areaPages: Float64Array;
  readonly #probeLimit: number;
  readonly #writeLimit: number;
  #areas = 0;
  #owed = 0;
  #random: number;
  /** Accesses written; those aimed at the kernel half. */
  count = 0;
  probes = 0;

  constructor(model: DeviceModel, writer: RecordWriter, requester: number) {
    this.#model = model;
    this.#writer = writer;
    this.#requester = requester;
    this.#areaPage = new Float64Array(model.probedAreas);
    this.#areaPages = new Float64Array(model.probedAreas);
    this.#probeLimit = model.kernelProbes * 4294967296;
    this.#writeLimit = model.writes * 4294967296;
    this.#random = (model.seed ^ 0x9e3779b9) >>> 0 || 1;
  }

  #next(): number {
    this.#random = xorshift(this.#random);
    return this.#random;
  }

  /** The kernel has mapped an area: probes may choose it from now on, also when it is gone. */
  mapped(page: number, pages: number): void {
    const at = this.#areas++ % this.#model.probedAreas;
    this.#areaPage[at] = page;
    this.#areaPages[at] = pages;
  }

  /** How many accesses fall into `ns` of trace time. Fractions are carried over. */
  owed(ns: number): number {
    this.#owed += (ns * this.#model.ratePerMs) / 1e6;
    const whole = Math.floor(this.#owed);
    this.#owed -= whole;
    return Math.min(whole, this.#model.maxPerGap);
  }

  /** Writes `count` accesses. */
  background(count: number): void {
    const known = Math.min(this.#areas, this.#model.probedAreas);
    for (let i = 0; i < count; i++) {
      if (known > 0 && this.#next() < this.#probeLimit) {
        const area = this.#next() % known;
        this.#probe(this.#areaPage[area]! + (this.#next() % this.#areaPages[area]!));
      } else {
        const page = USER_PAGE + (this.#next() % this.#model.workingSet);
        const access = this.#next() < this.#writeLimit ? Access.userWrite : Access.userRead;
        this.#writer.putPage(Operation.access, access, this.#requester, 0, page);
        this.count++;
      }
    }
  }

  /** Accesses to the span of a table that is going away, between two steps of that. */
  step(page: number, pages: number): void {
    for (let i = 0; i < this.#model.perStep; i++) this.#probe(page + (this.#next() % pages));
  }

  #probe(page: number): void {
    const access = this.#next() < this.#writeLimit ? Access.userWrite : Access.userRead;
    this.#writer.putPage(Operation.access, access, this.#requester, 0, page);
    this.count++;
    this.probes++;
  }
}
