// A sweep on this machine: jobs over the pool, results as lines in a folder. Whatever ends it, the same call goes on where it was. Node-only.
import type { RunOptions } from "../base/progress.js";
import { inPool, workersOf } from "../pool/node.js";
import { eachLine, jobId, openResults } from "./lines/node.js";
import { jobsOf, type SweepPlan } from "./plan.js";
import { jobKey, type SweepLine, type SweepResult } from "./result.js";
import type { Task } from "./worker.js";

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
export type { CrewMember } from "./queue/crew.js";
export { type QueueOptions, type QueueState, type QueueSummary, sweepByQueue } from "./queue/send.js";
export { type WorkOptions, type WorkSummary, workOnQueue } from "./queue/work.js";
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
  const workers = workersOf(options.workers, "workers");
  const results = openResults(folder);
  try {
    const jobs = new Map(jobsOf(plan).map((job) => [jobKey(job), job]));
    const wanted = [...jobs.values()].flatMap((job) => (results.done.has(jobId(job)) ? [] : [{ job }]));
    const before = jobs.size - wanted.length;
    let count = before;
    const all = inPool<Task, SweepResult>("sweep/worker.js", wanted, {
      ...{ workers, shared: undefined, signal: options.signal },
      onDone: (task, result) => {
        results.add({ job: (wanted[task] as Task).job, result });
        options.onProgress?.({ done: ++count, total: jobs.size, unit: "jobs" });
      },
    });
    for await (const _ of all);
    results.keep();
    return { jobs: jobs.size, before, now: wanted.length, file: results.file };
  } finally {
    results.close();
  }
}

/** The results that a folder has. */
export function sweepResults(folder: string): SweepLine[] {
  return [...eachLine(folder)];
}

/** The same one by one: for millions. */
export function eachSweepResult(folder: string): Generator<SweepLine, void, void> {
  return eachLine(folder);
}
