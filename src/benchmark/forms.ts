// A result in the forms of other tools: a table for a README, github-action-benchmark's custom benchmarks, Bencher's metrics.

import type { Table } from "./report.js";
import type { BenchResult } from "./result.js";
import { rowName } from "./row.js";
import { uncertainty } from "./statistics.js";

/** A table in Markdown. */
export function markdownTable({ head, rows, right }: Table): string {
  const [titles = [], ...body] = rows;
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = line(titles.map((_, i) => (right.includes(i) ? "---:" : "---")));
  return [`**${head.replaceAll("|", "\\|")}**`, "", line(titles), rule, ...body.map(line)].join("\n");
}

/** A benchmark as github-action-benchmark's tool `customSmallerIsBetter` reads it. */
export interface CustomBenchmark {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly range: string;
  readonly extra: string;
}

/** All rows for github-action-benchmark: the least time of each. */
export function githubActionBenchmark({ rows, host }: BenchResult): CustomBenchmark[] {
  return rows.map((row) => {
    const { least, samples, unit, median, digest } = row;
    const share = uncertainty(least, samples.length);
    return {
      name: rowName(row),
      unit: `ns/${unit}`,
      value: least.value,
      range: Number.isFinite(share) ? `± ${(share * 100).toFixed(1)}%` : "unknown",
      extra: `median ${median.value} ns, ${samples.length} rounds, result ${digest}\n${host.cpu}, ${host.runtime}`,
    };
  });
}

/** Metrics of one benchmark, as Bencher reads them. */
export type BencherMetrics = Readonly<
  Record<string, Readonly<{ value: number; lower_value: number; upper_value: number }>>
>;

/** All rows in Bencher's Metric Format: `latency` is the least time in nanoseconds, `median-latency` the median. */
export function bencherMetrics({ rows }: BenchResult): Record<string, BencherMetrics> {
  const metric = ({ value, low, high }: BenchResult["rows"][number]["least"]) => ({
    value,
    lower_value: low,
    upper_value: high,
  });
  return Object.fromEntries(
    rows.map((row) => [rowName(row), { latency: metric(row.least), "median-latency": metric(row.median) }]),
  );
}
