// Text tables of the results: a table for each set of page tables, a row for each case, the contestants side by side. Ratios
// compare the least times of the same run; above 1 means that stalewalk is faster than that contestant.
import type { BenchHost, BenchRow } from "./result.js";
import { uncertainty, WANTED } from "./statistics.js";

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

/** The header of a report. */
export function headerLines(host: BenchHost): string[] {
  const load = host.load.some((value) => value > 0) ? `, load ${host.load[0]}` : "";
  return [
    `stalewalk ${host.stalewalk}, engine ${host.engine.slice(0, 16)}, ${host.runtime} (V8 ${host.v8}), Benchmark.js ${host.benchmarkJs}`,
    `${host.cpu}, ${host.cores} cores, ${host.memoryGiB} GiB, ${host.system}${load}`,
    `native C: ${host.native}`,
    ...(host.baseline === undefined ? [] : [`baseline: ${host.baseline}`]),
    ...(host.runtimes === undefined ? [] : [`runtimes: ${host.runtimes.join(", ")}`]),
  ];
}

/** What the table of a row is called. */
export function tableHead({ suite, table }: { suite: string; table: string }): string {
  return `${suite}: ${table}`;
}

/** The rows of a run, table by table, in order. */
export function tablesOf(rows: readonly BenchRow[]): Table[] {
  const tables = new Map<string, BenchRow[]>();
  for (const row of rows) {
    const key = tableHead(row);
    tables.set(key, [...(tables.get(key) ?? []), row]);
  }
  return [...tables.values()].map(tableOf);
}

/** Whose time the others' are divided by: stalewalk's, or where runtimes stand beside each other, that of the first. */
function ownOf(names: readonly string[]): string {
  return names.includes(OWN) ? OWN : (names[0] as string);
}

/** The rows of one or more cases that stand in one table. */
export function tableOf(rows: readonly BenchRow[]): Table {
  const [first] = rows;
  if (!first) throw new RangeError("a table of no rows");
  const names = [...new Set(rows.map(({ contestant }) => contestant))];
  const own = ownOf(names);
  const rivals = names.filter((name) => name !== own);
  const unit = first.unit === "operation" ? "op" : first.unit;
  const head = ["case", `${own === OWN ? "" : `${own}, `}least ns/${unit}`, "", "median", "", `${unit}s/s`];
  const cases = [...new Set(rows.map((row) => row.case))];
  const body = cases.map((name) => {
    const of = (contestant: string) => rows.find((row) => row.case === name && row.contestant === contestant);
    return caseCells(name, of(own), rivals.map(of));
  });
  const columns = head.length + rivals.length * 2;
  return {
    head: tableHead(first),
    rows: [[...head, ...rivals.flatMap((rival) => [`${rival} ns`, "ratio"])], ...body],
    right: Array.from({ length: columns - 1 }, (_, i) => i + 1),
  };
}

function caseCells(name: string, own: BenchRow | undefined, rivals: (BenchRow | undefined)[]): string[] {
  // Of runtimes the first may have been lost in the middle of a run.
  if (!own)
    return [name, "-", "", "-", "", "-", ...rivals.flatMap((it) => [it ? threeDigits(it.least.value) : "-", "-"])];
  const { least, median, samples } = own;
  const cells = [
    name,
    threeDigits(least.value),
    plusMinus(uncertainty(least, samples.length)),
    threeDigits(median.value),
    plusMinus(uncertainty(median, samples.length)),
    perSecond(least.value),
  ];
  for (const rival of rivals) {
    const theirs = rival?.least.value;
    cells.push(theirs === undefined ? "-" : threeDigits(theirs));
    cells.push(theirs === undefined || least.value <= 0 ? "-" : `${threeDigits(theirs / least.value)}x`);
  }
  return cells;
}

/** Rows whose least time is known less well than ±5 %, contestants included: what the end of the report says of them. */
export function uncertainRows(rows: readonly BenchRow[]): string[] {
  return rows
    .filter(({ certain }) => !certain)
    .map(({ table, case: name, contestant, least, samples }) => {
      const share = uncertainty(least, samples.length);
      const known = Number.isFinite(share) ? plusMinus(share).replace(" !", "") : `${samples.length} rounds only`;
      return `${table}: ${name}: ${contestant} ${known}`;
    });
}

/** Rows that are named at the end; the file has them all. */
const NAMED = 10;

/** The lines below the tables: what was not measured, how to read the figures, which rows are known badly. */
export function closingLines(rows: readonly BenchRow[], missing: readonly string[], seconds: number): string[] {
  const uncertain = uncertainRows(rows);
  const rounds = Math.min(...rows.map(({ samples }) => samples.length));
  const whose = ownOf(rows.map(({ contestant }) => contestant));
  const lines = [
    ...missing.map((line) => `not measured: ${line}`),
    `${seconds.toFixed(0)} s; ±: half the 95 % interval, of at least ${rounds} rounds; ratio: that contestant's least time over ${whose}'s`,
  ];
  if (uncertain.length === 0) return lines;
  lines.push(`${uncertain.length} of ${rows.length} least times are known less well than ±5 % (!):`);
  lines.push(...uncertain.slice(0, NAMED).map((line) => `  ${line}`));
  if (uncertain.length > NAMED) lines.push(`  and ${uncertain.length - NAMED} more`);
  return lines;
}
