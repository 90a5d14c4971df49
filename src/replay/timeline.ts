// Bins over the time of a trace whose length is not known beforehand: when there are too many, two become one. What is kept
// are running sums at the end of each bin, so joining bins loses nothing.

import type { PolicyTimeline } from "./policy-result.js";
import type { Timeline } from "./trace-result.js";

/** Most bins. */
const MAX = 256;
const FIRST_BIN_NS = 1_000_000;
/** Columns of the trace, then four a policy: invalidations, waits, hazards, frames held (not a sum). */
const TRACE_COLUMNS = 3;
const POLICY_COLUMNS = 4;

/** What a policy has done so far. */
export type PolicySample = readonly [invalidations: number, queueWaits: number, hazards: number, framesHeld: number];

/** Builds a {@link Timeline} and those of the policies. */
export class TimelineBuilder {
  events = 0;
  kernelFlushes = 0;
  frees = 0;
  readonly #sample: () => readonly PolicySample[];
  #binNs = FIRST_BIN_NS;
  /** Running sums at the end of each closed bin. */
  #rows: number[][] = [];
  #now = 0;

  /** @param sample brings all machines up to date and says what each has done */
  constructor(sample: () => readonly PolicySample[]) {
    this.#sample = sample;
  }

  /** Time has come to `ns`: bins that lie before it are closed. */
  advance(ns: number): void {
    this.#now = ns;
    if (ns < (this.#rows.length + 1) * this.#binNs) return;
    while (Math.floor(ns / this.#binNs) >= MAX) {
      this.#rows = this.#rows.filter((_, i) => i % 2 === 1);
      this.#binNs *= 2;
    }
    const row = this.#row();
    for (const bins = Math.floor(ns / this.#binNs); this.#rows.length < bins; ) this.#rows.push(row);
  }

  #row(): number[] {
    const row = [this.events, this.kernelFlushes, this.frees];
    for (const sample of this.#sample()) row.push(...sample);
    return row;
  }

  /** The timelines; the last bin ends with the trace. */
  build(): { timeline: Timeline; policies: PolicyTimeline[] } {
    this.advance(this.#now);
    const rows = [...this.#rows, this.#row()];
    const sums = (column: number): number[] => rows.map((row, i) => row[column]! - (rows[i - 1]?.[column] ?? 0));
    const policies = (rows[0]!.length - TRACE_COLUMNS) / POLICY_COLUMNS;
    return {
      timeline: { binNs: this.#binNs, bins: rows.length, events: sums(0), kernelFlushes: sums(1), frees: sums(2) },
      policies: Array.from({ length: policies }, (_, i) => {
        const first = TRACE_COLUMNS + i * POLICY_COLUMNS;
        return {
          invalidations: sums(first),
          queueWaits: sums(first + 1),
          hazards: sums(first + 2),
          framesHeld: rows.map((row) => row[first + 3]!),
        };
      }),
    };
  }
}
