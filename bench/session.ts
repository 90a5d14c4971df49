// What a contestant answers, whatever runs it: it opens a case, checks it, times it. Nothing here needs Node.
import { clockStep } from "./pieces.js";
import { type Limits, Stopwatch } from "./stopwatch.js";
import type { Task } from "./task.js";
import type { OpenRequest } from "./tasks.js";

/** What is asked: the step of the clock, in nanoseconds; a case; what it or its first operations come to; times. */
export type Request = { hello: true } | OpenRequest | { check: number | null } | { time: Limits };

/** One contestant, at one case after the other. */
export class Session {
  private task: Task | undefined;
  private stopwatch: Stopwatch | undefined;

  constructor(private readonly open: (request: OpenRequest) => Promise<Task>) {}

  async answer(request: Request): Promise<unknown> {
    if ("hello" in request) return { step: clockStep() };
    if ("open" in request) {
      this.task = await this.open(request);
      this.stopwatch = undefined;
      return { operations: this.task.operations };
    }
    if (!this.task) throw new Error("nothing has been opened");
    if ("check" in request) return this.task.check(request.check ?? undefined);
    this.stopwatch ??= new Stopwatch(this.task);
    return this.stopwatch.time(request.time);
  }
}
