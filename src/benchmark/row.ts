// From samples to a row: least and median with their intervals.
import type { BenchRow, BenchSample } from "./result.js";
import { estimateLeast, estimateMedian, uncertainty, WANTED } from "./statistics.js";

/** What a row is, before its times. */
export type RowHead = Omit<BenchRow, "samples" | "least" | "median" | "certain">;

/** A row of these samples. @throws RangeError if there are none */
export function makeRow(head: RowHead, samples: readonly BenchSample[]): BenchRow {
  const least = estimateLeast(samples.map((sample) => sample.least));
  const median = estimateMedian(samples.map((sample) => sample.median));
  return { ...head, samples, least, median, certain: uncertainty(least, samples.length) <= WANTED };
}

/** What tells a row from the others of a run. */
export function rowKey({ suite, table, case: name, contestant }: BenchRow): string {
  return JSON.stringify([suite, table, name, contestant]);
}

/** A row in words. */
export function rowName({ suite, table, case: name, contestant }: BenchRow): string {
  return `${suite}: ${table}: ${name}: ${contestant}`;
}
