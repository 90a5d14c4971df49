// Text tables of the results: a table for each set of page tables, a row for each case, the contestants side by side. Ratios
// compare the least times of the same run; above 1 means that stalewalk is faster than that contestant.
import type { BenchRow } from "../src/cli/bench-contract.js";
import { type Estimate, summarise, uncertainty, WANTED } from "./statistics.js";

/** The contestant that the others are compared with. */
export const OWN = "stalewalk";

/** A table as the command prints it. */
export interface Table {
  head: string;
  rows: string[][];
  /** Columns that align right. */
  right: number[];
}

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
  if (rate >= 1e6) return `${threeDigits(rate / 1e6)} M`;
  return rate >= 1e3 ? `${threeDigits(rate / 1e3)} k` : threeDigits(rate);
}

/** A half width as ±4%, with a mark where it is wider than wanted; of less than three rounds nothing is known. */
export function plusMinus(share: number): string {
  if (!Number.isFinite(share)) return "±? !";
  const percent = (share * 100).toFixed(share < 0.1 ? 1 : 0);
  return `±${percent}%${share > WANTED ? " !" : ""}`;
}

/** How well a row's least time is known. */
export function leastUncertainty({ samples }: BenchRow, { least, leastInterval }: Estimate): number {
  return uncertainty(least, leastInterval, samples.length);
}

/** The rows of one or more cases that stand in one table. */
export function tableOf(rows: readonly BenchRow[]): Table {
  const [first] = rows;
  if (!first) throw new RangeError("a table of no rows");
  const rivals = [...new Set(rows.map(({ contestant }) => contestant))].filter((name) => name !== OWN);
  const unit = first.unit === "operation" ? "op" : first.unit;
  const head = ["case", `least ns/${unit}`, "", "median", "", `${unit}s/s`];
  const cases = [...new Set(rows.map((row) => row.case))];
  const body = cases.map((name) => {
    const of = (contestant: string) => rows.find((row) => row.case === name && row.contestant === contestant);
    return caseCells(of(OWN), rivals.map(of));
  });
  const columns = head.length + rivals.length * 2;
  return {
    head: `${first.suite}: ${first.table}`,
    rows: [[...head, ...rivals.flatMap((rival) => [`${rival} ns`, "ratio"])], ...body],
    right: Array.from({ length: columns - 1 }, (_, i) => i + 1),
  };
}

function caseCells(own: BenchRow | undefined, rivals: (BenchRow | undefined)[]): string[] {
  if (!own) throw new Error("stalewalk itself was not measured");
  const mine = summarise(own.samples);
  const cells = [
    own.case,
    threeDigits(mine.least),
    plusMinus(leastUncertainty(own, mine)),
    threeDigits(mine.median),
    plusMinus(uncertainty(mine.median, mine.medianInterval, own.samples.length)),
    perSecond(mine.least),
  ];
  for (const rival of rivals) {
    const least = rival && Math.min(...rival.samples.flat());
    cells.push(least === undefined ? "-" : threeDigits(least));
    cells.push(least === undefined || mine.least <= 0 ? "-" : `${threeDigits(least / mine.least)}x`);
  }
  return cells;
}

/** Rows whose least time is known less well than ±5 %, contestants included: what the end of the report says of them. */
export function uncertainRows(rows: readonly BenchRow[]): string[] {
  return rows.flatMap((row) => {
    const share = leastUncertainty(row, summarise(row.samples));
    if (share <= WANTED) return [];
    const known = Number.isFinite(share) ? plusMinus(share).replace(" !", "") : `${row.samples.length} rounds only`;
    return [`${row.table}: ${row.case}: ${row.contestant} ${known}`];
  });
}
