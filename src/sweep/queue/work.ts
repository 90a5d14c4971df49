// A worker of a queue: takes jobs, has threads do them, gives results back. Any number of them, on any machine. Node-only.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Job } from "bullmq";
import type { Redis } from "ioredis";
import { checkInteger } from "../../base/errors.js";
import { openPool, workersOf } from "../../pool/node.js";
import type { SweepResult } from "../result.js";
import type { Task } from "../worker.js";
import { BEAT_MS, sayBeat, sayEnd } from "./crew.js";
import { loadLibraries, QueueError } from "./libraries.js";
import { checkQueueName, PREFIX, QUEUE, type QueuedJob, thisBuild } from "./names.js";
import { ownerOf } from "./owner.js";
import { connect } from "./redis.js";
import { openTraceCache, usualCache } from "./traces.js";

/** A job whose worker has not been heard of for this long is another's. */
const LOCK_MS = 10_000;
/** How often somebody looks for such jobs. */
const LOOK_MS = 5000;
/** A job that took so many workers with it is given up. */
const MOST_STALLS = 10;
const AGAIN_MS = 1000;
const LONGEST_IDLE_S = 1e6;

/** How a worker works. */
export interface WorkOptions {
  /** Threads, each with a job at a time; default one for each core. */
  readonly workers?: number;
  /** The queue's name; default `sweep`. */
  readonly queueName?: string;
  /** Folder where traces are kept, for all workers of this machine; default: in the user's cache. */
  readonly cache?: string;
  /** Ends when there was nothing to do for so many seconds; default: never. */
  readonly idleSeconds?: number;
  /** Ends it; jobs under way are left to others. */
  readonly signal?: AbortSignal;
  /** Told what happens, in words. */
  readonly onNote?: (text: string) => void;
  /** Called after each job with the number done so far. */
  readonly onDone?: (done: number) => void;
}

/** What a worker has done. */
export interface WorkSummary {
  /** Jobs done. */
  readonly done: number;
  /** Jobs that failed here. */
  readonly failed: number;
}

/**
 * Takes jobs of a queue and does them until the signal ends it, or until there was nothing to do for `idleSeconds`. Killed in whatever way,
 * nothing is lost: its jobs are taken over by others.
 * @throws QueueError if Redis is not there, or the sweep is another build's
 */
export async function workOnQueue(url: string, options: WorkOptions = {}): Promise<WorkSummary> {
  const threads = workersOf(options.workers, "workers");
  const queue = checkQueueName(options.queueName ?? QUEUE);
  if (options.idleSeconds !== undefined) checkInteger("idleSeconds", options.idleSeconds, 1, LONGEST_IDLE_S);
  const onNote = options.onNote ?? (() => {});
  options.signal?.throwIfAborted();
  const client = await connect(url, onNote);
  try {
    const owner = await ownerOf(client, queue);
    if (owner && owner.build !== thisBuild()) throw otherBuild(owner.build);
    const traces = openTraceCache(client, queue, options.cache ?? usualCache(), onNote);
    return await take(client, { queue, threads, traces, onNote, options });
  } finally {
    client.disconnect();
  }
}

interface Work {
  readonly queue: string;
  readonly threads: number;
  readonly traces: ReturnType<typeof openTraceCache>;
  readonly onNote: (text: string) => void;
  readonly options: WorkOptions;
}

async function take(client: Redis, { queue, threads, traces, onNote, options }: Work): Promise<WorkSummary> {
  const { Worker, WaitingError } = await loadLibraries();
  const pool = openPool<Task, SweepResult>("sweep/worker.js", threads);
  const id = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const { idleSeconds, signal } = options;
  let [active, done, failed, beat, busy] = [0, 0, 0, 0, performance.now()];
  let end = (_?: Error): void => {};
  const ended = new Promise<void>((resolve, reject) => {
    end = (error) => (error ? reject(error) : resolve());
  });

  async function work(job: Job<QueuedJob, SweepResult>, token?: string): Promise<SweepResult> {
    const { data } = job;
    if (data.build !== thisBuild()) {
      // For whoever has that build; this process stops.
      end(otherBuild(data.build));
      await job.moveToWait(token);
      throw new WaitingError();
    }
    active++;
    try {
      const file = data.trace === undefined ? undefined : await traces.fileOf(data.trace);
      const result = await pool.run({ job: data.job, file });
      options.onDone?.(++done);
      return result;
    } catch (error) {
      failed++;
      throw error;
    } finally {
      active--;
      busy = performance.now();
    }
  }

  const worker = new Worker<QueuedJob, SweepResult>(queue, work, {
    connection: client,
    prefix: PREFIX,
    concurrency: threads,
    lockDuration: LOCK_MS,
    stalledInterval: LOOK_MS,
    maxStalledCount: MOST_STALLS,
    runRetryDelay: AGAIN_MS,
  });
  // A connection that breaks is told of by connect(), and made again. The rest: a result that came after its job was another's.
  worker.on("error", (error) => {
    if (/lock/i.test(error.message)) onNote(`${error.message}: it is another worker's by now`);
  });
  const sayIt = async (): Promise<void> => {
    if (client.status !== "ready") return;
    await sayBeat(client, queue, id, {
      beat: beat++,
      host: hostname(),
      pid: process.pid,
      threads,
      active,
      done,
      failed,
    });
  };
  const timer = setInterval(
    () => {
      sayIt().catch(end);
      if (client.status !== "ready" || active > 0) busy = performance.now();
      if (idleSeconds !== undefined && performance.now() - busy > 1000 * idleSeconds) end();
    },
    Math.min(BEAT_MS, 1000 * (idleSeconds ?? BEAT_MS)),
  );
  const abort = (): void => end(signal?.reason as Error);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await worker.waitUntilReady();
    await sayIt();
    await ended;
    return { done, failed };
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", abort);
    // What is under way is left to others, who take it when this worker is not heard of any more.
    await worker.close(true);
    await pool.end();
    if (client.status === "ready") await sayEnd(client, queue, id);
  }
}

function otherBuild(build: string): QueueError {
  return new QueueError(
    `the queue's sweep is of another build of stalewalk, ${build}; this one is ${thisBuild()}: results could differ, install the same`,
  );
}
