// What the safety of a proved cell rests on: everything that the policy does is taken away in turn, and the wait for walks, and the cell is
// proved again.

import type { Turns } from "../../base/progress.js";
import { type CheckedPolicy, checkPolicy } from "../../kernel/policies.js";
import { noticedByCpus, type Policy } from "../../kernel/policy.js";
import type { Scenario } from "../scenarios.js";
import { Stage } from "../stage.js";
import type { Wanted } from "./choices.js";
import { Explorer, type Limits } from "./explore.js";
import { proveBoth } from "./prove.js";

/** One thing that was taken away, and what the cell is without it. */
export interface Support {
  /** What it is, in words. */
  what: string;
  /** The cell without it; `race`: safe only as long as deferred work runs between operations, which with it is no condition. */
  without: "hazard" | "race" | "proved safe" | "no hazard found";
}

interface Taking {
  what: string;
  policy: CheckedPolicy;
  drain: Stage["walking"]["drain"];
}

/** Proves cells of one policy and hardware again with something taken away; machines are kept from cell to cell. */
export class Explainer {
  readonly #takings: readonly (Taking & { explorer?: Explorer })[];

  constructor(private readonly stage: Stage) {
    this.#takings = takingsOf(stage);
  }

  /** `raceFree`: the cell is safe with deferred work inside operations, too. */
  *explain(
    scenario: Scenario,
    wanted: Wanted,
    raceFree: boolean,
    limits: Limits,
    turns: Turns,
  ): Generator<void, Support[], void> {
    const supports: Support[] = [];
    for (const taking of this.#takings) {
      taking.explorer ??= new Explorer(this.without(taking));
      const { plain, raced } = yield* proveBoth(taking.explorer, scenario, wanted, raceFree, limits, turns);
      const closed = plain.proof.closed && raced.proof.closed;
      const without = plain.found ? "hazard" : raced.found ? "race" : closed ? "proved safe" : "no hazard found";
      supports.push({ what: taking.what, without });
    }
    return supports;
  }

  private without({ policy, drain }: Taking): Stage {
    const { agent, options, version, walking, module, moves } = this.stage;
    return new Stage(policy, agent, options, version, { ...walking, drain }, module, moves);
  }
}

/** What a policy does beyond `none`, each by itself, as the policy that does not; then the wait for walks. */
function takingsOf({ policy, agent, walking }: Stage): Taking[] {
  const { drain } = walking;
  const { hooks, timing, free, worker, scope, root, notifyUser, deferUnmarkedOf } = policy;
  const changes: [string, Partial<Policy>][] = [];
  if (hooks.kernelRange) {
    const less = { ...hooks, kernelRange: false };
    changes.push(["the invalidation that follows flush_tlb_kernel_range()", { hooks: less }]);
  }
  if (hooks.flushAll) {
    changes.push(["the invalidation that follows flush_tlb_all()", { hooks: { ...hooks, flushAll: false } }]);
  }
  if ((hooks.kernelRange || hooks.flushAll) && timing === "synchronous") {
    changes.push(["that flushes wait for the invalidation", { timing: "work" }]);
  }
  if (scope !== "range") changes.push(["the invalidation of more than the range", { scope: "range" }]);
  if (free === "deferred") changes.push(["the deferral of frees", { free: "immediate" }]);
  if (free === "deferred" && worker === "takes-list-first") {
    changes.push(["that the worker takes its list before it invalidates", { worker: "invalidates-first" }]);
  }
  for (const site of deferUnmarkedOf) {
    const others = deferUnmarkedOf.filter((other) => other !== site);
    changes.push([`the deferral of unmarked tables of ${site}`, { deferUnmarkedOf: others }]);
  }
  if (root !== "shared") changes.push(["that the IOMMU does not get the kernel half", { root: "shared" }]);
  if (notifyUser) changes.push(["the mmu notifier", { notifyUser: false }]);
  const takings = changes.map(([what, change]): Taking => {
    const { about: _about, ...fields } = policy;
    const less = checkPolicy({ ...fields, ...change, name: `${policy.name}, less` });
    return { what, policy: less, drain };
  });
  const noticed = takings.filter(
    (taking) => agent === "iommu" || noticedByCpus(taking.policy) !== noticedByCpus(policy),
  );
  if (drain === "none") return noticed;
  return [...noticed, { what: "that invalidations wait for walks", policy, drain: "none" }];
}
