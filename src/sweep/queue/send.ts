// A sweep over a queue: jobs are put into it in portions, results are written to the folder and taken out. Node-only.
import { createHash } from "node:crypto";
import type { Job, Queue } from "bullmq";
import type { Redis } from "ioredis";
import { checkInteger } from "../../base/errors.js";
import type { RunOptions } from "../../base/progress.js";
import { jobId, openResults, type Results } from "../lines/node.js";
import { eachJob, type SweepJob, type SweepPlan } from "../plan.js";
import { jobKey, type SweepResult } from "../result.js";
import { type CrewMember, watchCrew } from "./crew.js";
import { loadLibraries, QueueError } from "./libraries.js";
import { checkQueueName, JOB, PREFIX, QUEUE, type QueuedJob, queuedId, thisBuild } from "./names.js";
import { type Lease, takeQueue } from "./owner.js";
import { connect } from "./redis.js";
import { dropTraces, sendTraces } from "./traces.js";

/** Jobs in the queue at a time, unless said, and at most. */
const AHEAD = 1000;
const MOST_AHEAD = 100_000;
/** Jobs that one command adds, reads or takes out. */
const PORTION = 200;
const ATTEMPTS = 3;
const AGAIN_MS = 1000;
/** BullMQ tells of what happens in a stream that nobody reads here: it is kept short. */
const EVENTS = 100;
const LOOK_MS = 100;
const TELL_MS = 1000;
/** After so long without a result every job is put into the queue again; what is there stays as it is. */
const DOUBT_MS = 30_000;
/** Failures that are told in full. */
const TOLD = 10;

/** How a sweep over a queue stands. */
export interface QueueState {
  /** Jobs of the plan, and those that have a result. */
  readonly jobs: number;
  /** Jobs that have a result. */
  readonly done: number;
  /** Jobs that failed for good. */
  readonly failed: number;
  /** Jobs in the queue. */
  readonly queued: number;
  /** Attempts after one that failed, so far. */
  readonly retried: number;
  /** Jobs taken over of workers that died, so far. */
  readonly takenOver: number;
  /** Who works. */
  readonly workers: readonly CrewMember[];
}

/** How a sweep over a queue is done. */
export interface QueueOptions extends RunOptions {
  /** The queue's name; default `sweep`. One sweep has it at a time. */
  readonly queueName?: string;
  /** Jobs in the queue at a time; default 1000. */
  readonly ahead?: number;
  /** Told once a second how it stands. */
  readonly onState?: (state: QueueState) => void;
  /** Told what happens, in words. */
  readonly onNote?: (text: string) => void;
}

/** What a sweep over a queue has done. */
export interface QueueSummary {
  /** Jobs of the plan. */
  readonly jobs: number;
  /** Jobs whose results were there already. */
  readonly before: number;
  /** Jobs that were done now. */
  readonly now: number;
  /** Attempts after one that failed. */
  readonly retried: number;
  /** Jobs taken over of workers that died. */
  readonly takenOver: number;
  /** Where the results are. */
  readonly file: string;
}

/**
 * Has workers of a queue (`workOnQueue()`) do all jobs of a plan that have no result in the folder yet. The folder is as `sweep()` leaves it.
 * Each result is written once, whatever dies meanwhile: workers, Redis, this process, which goes on where it was when it is called again.
 * @throws QueueError if Redis is not there or not safe, if another sweep has the queue, or, at the end, if jobs failed
 */
export async function sweepByQueue(
  plan: SweepPlan,
  folder: string,
  url: string,
  options: QueueOptions = {},
): Promise<QueueSummary> {
  const queueName = checkQueueName(options.queueName ?? QUEUE);
  const ahead = checkInteger("ahead", options.ahead ?? AHEAD, 1, MOST_AHEAD);
  const { Queue } = await loadLibraries();
  const results = openResults(folder);
  let client: Redis | undefined;
  try {
    client = await connect(url, options.onNote ?? (() => {}));
    const lease = await takeQueue(client, queueName, thisBuild(), options.signal);
    const queue = new Queue<QueuedJob, SweepResult>(queueName, {
      connection: client,
      prefix: PREFIX,
      streams: { events: { maxLen: EVENTS } },
    });
    // Of its connection, which is connect()'s.
    queue.on("error", () => {});
    try {
      const traces = await sendTraces(client, queueName, plan.replay?.traces ?? []);
      const sender = new Sender(plan, queue, results, traces);
      await sender.clear();
      let doubt = false;
      client.on("ready", () => {
        doubt = true;
      });
      const crew = watchCrew(client, queueName);
      await run(sender, lease, ahead, options, crew, () => {
        const before = doubt;
        doubt = false;
        return before;
      });
      await dropTraces(client, queueName);
      return sender.summary();
    } finally {
      if (client.status === "ready") await lease.release();
      await queue.close();
    }
  } finally {
    client?.disconnect();
    results.close();
  }
}

/** Until every job is done: takes results out, puts jobs in, tells how it stands. `lost`: whether Redis was away meanwhile. */
async function run(
  sender: Sender,
  lease: Lease,
  ahead: number,
  { signal, onProgress, onState }: QueueOptions,
  crew: () => Promise<CrewMember[]>,
  lost: () => boolean,
): Promise<void> {
  let [told, moved] = [Number.NEGATIVE_INFINITY, performance.now()];
  for (;;) {
    signal?.throwIfAborted();
    await lease.renew();
    const taken = await sender.collect();
    const more = await sender.fill(ahead);
    const now = performance.now();
    if (taken > 0) {
      moved = now;
      onProgress?.(sender.progress());
    }
    if (lost() || now - moved > DOUBT_MS) {
      await sender.fillAgain();
      moved = now;
    }
    const ended = !more && sender.queued === 0;
    if (onState && (ended || now - told > TELL_MS)) {
      told = now;
      onState({ ...sender.state(), workers: await crew() });
    }
    if (ended) return sender.throwFailures();
    if (taken === 0) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** The plan on one side, the queue on the other, the folder of results between them. */
class Sender {
  readonly #plan: string;
  readonly #jobs: number;
  readonly #before: number;
  readonly #source: Generator<SweepJob, void, void>;
  readonly #outstanding = new Map<string, SweepJob>();
  readonly #failed = new Set<string>();
  readonly #told: string[] = [];
  #now = 0;
  #retried = 0;
  #takenOver = 0;

  constructor(
    plan: SweepPlan,
    private readonly queue: Queue<QueuedJob, SweepResult>,
    private readonly results: Results,
    private readonly traces: ReadonlyMap<string, string>,
  ) {
    this.#plan = createHash("sha256")
      .update(JSON.stringify([plan, ...traces]))
      .digest("hex")
      .slice(0, 16);
    const all = new Set<string>();
    for (const job of eachJob(plan)) all.add(jobId(job));
    this.#jobs = all.size;
    this.#before = [...all].reduce((sum, id) => sum + (results.done.has(id) ? 1 : 0), 0);
    this.#source = eachJob(plan);
  }

  get queued(): number {
    return this.#outstanding.size;
  }

  progress() {
    return { done: this.#before + this.#now, total: this.#jobs, unit: "jobs" } as const;
  }

  state() {
    const { done } = this.progress();
    const counts = { retried: this.#retried, takenOver: this.#takenOver };
    return { jobs: this.#jobs, done, failed: this.#failed.size, queued: this.queued, ...counts };
  }

  summary(): QueueSummary {
    const counts = { retried: this.#retried, takenOver: this.#takenOver };
    return { jobs: this.#jobs, before: this.#before, now: this.#now, ...counts, file: this.results.file };
  }

  throwFailures(): void {
    if (this.#failed.size === 0) return;
    const rest = this.#failed.size > this.#told.length ? `; and ${this.#failed.size - this.#told.length} more` : "";
    throw new QueueError(
      `${this.#failed.size} of ${this.#jobs} jobs failed, the others are done; the same command tries them again. ${this.#told.join("; ")}${rest}`,
    );
  }

  /** Takes out what an earlier sweep of another plan or build left; what workers are at is thrown away when it comes. */
  async clear(): Promise<void> {
    for (const state of ["waiting", "delayed", "failed", "completed"] as const) {
      let from = 0;
      for (;;) {
        const jobs = await this.#read(state, from);
        if (jobs.length === 0) break;
        // Failures of this plan, too: they are tried again.
        const foreign = jobs.filter((job) => state === "failed" || !this.#isMine(job));
        await Promise.all(foreign.map((job) => job.remove()));
        from += jobs.length - foreign.length;
      }
    }
  }

  #isMine({ data }: Job<QueuedJob, SweepResult>): boolean {
    return data.plan === this.#plan && data.build === thisBuild();
  }

  async #read(state: "waiting" | "delayed" | "failed" | "completed", from = 0) {
    const jobs = await this.queue.getJobs([state], from, from + PORTION - 1, true);
    // Gone between the list and the look, by a worker that took it.
    return jobs.filter((job) => job !== undefined && job !== null);
  }

  /** Writes results and takes them out of the queue, in this order; gives how many jobs ended. */
  async collect(): Promise<number> {
    const completed = await this.#read("completed");
    for (const job of completed) {
      if (!this.#isMine(job)) continue;
      const id = jobId(job.data.job);
      this.#outstanding.delete(id);
      this.#takenOver += job.stalledCounter;
      this.#retried += Math.max(0, job.attemptsMade - 1);
      // One that an earlier process wrote, and did not get to take out.
      if (this.results.done.has(id)) continue;
      this.results.add({ job: job.data.job, result: job.returnvalue });
      this.#now++;
    }
    if (completed.length > 0) this.results.keep();
    const failed = await this.#read("failed");
    for (const job of failed) {
      const id = jobId(job.data.job);
      if (!this.#isMine(job) || this.#failed.has(id)) continue;
      this.#outstanding.delete(id);
      this.#failed.add(id);
      if (this.#told.length < TOLD) this.#told.push(`${jobKey(job.data.job)}: ${job.failedReason}`);
    }
    await Promise.all([...completed, ...failed].map((job) => job.remove()));
    return completed.length + failed.length;
  }

  /** Puts the plan's next jobs into the queue, up to so many; false: there are no more. */
  async fill(ahead: number): Promise<boolean> {
    while (this.#outstanding.size < ahead) {
      const portion: SweepJob[] = [];
      while (portion.length < Math.min(PORTION, ahead) && this.#outstanding.size < ahead) {
        const next = this.#source.next();
        if (next.done) break;
        const id = jobId(next.value);
        if (this.results.done.has(id) || this.#outstanding.has(id) || this.#failed.has(id)) continue;
        this.#outstanding.set(id, next.value);
        portion.push(next.value);
      }
      if (portion.length === 0) return false;
      await this.#add(portion);
    }
    return true;
  }

  /** Puts every job that has no result yet into the queue again: Redis may have lost its last second. What is there stays as it is. */
  async fillAgain(): Promise<void> {
    const jobs = [...this.#outstanding.values()];
    for (let i = 0; i < jobs.length; i += PORTION) await this.#add(jobs.slice(i, i + PORTION));
  }

  async #add(jobs: readonly SweepJob[]): Promise<void> {
    await this.queue.addBulk(
      jobs.map((job) => {
        const trace = job.kind === "replay" ? this.traces.get(job.trace) : undefined;
        const data: QueuedJob = { job, plan: this.#plan, build: thisBuild(), ...(trace !== undefined && { trace }) };
        const opts = {
          jobId: queuedId(jobId(job)),
          attempts: ATTEMPTS,
          backoff: { type: "fixed", delay: AGAIN_MS },
          stackTraceLimit: 1,
          keepLogs: 0,
        };
        return { name: JOB, data, opts };
      }),
    );
  }
}
