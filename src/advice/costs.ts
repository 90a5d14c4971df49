// What policies cost on a workload that a profile draws.

import type { Policy } from "../kernel/policies.js";
import type { KernelVersion } from "../kernel/versions.js";
import { type SimulateOptions, simulate } from "../replay/index.js";

/**
 * Costs by a simulation, for `advise`: the time that each policy costs (`lostNs` of `simulate`), by profile, operations, seed and cost model.
 * The workload is the same for every policy.
 * @example
 * ```ts
 * import { policies, resolveKernel } from "stalewalk";
 * import { simulatedCosts } from "stalewalk/advice";
 *
 * const costs = simulatedCosts({ profile: "vmalloc-churn", operations: 5000 });
 * const [none, range] = await costs([policies.none, policies["flush-range"]], resolveKernel("6.18.7").record.version);
 * console.log(none < range); // true
 * ```
 */
export function simulatedCosts(
  options: Omit<SimulateOptions, "policies" | "kernel"> = {},
): (policies: readonly Policy[], kernel: KernelVersion) => Promise<readonly number[]> {
  return async (policies, kernel) => {
    const result = await simulate({ ...options, policies: [...policies], kernel });
    return result.policies.map(({ lostNs }) => lostNs);
  };
}
