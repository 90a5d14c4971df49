// What the command `bench` and the benchmark itself agree on. The benchmark (bench/) uses the package as others do and is bundled into
// dist/bench/; the command loads it when it is called for, by its place and not by an import. What a run comes to is a result
// (src/benchmark/result.ts).
import type { BenchResult, EffortName, SuiteName } from "../benchmark/result.js";

/** What may run stalewalk. */
export const runtimeNames = ["node", "deno", "bun", "chromium", "firefox"] as const;

/** One of them by name. */
export type RuntimeName = (typeof runtimeNames)[number];

/** How the program of a path may be called. */
const CALLED: Readonly<Record<RuntimeName, RegExp>> = {
  node: /^node/,
  deno: /^deno/,
  bun: /^bun/,
  chromium: /^(google-)?chrom/,
  firefox: /^firefox/,
};

/** Which one a name is, or a path of a program: by what the program is called. */
export function runtimeOf(name: string): RuntimeName | undefined {
  const [file = "", ...folders] = name.split(/[\\/]/).reverse();
  return runtimeNames.find((it) => (folders.length === 0 ? it === name : CALLED[it].test(file.toLowerCase())));
}

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
  /** Another build that plays beside this one: a folder, a module, or the version that plays anyway. */
  baseline: string | undefined;
  /** Only these contestants beside the first of each table; undefined: all. */
  against: readonly string[] | undefined;
  /** What runs stalewalk beside each other, in the place of contestants, by name or path; undefined: this Node, beside contestants. */
  runtimes: readonly string[] | undefined;
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

/** The benchmark as the command loads it. */
export interface BenchModule {
  /** Measures and prints. @throws Error if a contestant comes to another result: it is not timed then */
  runBench(options: BenchOptions, door: Door): Promise<BenchResult>;
}
