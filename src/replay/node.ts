// A synthetic workload under many policies, on all cores. Node-only.
import { checkFields } from "../base/known-fields.js";
import { compileEngine } from "../engine/compile.js";
import { inPool, workersOf } from "../pool/node.js";
import { joinMarks } from "./marks.js";
import type { ReplayResult } from "./result.js";
import { checkOptions } from "./run.js";
import { simulate as onOneCore, SIMULATE_FIELDS, type SimulateOptions } from "./simulate.js";
import type { Told } from "./worker.js";

/** What is played, and on how many cores. */
export interface ParallelSimulateOptions extends SimulateOptions {
  /** Worker threads; default one for each core. 1: everything on this thread. Results are the same. */
  readonly workers?: number;
}

/** Milliseconds between two looks at how far the threads are. */
const LOOK = 200;

/**
 * The same as `simulate` of `stalewalk/replay`, with policies spread over worker threads, each of which draws the same workload: the same
 * result whatever the number of workers, but for the time that it took. A signal ends what is under way at once.
 * @throws InvalidOptionError naming the option, the value and what is allowed; or the signal's reason
 * @example
 * ```ts
 * import { simulate } from "stalewalk/replay/node";
 *
 * const options = { profile: "vmalloc-churn", operations: 10_000, policies: ["none", "flush-range"], workers: 2 } as const;
 * const { policies } = await simulate(options);
 * console.log(policies.map(({ policy }) => policy.name)); // [ 'none', 'flush-range' ]
 * ```
 */
export async function simulate(options: ParallelSimulateOptions = {}): Promise<ReplayResult> {
  const start = performance.now();
  checkFields<ParallelSimulateOptions>(options, { ...SIMULATE_FIELDS, workers: true });
  const { workers: asked, ...single } = options;
  const { signal, onProgress, module: given, ...rest } = single;
  const { policies } = checkOptions(rest);
  const workers = Math.min(workersOf(asked, "workers"), policies.length);
  if (workers < 2) return onOneCore(single);
  // Neighbours go to different threads: presets that do much for every flush stand beside each other.
  const tasks = Array.from({ length: workers }, (_, worker) => policies.filter((_, i) => i % workers === worker));
  const done = new Float64Array(new SharedArrayBuffer(workers * Float64Array.BYTES_PER_ELEMENT));
  const total = options.operations ?? DEFAULT_OPERATIONS;
  const timer =
    onProgress &&
    setInterval(() => {
      const sum = done.reduce((all, own, i) => all + own * (tasks[i] as unknown[]).length, 0);
      onProgress({ done: Math.round(sum / policies.length), total, unit: "operations" });
    }, LOOK);
  try {
    const told: Told = { options: rest, tasks, done, module: given ?? (await compileEngine()) };
    const parts: ReplayResult[] = [];
    const pool = { workers, shared: told, signal };
    for await (const part of inPool<number, ReplayResult>("replay/worker.js", [...tasks.keys()], pool))
      parts.push(part);
    onProgress?.({ done: total, total, unit: "operations" });
    return joinParts(parts, (performance.now() - start) / 1000);
  } finally {
    clearInterval(timer);
  }
}

const DEFAULT_OPERATIONS = 1_000_000;

/** Parts of a result: each has every so-many-th policy, and all else is the same in all of them. */
function joinParts(parts: readonly ReplayResult[], seconds: number): ReplayResult {
  const [first] = parts as [ReplayResult];
  const inOrder = <T>(listOf: (part: ReplayResult) => readonly T[]): T[] =>
    Array.from({ length: listOf(first).length }, (_, i) =>
      parts.flatMap((part) => listOf(part).slice(i, i + 1)),
    ).flat();
  const sum = (valueIn: (part: ReplayResult) => number) => parts.reduce((all, part) => all + valueIn(part), 0);
  const [operations, playSeconds] = [sum((it) => it.throughput.operations), sum((it) => it.throughput.playSeconds)];
  return {
    ...first,
    configuration: { ...first.configuration, policies: inOrder((it) => it.configuration.policies) },
    policies: inOrder((it) => it.policies),
    ...(first.marks && {
      marks: joinMarks(
        parts.flatMap(({ marks }) => marks ?? []),
        inOrder((it) => it.marks?.policies ?? []),
      ),
    }),
    throughput: {
      operations,
      playSeconds,
      seconds,
      operationsPerSecond: playSeconds > 0 ? operations / playSeconds : 0,
    },
  };
}
