// The matrix policy x site x hardware option: for every cell a search for a program with a hazard, or a proof that there is none.

import { Turns } from "../base/progress.js";
import { compileEngine } from "../engine/compile.js";
import { Judge } from "./judge.js";
import { type Cell, planOf, type VerdictsOptions } from "./plan.js";
import type { VerdictRecord } from "./verdict.js";

/**
 * The matrix, cell by cell: by policy, then hardware, then row; IOMMUs before CPUs. Deterministic.
 * @throws InvalidOptionError naming the option, the value and what is allowed; or the signal's reason
 * @example
 * ```ts
 * import { verdicts } from "stalewalk/verdicts";
 *
 * const options = { policies: ["flush-async"], scenarios: ["pmd_free_pte_page"], hardware: "usual", agents: ["iommu"] } as const;
 * for await (const { policy, scenario, verdict, kind, witness } of verdicts(options)) {
 *   console.log(policy, scenario, verdict, kind, witness?.steps.length); // flush-async pmd_free_pte_page hazard forged-translation 9
 * }
 * ```
 */
export async function* verdicts(options: VerdictsOptions = {}): AsyncGenerator<VerdictRecord, void, void> {
  const plan = planOf(options);
  const { signal, onProgress } = options;
  const judge = new Judge(plan, options.module ?? (await compileEngine()), new Turns(signal));
  let done = 0;
  async function* judged(): AsyncGenerator<VerdictRecord, void, void> {
    for (const cell of plan.cells) {
      signal?.throwIfAborted();
      if (cell.same === undefined) yield await judge.judge(cell);
    }
  }
  for await (const record of allOf(plan.cells, judged())) {
    onProgress?.({ done: ++done, total: plan.cells.length, unit: "cells" });
    yield record;
  }
}

/** A record of each cell, made of those of the cells that were judged, in their order. @internal */
export async function* allOf(
  cells: readonly Cell[],
  judged: AsyncGenerator<VerdictRecord, void, void>,
): AsyncGenerator<VerdictRecord, void, void> {
  const wanted = new Set(cells.map(({ same }) => same));
  const known = new Map<number, VerdictRecord>();
  try {
    for (const [i, { same, policy }] of cells.entries()) {
      if (same !== undefined) {
        yield { ...(known.get(same) as VerdictRecord), policy: policy.name };
        continue;
      }
      const { value } = await judged.next();
      if (!value) throw new Error(`cell ${i} was not judged`);
      if (wanted.has(i)) known.set(i, value);
      yield value;
    }
  } finally {
    await judged.return();
  }
}
