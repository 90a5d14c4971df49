// From samples to a row: least and median with their intervals.
import type { BenchRow, BenchSample } from "./result.js";
import { estimateLeast, estimateMedian, LEAST_SAMPLES, uncertainty, WANTED } from "./statistics.js";

/** What a row is, before its times. */
export type RowHead = Omit<BenchRow, "samples" | "least" | "median" | "certain">;

/** A row of these samples. @throws RangeError if there are none */
export function makeRow(head: RowHead, samples: readonly BenchSample[]): BenchRow {
  const least = estimateLeast(timesFor("least", samples));
  const quiet = quietSamples(samples);
  const median = estimateMedian(timesFor("median", samples));
  const certain = quiet.every(({ times }) => times > 0) && uncertainty(least, quiet.length) <= WANTED;
  return { ...head, samples, least, median, certain };
}

/**
 * What an estimate is made of. A disturbance only adds to a time, so the least of a round that never was quiet counts, too: its process may have
 * been a quick one. Medians of such rounds say how busy the machine was.
 */
export function timesFor(estimator: "least" | "median", samples: readonly BenchSample[]): number[] {
  return (estimator === "least" ? samples : quietSamples(samples)).map((sample) => sample[estimator]);
}

/** The samples of rounds with quiet times, if there are enough, else all. */
function quietSamples(samples: readonly BenchSample[]): readonly BenchSample[] {
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
