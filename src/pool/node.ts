// Tasks spread over the cores of this machine: worker threads, each of which imports one file of this package. Results come in the order
// of their tasks, whoever is done first. Node-only.
import { availableParallelism } from "node:os";
import { Tinypool } from "tinypool";
import { checkInteger } from "../base/errors.js";

/** More threads than this help nobody, and each takes memory. */
const MOST_WORKERS = 1024;
/** Results that wait for an earlier one, for each worker: more are not begun, so that memory is bounded. */
const AHEAD = 64;

/** How tasks are spread. */
export interface PoolOptions<Result> {
  /** Worker threads. */
  readonly workers: number;
  /** What every worker is told once, as structured clones; it finds it by `shared()` (src/pool/worker.ts). */
  readonly shared: unknown;
  /** Ends it with the signal's reason, whatever is under way. */
  readonly signal?: AbortSignal | undefined;
  /** Called when a task is done, in whatever order; what it throws ends everything. */
  readonly onDone?: (task: number, result: Result) => void;
}

/**
 * How many workers are meant: so many, or one for each core. Sources that run as they are have no workers: these are made by the build.
 * @throws InvalidOptionError
 */
export function workersOf(asked: number | undefined, field: string): number {
  if (asked !== undefined) return checkInteger(field, asked, 1, MOST_WORKERS);
  return import.meta.url.endsWith(".ts") ? 1 : availableParallelism();
}

/** A file of the built package, by its name in dist/: as far from here as from where the build puts this. */
export const builtFile = (name: string): URL => new URL(`../../dist/${name}`, import.meta.url);

/** Threads that wait for tasks. */
export interface Pool<Task, Result> {
  /** Has a task done by whichever thread is free next. */
  run(task: Task): Promise<Result>;
  /** Ends all threads, whatever is under way. */
  end(): Promise<void>;
}

/** Starts so many threads, each of which imports a file of dist/ and calls its default export for a task. */
export function openPool<Task, Result>(file: string, threads: number, shared?: unknown): Pool<Task, Result> {
  const pool = new Tinypool({
    filename: builtFile(file).href,
    minThreads: threads,
    maxThreads: threads,
    workerData: shared,
    // What node was started with is not for threads: some of it they refuse.
    execArgv: [],
  });
  return { run: (task) => pool.run(task) as Promise<Result>, end: () => pool.destroy() };
}

/**
 * Has every task done by the function that a file of dist/ exports by default, and yields the results in the order of the tasks. The first
 * task, in this order, that throws ends it with its error. However it ends, no thread is left.
 */
export async function* inPool<Task, Result>(
  file: string,
  tasks: readonly Task[],
  { workers, shared, signal, onDone }: PoolOptions<Result>,
): AsyncGenerator<Result, void, void> {
  signal?.throwIfAborted();
  if (tasks.length === 0) return;
  const threads = Math.min(workers, tasks.length);
  const pool = openPool<Task, Result>(file, threads, shared);
  const running: Promise<Result>[] = [];
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason);
  });
  signal?.addEventListener("abort", abort, { once: true });
  // What nobody waits for any more when it ends early is no unhandled rejection.
  aborted.catch(() => {});
  try {
    for (let i = 0; i < tasks.length; i++) {
      while (running.length < Math.min(tasks.length, i + AHEAD * threads)) {
        const number = running.length;
        const result = pool.run(tasks[number] as Task).then((it) => {
          onDone?.(number, it);
          return it;
        });
        result.catch(() => {});
        running.push(result);
      }
      yield await Promise.race([running[i] as Promise<Result>, aborted]);
      delete running[i];
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    await pool.end();
  }
}
