// Results of the benchmark made by hand, for tests.
import type { BenchResult, BenchRow } from "../../src/benchmark/result.js";
import { makeRow, type RowHead } from "../../src/benchmark/row.js";

/** A row whose rounds had these leasts. */
export function rowOf(contestant: string, leasts: readonly number[], more: Partial<RowHead> = {}): BenchRow {
  const head = { suite: "translate", table: "t", case: "hit", unit: "operation", operations: 5, digest: "d" } as const;
  const samples = leasts.map((least) => ({ least, median: least * 1.5, times: 7, dropped: 2 }));
  return makeRow({ ...head, counters: { translations: 5 }, contestant, ...more }, samples);
}

/** A run with these rows. */
export function resultOf(rows: readonly BenchRow[], cpu = "Z80", baseline?: string): BenchResult {
  return {
    format: "stalewalk-bench",
    version: 1,
    command: "stalewalk bench --quick",
    effort: "quick",
    host: {
      stalewalk: "0.2.0",
      engine: "0123456789abcdef0123",
      runtime: "Node 20.20.2",
      v8: "11.3",
      benchmarkJs: "2.1.4",
      cpu,
      cores: 2,
      memoryGiB: 24,
      system: "linux x64 6.1",
      load: [1.5, 1, 0.5],
      native: "no C compiler",
      ...(baseline !== undefined && { baseline }),
      date: "2026-11-27T16:00:00.000Z",
    },
    seconds: 31.2,
    missing: ["native C: no C compiler"],
    rows,
  };
}
