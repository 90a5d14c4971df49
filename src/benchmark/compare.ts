// Two runs beside each other: a ratio for each row that both have, with an interval, and a judgement that goes by the interval. A row
// counts as slower only if all of its interval lies beyond the threshold, and if chance does not make such a difference in as many rows as
// the runs have; where the times are known too badly, that is said instead.
import { InvalidOptionError } from "../base/errors.js";
import type { BenchResult, BenchRow } from "./result.js";
import { rowKey, rowName, timesFor } from "./row.js";
import { type Estimate, isBeyondChance, LEAST_SAMPLES, ratioOf } from "./statistics.js";

/** Which of a row's estimates is compared. */
export type EstimatorName = "least" | "median";

/** How rows are compared. */
export interface CompareOptions {
  /** How much slower a row may be, as a share: 0.05 is 5 %. */
  readonly threshold: number;
  readonly estimator: EstimatorName;
  /** Compares times as multiples of this contestant's at the same case of the same run. */
  readonly relativeTo?: string | undefined;
}

/** What became of a row. */
export type Judgement = "slower" | "faster" | "same" | "unclear";

/** A row of both runs. */
export interface ComparedRow {
  readonly suite: string;
  readonly table: string;
  readonly case: string;
  readonly contestant: string;
  readonly unit: string;
  /** Nanoseconds an operation, or multiples of the other contestant's. */
  readonly before: Estimate;
  readonly after: Estimate;
  /** After over before: above 1 is slower. */
  readonly ratio: Estimate;
  readonly judgement: Judgement;
}

/** Two runs, compared. */
export interface Comparison {
  readonly format: "stalewalk-bench-comparison";
  readonly version: 1;
  readonly options: CompareOptions;
  readonly before: BenchResult["host"];
  readonly after: BenchResult["host"];
  readonly rows: readonly ComparedRow[];
  /** Rows that were not compared, in words: of one run only; of which the two runs came to different results. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  readonly otherResults: readonly string[];
}

/** Compares two runs. @throws InvalidOptionError if they have no row in common, or none of the contestant that times are to be relative to */
export function compareRuns(before: BenchResult, after: BenchResult, options: CompareOptions): Comparison {
  const [old, now] = [byKey(before), byKey(after)];
  const common = before.rows.filter((row) => now.has(rowKey(row)));
  if (common.length === 0) {
    throw new InvalidOptionError("rows", after.rows, "at least one row that the other run has too");
  }
  const same = common.filter((row) => now.get(rowKey(row))?.digest === row.digest);
  const rows = same.flatMap(
    (row) => compareRow([row, old], [now.get(rowKey(row)) as BenchRow, now], options, same.length) ?? [],
  );
  if (rows.length === 0 && same.length > 0) {
    const there = [...new Set(common.map(({ contestant }) => contestant))].join(", ");
    throw new InvalidOptionError("relativeTo", options.relativeTo, `a contestant beside others in both runs: ${there}`);
  }
  const names = (all: readonly BenchRow[], without: ReadonlyMap<string, BenchRow>) =>
    all.filter((row) => !without.has(rowKey(row))).map(rowName);
  return {
    format: "stalewalk-bench-comparison",
    version: 1,
    options,
    before: before.host,
    after: after.host,
    rows,
    onlyBefore: names(before.rows, now),
    onlyAfter: names(after.rows, old),
    otherResults: common.filter((row) => now.get(rowKey(row))?.digest !== row.digest).map(rowName),
  };
}

type Rows = ReadonlyMap<string, BenchRow>;

function byKey({ rows }: BenchResult): Rows {
  return new Map(rows.map((row) => [rowKey(row), row]));
}

function compareRow(
  [oldRow, oldRows]: readonly [BenchRow, Rows],
  [newRow, newRows]: readonly [BenchRow, Rows],
  options: CompareOptions,
  rows: number,
): ComparedRow | undefined {
  const before = timeOf(oldRow, oldRows, options);
  const after = timeOf(newRow, newRows, options);
  if (!before || !after) return undefined;
  const ratio = ratioOf(after, before);
  const { suite, table, case: name, contestant, unit } = oldRow;
  const few = Math.min(oldRow.samples.length, newRow.samples.length) < LEAST_SAMPLES;
  let judgement = few ? "unclear" : judge(ratio, options.threshold);
  const [old, now] = [timesOf(oldRow, before, options), timesOf(newRow, after, options)];
  if (judgement === "slower" && !isBeyondChance(after.value, now, old, rows)) judgement = "unclear";
  if (judgement === "faster" && !isBeyondChance(before.value, old, now, rows)) judgement = "unclear";
  return { suite, table, case: name, contestant, unit, before, after, ratio, judgement };
}

function timeOf(row: BenchRow, rows: Rows, { estimator, relativeTo }: CompareOptions): Estimate | undefined {
  if (relativeTo === undefined) return row[estimator];
  if (row.contestant === relativeTo) return undefined;
  const other = rows.get(rowKey({ ...row, contestant: relativeTo }));
  return other && ratioOf(row[estimator], other[estimator]);
}

/** What a time was estimated from; of multiples of another contestant's as multiples, too. */
function timesOf(row: BenchRow, time: Estimate, { estimator }: CompareOptions): number[] {
  const scale = time.value / row[estimator].value;
  return timesFor(estimator, row.samples).map((one) => one * scale);
}

/** By the interval: all of it beyond the threshold, or none of it, or neither. */
export function judge({ low, high }: Estimate, threshold: number): Judgement {
  const most = 1 + threshold;
  if (low > most) return "slower";
  if (high < 1 / most) return "faster";
  return low >= 1 / most && high <= most ? "same" : "unclear";
}
