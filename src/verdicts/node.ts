// The matrix on all cores. Node-only.
import { checkFields } from "../base/known-fields.js";
import { compileEngine } from "../engine/compile.js";
import { inPool, workersOf } from "../pool/node.js";
import { groupsOf, longestFirst, planOf, VERDICTS_FIELDS, type VerdictsOptions } from "./plan.js";
import type { VerdictRecord } from "./verdict.js";
import { allOf, verdicts as onOneCore } from "./verdicts.js";
import type { Told } from "./worker.js";

/** What is to be judged, and on how many cores. */
export interface ParallelVerdictsOptions extends VerdictsOptions {
  /** Worker threads; default one for each core. 1: everything on this thread. Results are the same. */
  readonly workers?: number;
}

/**
 * The same as `verdicts` of `stalewalk/verdicts`, with cells spread over worker threads: the same records in the same order, whatever the
 * number of workers (but for cells that `maxMs` ends). A signal ends what is under way at once.
 * @throws InvalidOptionError naming the option, the value and what is allowed; or the signal's reason
 * @example
 * ```ts
 * import { verdicts } from "stalewalk/verdicts/node";
 *
 * const options = { policies: ["none"], scenarios: ["munmap", "exit"], hardware: "usual", agents: ["iommu"], workers: 2 } as const;
 * const safe: string[] = [];
 * for await (const { scenario, verdict } of verdicts(options)) if (verdict === "safe") safe.push(scenario);
 * console.log(safe); // [ 'munmap', 'exit' ]
 * ```
 */
export async function* verdicts(options: ParallelVerdictsOptions = {}): AsyncGenerator<VerdictRecord, void, void> {
  checkFields<ParallelVerdictsOptions>(options, { ...VERDICTS_FIELDS, workers: true });
  const { workers: asked, ...single } = options;
  const { signal, onProgress, module: given, ...rest } = single;
  const plan = planOf(rest);
  const { cells } = plan;
  const tasks = groupsOf(plan);
  const workers = Math.min(workersOf(asked, "workers"), tasks.length);
  if (workers < 2) {
    yield* onOneCore(single);
    return;
  }
  const copies = new Map<number, number>();
  for (const { same } of cells) if (same !== undefined) copies.set(same, (copies.get(same) ?? 0) + 1);
  let done = 0;
  const order = longestFirst(plan, tasks);
  const onDone = (nth: number): void => {
    for (const cell of tasks[order[nth] as number] ?? []) done += 1 + (copies.get(cell) ?? 0);
    onProgress?.({ done, total: cells.length, unit: "cells" });
  };
  const told: Told = { options: rest, module: given ?? (await compileEngine()) };
  const begun = order.map((task) => tasks[task] as readonly number[]);
  const judged = inPool<readonly number[], VerdictRecord[]>("verdicts/worker.js", begun, {
    workers,
    shared: told,
    signal,
    onDone,
  });
  yield* allOf(plan, byTask(order, judged));
}

/** Results in the order of their tasks, of which the nth was begun as `order` says. */
async function* byTask<Result>(
  order: readonly number[],
  results: AsyncGenerator<Result, void, void>,
): AsyncGenerator<Result, void, void> {
  const waiting = new Map<number, Result>();
  let nth = 0;
  let next = 0;
  for await (const result of results) {
    waiting.set(order[nth++] as number, result);
    for (; waiting.has(next); next++) {
      yield waiting.get(next) as Result;
      waiting.delete(next);
    }
  }
}
