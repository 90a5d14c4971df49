// Results of the benchmark as files: `stalewalk bench compare` sets two beside each other, `stalewalk bench show` prints one again, also
// as other tools read it. Node-only.
import { type Command, InvalidArgumentError } from "commander";
import { dashed } from "../base/notation.js";
import { type ComparedRow, type Comparison, compareRuns, type EstimatorName } from "../benchmark/compare.js";
import { bencherMetrics, githubActionBenchmark, markdownTable } from "../benchmark/forms.js";
import { closingLines, headerLines, type Table, tableHead, tablesOf, threeDigits } from "../benchmark/report.js";
import { type BenchResult, checkBenchResult } from "../benchmark/result.js";
import { choiceOption } from "./choices.js";
import { failResult, InputError } from "./errors.js";
import { inFile, readJson } from "./json-file.js";
import { print, printJson, printTable, printText } from "./output.js";

const DEFAULT_THRESHOLD = 0.05;
const ESTIMATORS = ["least", "median"] as const;

interface CompareFlags {
  threshold: number;
  estimator: EstimatorName;
  relativeTo?: string;
  markdown?: boolean;
  json?: boolean;
}

interface ShowFlags {
  markdown?: boolean;
  githubActionBenchmark?: boolean;
  bencher?: boolean;
  json?: boolean;
}

/** Registers `bench compare` and `bench show`. */
export function registerFiles(bench: Command): void {
  bench
    .command("compare")
    .argument("<before>", "a file that bench --json wrote")
    .argument("<after>", "another")
    .summary("two runs beside each other; exit code 1 if a row became slower")
    .description(
      "A ratio for each row that both runs have, with an interval. Rows are judged by the interval: one is slower if all of it lies\n" +
        "beyond the threshold, and unclear if it is wider than that can be told. Exit code 1 if a row is slower.",
    )
    .option("--threshold <percent>", "how much slower a row may be", parsePercent, DEFAULT_THRESHOLD)
    .addOption(choiceOption("--estimator <name>", "which times are compared", ESTIMATORS).default("least"))
    .option("--relative-to <contestant>", "compare times as multiples of this contestant's in the same run, e.g. 0.1.0")
    .option("--markdown", "as tables in Markdown")
    .option("--json", "as JSON")
    .action(compare);
  bench
    .command("show")
    .argument("<file>", "a file that bench --json wrote")
    .summary("a run from its file, as text or as other tools read it")
    .description("Prints the tables of a run again, from the file that bench --json wrote.")
    .option("--markdown", "as tables in Markdown, for a README")
    .option("--github-action-benchmark", "as JSON for github-action-benchmark, tool customSmallerIsBetter")
    .option("--bencher", "as JSON in Bencher's Metric Format")
    .option("--json", "as JSON, checked")
    .action(show);
}

function read(path: string): BenchResult {
  const value = readJson(path);
  return inFile(path, () => checkBenchResult(value));
}

function compare(beforePath: string, afterPath: string, flags: CompareFlags): void {
  onlyOne(flags, ["markdown", "json"]);
  const [before, after] = [read(beforePath), read(afterPath)];
  const { threshold, estimator, relativeTo } = flags;
  const comparison = inFile(afterPath, () => compareRuns(before, after, { threshold, estimator, relativeTo }));
  if (comparison.rows.some(({ judgement }) => judgement === "slower")) failResult();
  if (flags.json) {
    printJson(comparison);
    return;
  }
  const line = flags.markdown ? (text = "") => printText(text) : print;
  line(`before: ${hostLine(comparison.before)}`);
  line(`after: ${hostLine(comparison.after)}`);
  if (comparison.before.cpu !== comparison.after.cpu) line("The two were made on different processors.");
  for (const table of comparisonTables(comparison)) printOneTable(table, flags.markdown);
  line();
  for (const text of conclusion(comparison)) line(text);
}

function hostLine(host: BenchResult["host"]): string {
  return `stalewalk ${host.stalewalk}, engine ${host.engine.slice(0, 16)}, ${host.runtime}, ${host.cpu}, ${host.date}`;
}

function printOneTable(table: Table, markdown = false): void {
  print();
  if (markdown) {
    printText(markdownTable(table));
    return;
  }
  print(table.head);
  print();
  printTable(table.rows, table.right);
}

function comparisonTables({ rows, options }: Comparison): Table[] {
  const heads = [...new Set(rows.map(tableHead))];
  const unit = options.relativeTo === undefined ? "ns" : `times ${options.relativeTo}`;
  return heads.map((head) => {
    const own = rows.filter((row) => tableHead(row) === head);
    const titles = ["case", "contestant", `before, ${unit}`, `after, ${unit}`, "ratio", "95 % interval", ""];
    return { head, rows: [titles, ...own.map(comparisonCells)], right: [2, 3, 4] };
  });
}

function comparisonCells({ case: name, contestant, before, after, ratio, judgement }: ComparedRow): string[] {
  const three = (value: number) => value.toFixed(3);
  const interval =
    judgement === "unclear" && ratio.low === ratio.high ? "?" : `${three(ratio.low)} to ${three(ratio.high)}`;
  const values = [threeDigits(before.value), threeDigits(after.value), three(ratio.value)];
  return [name, contestant, ...values, interval, judgement === "same" ? "" : judgement];
}

function conclusion({ rows, options, onlyBefore, onlyAfter, otherResults }: Comparison): string[] {
  const of = (wanted: string) => rows.filter(({ judgement }) => judgement === wanted).length;
  const percent = Number((options.threshold * 100).toFixed(2));
  return [
    `${rows.length} rows, ${options.estimator} times: ${of("slower")} slower, ${of("faster")} faster, ${of("same")} the same within ${percent} %, ${of("unclear")} not known well enough to tell`,
    ...listed("only before", onlyBefore),
    ...listed("only after", onlyAfter),
    ...listed("came to another result, and is not compared", otherResults),
  ];
}

/** Rows that are named; JSON has them all. */
const NAMED = 10;

function listed(what: string, names: readonly string[]): string[] {
  const named = names.slice(0, NAMED).map((name) => `${what}: ${name}`);
  return names.length > NAMED ? [...named, `${what}: ${names.length - NAMED} more`] : named;
}

function show(path: string, flags: ShowFlags): void {
  onlyOne(flags, ["markdown", "githubActionBenchmark", "bencher", "json"]);
  const result = read(path);
  if (flags.githubActionBenchmark) printJson(githubActionBenchmark(result));
  else if (flags.bencher) printJson(bencherMetrics(result));
  else if (flags.json) printJson(result);
  else {
    const line = flags.markdown ? printText : print;
    for (const text of headerLines(result.host)) line(text);
    for (const table of tablesOf(result.rows)) printOneTable(table, flags.markdown);
    print();
    for (const text of closingLines(result.rows, result.missing, result.seconds)) line(text);
  }
}

function onlyOne<T extends object>(flags: T, forms: readonly (keyof T & string)[]): void {
  const asked = forms.filter((form) => flags[form]).map((form) => `--${dashed(form)}`);
  if (asked.length > 1) throw new InputError(`${asked.join(" and ")} exclude each other`);
}

function parsePercent(text: string): number {
  const value = Number(text.replace(/ ?%$/, ""));
  if (!/^\d/.test(text) || !Number.isFinite(value) || value <= 0 || value > 1000) {
    throw new InvalidArgumentError("Expected percent above 0, e.g. 5.");
  }
  return value / 100;
}
