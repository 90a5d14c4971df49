// The matrix policy x site x hardware option: for every cell a search for a program with a hazard, or a proof that there is none.

import { Turns } from "../base/progress.js";
import { compileEngine } from "../engine/compile.js";
import { Judge } from "./judge.js";
import { type Cell, groupsOf, type Plan, planOf, type VerdictsOptions } from "./plan.js";
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
  async function* judged(): AsyncGenerator<VerdictRecord[], void, void> {
    for (const group of groupsOf(plan)) {
      signal?.throwIfAborted();
      yield await judge.judge(group.map((i) => plan.cells[i]) as [Cell, ...Cell[]]);
    }
  }
  for await (const record of allOf(plan, judged())) {
    onProgress?.({ done: ++done, total: plan.cells.length, unit: "cells" });
    yield record;
  }
}

/** A record of each cell, made of those of groups of cells (groupsOf), in their order. @internal */
export async function* allOf(
  plan: Plan,
  judged: AsyncGenerator<VerdictRecord[], void, void>,
): AsyncGenerator<VerdictRecord, void, void> {
  const { cells } = plan;
  const groups = new Map(groupsOf(plan).map((group) => [group[0], group]));
  const copied = new Set(cells.map(({ same }) => same));
  const known = new Map<number, VerdictRecord>();
  try {
    for (const [i, { same, policy }] of cells.entries()) {
      if (same !== undefined) {
        yield { ...(known.get(same) as VerdictRecord), policy: policy.name };
        continue;
      }
      const group = groups.get(i);
      if (group) {
        const { value = [] } = await judged.next();
        for (const [place, number] of group.entries()) {
          const record = value[place];
          if (!record) throw new Error(`cell ${number} was not judged`);
          known.set(number, record);
        }
      }
      const record = known.get(i) as VerdictRecord;
      if (!copied.has(i)) known.delete(i);
      yield record;
    }
  } finally {
    await judged.return();
  }
}
