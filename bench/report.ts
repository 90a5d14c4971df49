// Text tables of the results. Times are medians; ratios compare medians of the same run, above 1 means that stalewalk is
// faster than that contestant.
import type { ApiRow } from "./api-rows.js";
import type { KernelRow } from "./kernel-rows.js";
import type { CaseResult, ContestantName } from "./measure.js";
import type { TraceRows } from "./trace-rows.js";

/** Results over one table set. */
export interface SetResult {
  name: string;
  tables: number;
  pages: number;
  cases: CaseResult[];
  api: ApiRow[];
}

/** Contestants that stalewalk is compared with. */
export const rivals: readonly ContestantName[] = ["0.1.0", "native C", "tuned JS", "naive JS"];

/** A number with three significant digits, in plain notation. */
export function threeDigits(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const digits = value <= 0 ? 2 : Math.max(0, 2 - Math.floor(Math.log10(value)));
  return value.toFixed(Math.min(digits, 4));
}

/** Operations a second, as 1.23 M or 456 k. */
export function perSecond(nanoseconds: number): string {
  if (nanoseconds <= 0) return "-";
  const rate = 1e9 / nanoseconds;
  return rate >= 1e6 ? `${threeDigits(rate / 1e6)} M` : `${threeDigits(rate / 1e3)} k`;
}

/** A table with a left-aligned first column and right-aligned others. */
export function layOut(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;

function caseRow(result: CaseResult, missing: string | undefined): string[] {
  const own = result.times.stalewalk;
  if (!own) throw new Error(`${result.name}: stalewalk itself was not measured`);
  // One or two rounds have no spread to speak of.
  const spread = result.rounds < 3 ? "" : `±${percent(own.spread)}`;
  const cells = [result.name, threeDigits(own.median), spread, perSecond(own.median)];
  for (const rival of rivals) {
    const time = result.times[rival];
    cells.push(time ? threeDigits(time.median) : (missing ?? "-"));
    cells.push(time && own.median > 0 ? `${threeDigits(time.median / own.median)}x` : "-");
  }
  return cells;
}

/** The tables of one table set. `missing` says why there is no native contestant. */
export function formatSet(set: SetResult, missing: string | undefined): string {
  const head = ["case", "ns/op", "", "ops/s", ...rivals.flatMap((rival) => [`${rival} ns`, "ratio"])];
  const parts = [
    `${set.name}: ${set.tables} tables, ${set.pages} pages`,
    layOut([head, ...set.cases.map((result) => caseRow(result, missing))]),
  ];
  if (set.api.length > 0) {
    const rows = set.api.map(({ name, time }) => [
      name,
      threeDigits(time.median),
      `±${percent(time.spread)}`,
      perSecond(time.median),
    ]);
    parts.push(layOut([["through the API", "ns/op", "", "ops/s"], ...rows]));
  }
  return parts.join("\n\n");
}

/** The results without any claim about time: what the quick run prints. */
export function formatChecks(set: SetResult, missing: string | undefined): string {
  const rows = set.cases.map(({ name, operations, check }) => [name, String(operations), check]);
  const who = missing ? `0.1.0, tuned JS, naive JS (native C: ${missing})` : "0.1.0, native C, tuned JS, naive JS";
  const head = `${set.name}: ${set.tables} tables, ${set.pages} pages; stalewalk agrees with ${who}`;
  const api = set.api.length === 0 ? "" : `\n\nthrough the API: ${set.api.map(({ name }) => name).join("; ")}`;
  return `${head}\n\n${layOut([["case", "operations", "check value"], ...rows])}${api}`;
}

/** The kernel programs: one row per policy. Without times (`quick`) only what the programs came to. */
export function formatKernel(rows: readonly KernelRow[], quick: boolean): string {
  const counts = ["tables freed", "IOMMU rounds", "hazards"];
  const head = quick
    ? ["policy", "operations", ...counts]
    : ["policy", "ns/op", "", "ops/s", "0.1.0 ns", "ratio", "detection off", "with / without", ...counts];
  const body = rows.map(
    ({ policy, operations, on, before, sameBefore, off, ratio, tablesFreed, iommuRounds, hazards }) => {
      const figures = [tablesFreed, iommuRounds, hazards].map(String);
      if (quick) return [policy, String(operations), ...figures];
      const times = [
        threeDigits(on.median),
        `±${percent(on.spread)}`,
        perSecond(on.median),
        threeDigits(before.median),
        `${threeDigits(before.median / on.median)}x${sameBefore ? "" : " (other rules)"}`,
        `${threeDigits(off.median)} ns`,
      ];
      return [policy, ...times, `${ratio.toFixed(3)}x`, ...figures];
    },
  );
  const operations = rows[0]?.operations ?? 0;
  return `kernel programs: ${operations} mixed operations each (DMA, CPU accesses, vmalloc, vfree, table frees, flushes), one program a round\n\n${layOut([head, ...body])}`;
}

/** Reading and playing of traces. */
export function formatTraces({ traces, reading, playing }: TraceRows): string {
  const { ratio, processes } = reading;
  const beside = ratio
    ? `${ratio.median.toFixed(2)} ±${(ratio.spread * 100).toFixed(0)} % of zcat | wc -l, median of ${processes} processes`
    : "zcat is missing";
  const resident = `${Math.round(reading.residentBytes / 2 ** 20)} MiB resident at most`;
  const rows = [
    ["traces", "rate", "beside"],
    [
      `read ${traces.length} (${reading.lines} lines)`,
      `${threeDigits(reading.linesPerSecond / 1e6)} M lines/s`,
      `${beside}; ${resident}`,
    ],
    [
      `play ${playing.trace} (${playing.operations} operations)`,
      `${threeDigits(playing.operationsPerSecond / 1e6)} M ops/s`,
      `${playing.ratio.toFixed(2)} of the synthetic kernel program of that size`,
    ],
  ];
  return layOut(rows);
}
