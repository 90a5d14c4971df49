// What the command `bench` and the benchmark itself agree on. The benchmark (bench/) uses the package as others do and is bundled into
// dist/bench/; the command loads it when it is called for, by its place and not by an import.

/** The suites, in the order in which they run. */
export const suiteNames = ["translate", "flush", "kernel", "replay", "verdicts"] as const;

/** A suite by name. */
export type SuiteName = (typeof suiteNames)[number];

/** How much is measured: a table in half a minute, in two to five minutes, or with all the time that it takes. */
export type EffortName = "quick" | "usual" | "full";

/** What to run. */
export interface BenchOptions {
  suites: readonly SuiteName[];
  effort: EffortName;
  /** Only rows whose "table: case" matches. */
  filter: RegExp | undefined;
  /** How long the measuring may take, about; undefined: as the effort says. */
  seconds: number | undefined;
  /** A trace for the suite `replay`; undefined: the recorded ones beside a checkout, else the package's own excerpt. */
  trace: string | undefined;
  /** The command line, for the file of results. */
  command: string;
}

/** Where the benchmark writes: the command's own door. */
export interface Door {
  print(line?: string): void;
  table(rows: readonly (readonly string[])[], right: readonly number[]): void;
  /** Progress, where somebody sees it: figures, which are never cut, and words. */
  show(figures: string, words: string): void;
  /** Takes the line of progress away. */
  clear(): void;
}

/** Where a run was made. */
export interface Host {
  stalewalk: string;
  /** SHA-256 of the engine's module, in hexadecimal. */
  engine: string;
  /** Name and version of what runs JavaScript. */
  runtime: string;
  v8: string;
  benchmarkJs: string;
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  /** One, five and fifteen minutes' load when the run began; zeros where the system has none. */
  load: number[];
  /** Compiler, flags and vector instructions of the native contestant's builds, or why there is none. */
  native: string;
  date: string;
}

/** One contestant at one case. */
export interface BenchRow {
  suite: SuiteName;
  /** The table that the case stands in: a set of page tables, or what is played. */
  table: string;
  case: string;
  contestant: string;
  /** What one operation is. */
  unit: string;
  /** Operations of one sample. */
  operations: number;
  /** Hash of what the case came to: outcomes, counters, records. The same for all contestants that play the whole of it. */
  digest: string;
  /** Nanoseconds per operation: a list for each round, of its fresh samples in the order in which they were taken. */
  samples: number[][];
}

/** A run, as `--json` writes it. */
export interface BenchResult {
  /** Version of this form. */
  version: 1;
  command: string;
  effort: EffortName;
  host: Host;
  /** How long it took. */
  seconds: number;
  /** What was not measured, and why. */
  missing: string[];
  rows: BenchRow[];
}

/** The benchmark as the command loads it. */
export interface BenchModule {
  /** Measures and prints. @throws Error if a contestant comes to another result: it is not timed then */
  runBench(options: BenchOptions, door: Door): Promise<BenchResult>;
}
