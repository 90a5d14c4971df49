// Synthetic workloads: operations that the engine generates where programs are played from, chunk by chunk.

import { checkInteger, InvalidOptionError } from "../base/errors.js";
import type { RunOptions } from "../base/progress.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import { CHUNK, MAX_GENERATED } from "../engine/limits.js";
import type { Actors } from "./faults.js";
import { type KernelWorkloadOptions, startKernelWorkload } from "./kernel-workload.js";
import { operationBytes } from "./operations.js";
import { checkWorkload, type WorkloadOptions } from "./workload.js";

/** Generates workloads; what each method does, the machine's method of that name says. @internal */
export class Workloads {
  /** Whether a workload runs, and its `onProgress` may be calling. */
  private running = false;
  private readonly pageList: Pointer;

  constructor(
    private readonly engine: Engine,
    /** Where records are generated, and played from. */
    private readonly program: Pointer,
    private readonly actors: Actors,
    private readonly pages: number,
  ) {
    this.pageList = engine.made(engine.exports.createWorkload(pages), "workload pages");
  }

  run(options: WorkloadOptions, operations: number, run: RunOptions): void {
    this.checkIdle("runWorkload()");
    this.start(options);
    this.play((count) => this.engine.exports.generate(this.program, count), operations, run);
  }

  runKernel(options: KernelWorkloadOptions, records: number, run: RunOptions): void {
    this.checkIdle("runKernelWorkload()");
    const { cpus, requesters } = this.actors;
    startKernelWorkload(this.engine, options, cpus);
    const { first, count } = options.devices;
    if (first < cpus || first + count > requesters) {
      throw new InvalidOptionError(
        "devices",
        `${first} to ${first + count - 1}`,
        "requesters of this machine's IOMMUs",
      );
    }
    this.play((count) => this.engine.exports.generateKernel(this.program, count), records, run);
  }

  private play(generate: (count: number) => void, operations: number, run: RunOptions): void {
    const total = checkInteger("operations", operations, 0, Number.MAX_SAFE_INTEGER);
    this.running = true;
    try {
      for (let done = 0; done < total; ) {
        run.signal?.throwIfAborted();
        const count = Math.min(CHUNK, total - done);
        generate(count);
        this.engine.exports.play(this.program, count, 0);
        done += count;
        run.onProgress?.({ done, total, unit: "operations" });
      }
    } finally {
      this.running = false;
    }
  }

  generate(options: WorkloadOptions, operations: number): Uint8Array {
    this.checkIdle("generate()");
    const total = checkInteger("operations", operations, 0, MAX_GENERATED);
    this.start(options);
    const program = new Uint8Array(total * operationBytes);
    for (let done = 0; done < total; ) {
      const count = Math.min(CHUNK, total - done);
      this.engine.exports.generate(this.program, count);
      program.set(this.engine.bytes(this.program, count * operationBytes), done * operationBytes);
      done += count;
    }
    return program;
  }

  /** A machine has one generator: another workload would turn a running one into something else. */
  private checkIdle(what: string): void {
    if (!this.running) return;
    throw new InvalidOptionError(
      what,
      "called while a workload runs",
      "a call before or after it, not inside onProgress",
    );
  }

  private start(options: WorkloadOptions): void {
    const { exports } = this.engine;
    const shape = checkWorkload(options, this.pages);
    const { first, count } = shape.requesters;
    if (first + count > this.actors.requesters) {
      throw new InvalidOptionError("requesters", `${first} to ${first + count - 1}`, "requesters of this machine");
    }
    this.engine.words(this.pageList, shape.pages.length).set(shape.pages);
    for (const [kind, weight] of shape.flushes.entries()) exports.setFlushWeight(kind, weight);
    exports.setActors(first, count, shape.pcids, shape.writes);
    exports.startWorkload(shape.seed, shape.stream, shape.pages.length, shape.stride, shape.exponent);
  }
}
