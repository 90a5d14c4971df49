// From samples to a row: least and median with their intervals.
import type { BenchRow, BenchSample } from "./result.js";
import { estimateLeast, estimateMedian, LEAST_SAMPLES, uncertainty, WANTED } from "./statistics.js";

/** What a row is, before its times. */
export type RowHead = Omit<BenchRow, "samples" | "least" | "median" | "certain">;

/** A row of these samples. @throws RangeError if there are none */
export function makeRow(head: RowHead, samples: readonly BenchSample[]): BenchRow {
  const quiet = countingSamples(samples);
  const least = estimateLeast(quiet.map((sample) => sample.least));
  const median = estimateMedian(quiet.map((sample) => sample.median));
  const certain = quiet.every(({ times }) => times > 0) && uncertainty(least, quiet.length) <= WANTED;
  return { ...head, samples, least, median, certain };
}

/** The samples that count: those of rounds with quiet times, if there are enough, else all. */
export function countingSamples(samples: readonly BenchSample[]): readonly BenchSample[] {
  const quiet = samples.filter(({ times }) => times > 0);
  return quiet.length >= LEAST_SAMPLES ? quiet : samples;
}

/** What tells a row from the others of a run. */
export function rowKey({ suite, table, case: name, contestant }: BenchRow): string {
  return JSON.stringify([suite, table, name, contestant]);
}

/** A row in words. */
export function rowName({ suite, table, case: name, contestant }: BenchRow): string {
  return `${suite}: ${table}: ${name}: ${contestant}`;
}
