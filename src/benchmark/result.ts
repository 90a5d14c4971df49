// The result of a benchmark as a file: what `bench --json` writes, and what `bench compare` and `bench show` read. One schema checks it
// and becomes the package's `schemas/bench.json`.
import {
  anyText,
  boolean,
  exactly,
  fileObject,
  integer,
  list,
  number,
  object,
  omissible,
  oneOf,
  parse,
  record,
  text,
} from "../base/schema.js";
import type { Estimate } from "./statistics.js";

/** The suites, in the order in which they run. */
export const suiteNames = ["translate", "flush", "kernel", "replay", "verdicts", "growth"] as const;

/** Those that run unless some are named: curves take a run of their own. */
export const usualSuites = suiteNames.filter((name) => name !== "growth");

/** A suite by name. */
export type SuiteName = (typeof suiteNames)[number];

/** How much is measured, by name. */
export const effortNames = ["quick", "usual", "full"] as const;

/** How much is measured: a table in half a minute, in two to five minutes, or with all the time that it takes. */
export type EffortName = (typeof effortNames)[number];

/** Where a run was made. */
export interface BenchHost {
  readonly stalewalk: string;
  /** SHA-256 of the engine's module, in hexadecimal. */
  readonly engine: string;
  /** Name and version of what runs JavaScript. */
  readonly runtime: string;
  readonly v8: string;
  readonly benchmarkJs: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** One, five and fifteen minutes' load when the run began; zeros where the system has none. */
  readonly load: readonly number[];
  /** Compiler, flags and vector instructions of the native contestant's builds, or why there is none. */
  readonly native: string;
  /** The other build that played beside this one: version, engine, place. */
  readonly baseline?: string;
  /** What played beside each other in the place of contestants: name, version, the step of its clock. */
  readonly runtimes?: readonly string[];
  /** When it began: ISO 8601. */
  readonly date: string;
}

/** What one round came to: nanoseconds an operation. */
export interface BenchSample {
  /** The least and the middle of the times that were taken. */
  readonly least: number;
  readonly median: number;
  /** How many these were, and how many more were dropped because something disturbed them; 0 if all were, and then none was dropped. */
  readonly times: number;
  readonly dropped: number;
}

/** One contestant at one case. */
export interface BenchRow {
  readonly suite: SuiteName;
  /** The table that the case stands in: a set of page tables, or what is played. */
  readonly table: string;
  readonly case: string;
  readonly contestant: string;
  /** What grows along a curve, and how much of it this point has; only of curves. */
  readonly grows?: { readonly of: string; readonly size: number };
  /** What one operation is. */
  readonly unit: string;
  /** Operations of one play. */
  readonly operations: number;
  /** Hash of what the case came to: outcomes, counters, records. The same for all contestants that play the whole of it. */
  readonly digest: string;
  /** What was counted in a play whose result was compared, by name: the same on every machine. */
  readonly counters: Readonly<Record<string, number>>;
  /** One for each round. */
  readonly samples: readonly BenchSample[];
  /**
   * Nanoseconds an operation: the least of the samples' leasts (of twelve and more the second, of twenty-four the third, and so on), the median of
   * their medians, with 95 % intervals.
   */
  readonly least: Estimate;
  readonly median: Estimate;
  /** Whether the least is known to ±5 %. */
  readonly certain: boolean;
}

/** A run, as `--json` writes it. */
export interface BenchResult {
  readonly format: "stalewalk-bench";
  /** Version of this form. */
  readonly version: 1;
  readonly command: string;
  readonly effort: EffortName;
  readonly host: BenchHost;
  /** How long it took. */
  readonly seconds: number;
  /** What was not measured, and why. */
  readonly missing: readonly string[];
  readonly rows: readonly BenchRow[];
}

const COUNT = Number.MAX_SAFE_INTEGER;
const count = () => integer(0, COUNT, "a whole number from 0");
const amount = () => number(0, 1e18, "a number from 0");
const estimate = () => object({ value: amount(), low: amount(), high: amount() });

const sampleSchema = object({ least: amount(), median: amount(), times: count(), dropped: count() });

const rowSchema = object({
  suite: oneOf(suiteNames),
  table: text(),
  case: text(),
  grows: omissible(object({ of: text(), size: count() })),
  contestant: text(),
  unit: text(),
  operations: integer(1, COUNT, "a whole number from 1"),
  digest: text(),
  counters: record(count()),
  samples: list(sampleSchema, "a list of samples, at least one", 1),
  least: estimate(),
  median: estimate(),
  certain: boolean(),
});

const hostSchema = object({
  stalewalk: text(),
  engine: text(),
  runtime: text(),
  v8: anyText(),
  benchmarkJs: text(),
  cpu: text(),
  cores: count(),
  memoryGiB: count(),
  system: text(),
  load: list(amount(), "the load of one, five and fifteen minutes", 3, 3),
  native: text(),
  baseline: omissible(text()),
  runtimes: omissible(list(text(), "a list of texts")),
  date: text(),
});

/** The schema of a {@link BenchResult}. */
export const benchResultSchema = fileObject({
  format: exactly("stalewalk-bench"),
  version: exactly(1, "1, the version that this package knows"),
  command: text(),
  effort: oneOf(effortNames),
  host: hostSchema,
  seconds: amount(),
  missing: list(text(), "a list of texts"),
  rows: list(rowSchema, "a list of rows, at least one", 1),
});

/** Checks the contents of a file of results. @throws InvalidOptionError naming the field */
export function checkBenchResult(value: unknown): BenchResult {
  return parse(benchResultSchema, value, "") as BenchResult;
}
