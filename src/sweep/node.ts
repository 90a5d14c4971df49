// A sweep on this machine: jobs over the pool, results as lines in a folder. Whatever ends it, the same call goes on where it was. Node-only.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { RunOptions } from "../base/progress.js";
import { inPool, workersOf } from "../pool/node.js";
import { jobsOf, type SweepJob, type SweepPlan } from "./plan.js";
import { jobKey, type SweepLine, type SweepResult } from "./result.js";

export {
  checkPlan,
  jobsOf,
  type Named,
  type ReplayAxes,
  type SimulationAxes,
  type SweepJob,
  type SweepPlan,
  type VerdictAxes,
} from "./plan.js";
export type { PlayedResult, SweepLine, SweepResult, VerdictResult } from "./result.js";

/** How a sweep is done. */
export interface SweepOptions extends RunOptions {
  /** Worker threads; default one for each core. */
  readonly workers?: number;
}

/** What a sweep has done. */
export interface SweepSummary {
  /** Jobs of the plan; those whose results were there already, and those that were done now. */
  readonly jobs: number;
  /** Jobs whose results were there already. */
  readonly before: number;
  /** Jobs that were done now. */
  readonly now: number;
  /** Where the results are, a line of JSON for each job. */
  readonly file: string;
}

const FILE = "results.jsonl";

/**
 * Does all jobs of a plan that have no result in the folder yet, and writes a line for each as soon as it is done. A line that was cut off by
 * whatever ended an earlier sweep is taken away, and its job done again.
 * @throws what a job throws, or the signal's reason
 * @example
 * ```ts
 * import { sweep, sweepResults } from "stalewalk/sweep/node";
 *
 * const plan = { simulate: { profiles: ["vmalloc-churn"], operations: 2000, policies: ["none", "flush-range"] } } as const;
 * const { jobs, before, now } = await sweep(plan, "results", { workers: 1 });
 * console.log(jobs, before, now, sweepResults("results").length); // 2 0 2 2
 * ```
 */
export async function sweep(plan: SweepPlan, folder: string, options: SweepOptions = {}): Promise<SweepSummary> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, FILE);
  const done = new Set(readLines(file, true).map(({ job }) => jobKey(job)));
  const jobs = new Map(jobsOf(plan).map((job) => [jobKey(job), job]));
  const wanted = [...jobs].flatMap(([key, job]) => (done.has(key) ? [] : [job]));
  const before = jobs.size - wanted.length;
  const workers = workersOf(options.workers, "workers");
  let count = before;
  const descriptor = openSync(file, "a");
  try {
    const results = inPool<SweepJob, SweepResult>("sweep/worker.js", wanted, {
      ...{ workers, shared: undefined, signal: options.signal },
      onDone: (task, result) => {
        writeWhole(descriptor, `${JSON.stringify({ job: wanted[task], result } as SweepLine)}\n`);
        options.onProgress?.({ done: ++count, total: jobs.size, unit: "jobs" });
      },
    });
    for await (const _ of results);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return { jobs: jobs.size, before, now: wanted.length, file };
}

/** The results that a folder has. */
export function sweepResults(folder: string): SweepLine[] {
  return readLines(join(folder, FILE), false);
}

/** `mend`: a last line without an end is taken away. */
function readLines(file: string, mend: boolean): SweepLine[] {
  if (!existsSync(file)) return [];
  const bytes = readFileSync(file);
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (mend && whole < bytes.length) truncateSync(file, whole);
  const lines = bytes.subarray(0, whole).toString("utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as SweepLine);
}

function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; ) from += writeSync(descriptor, bytes, from);
}
