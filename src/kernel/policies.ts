// Policies by name: the presets are the history of one patch (linux-iommu and linux-mm, 2025; CVE-2025-71202).

import { checkOneOf } from "../base/errors.js";
import { type CheckedPolicy, completePolicy, isChecked, type Policy } from "./policy.js";

export type { CheckedPolicy, Policy } from "./policy.js";

const preset = (name: string, about: string, change: Partial<Policy>): CheckedPolicy =>
  completePolicy({ ...change, name, about }, name, "a policy");

/** Presets by name. */
export const policies = {
  none: preset("none", "before July 2025: the IOMMU hears nothing of kernel flushes", {}),
  "flush-range": preset(
    "flush-range",
    "v1, v2 (July 2025): ranged invalidation at the end of flush_tlb_kernel_range()",
    { hooks: { kernelRange: true, flushAll: false } },
  ),
  "flush-async": preset(
    "flush-async",
    "v3 (August 2025): flush_tlb_kernel_range() and flush_tlb_all(), by schedule_work()",
    { hooks: { kernelRange: true, flushAll: true }, timing: "work" },
  ),
  "flush-on-table-free": preset(
    "flush-on-table-free",
    "proposed in July 2025: only flushes that free a table invalidate",
    { hooks: { kernelRange: true, flushAll: true }, onlyTableFrees: true },
  ),
  "deferred-free": preset(
    "deferred-free",
    "merged (6.19, stable 6.18.7): marked tables queue up; the worker takes the list, invalidates the kernel half, frees",
    { free: "deferred" },
  ),
  "deferred-free-unlocked": preset(
    "deferred-free-unlocked",
    "draft of 7 August 2025: the worker invalidates before it takes the list",
    { free: "deferred", worker: "invalidates-first" },
  ),
  "user-root": preset("user-root", "proposed (kPTI for IOMMUs): a root without the kernel half", { root: "user-only" }),
  "sva-off": preset("sva-off", "the x86 stop-gap (72f98ef9a4be): SVA is refused", { root: "none" }),
} as const satisfies Record<string, CheckedPolicy>;

/** Name of a preset. */
export type PolicyName = keyof typeof policies;

/** Names of the presets. @internal */
export const policyNames = Object.keys(policies) as readonly PolicyName[];

/**
 * Checks a policy, e.g. one read from JSON, and fills in what is not given from `none`. The result is frozen; it passes every
 * later check as it is.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { checkPolicy } from "stalewalk";
 *
 * const policy = checkPolicy({ name: "mine", hooks: { kernelRange: true } });
 * console.log(policy.scope, policy.timing, policy.free); // range synchronous immediate
 * try {
 *   checkPolicy({ name: "mine", scope: "page" });
 * } catch (error) {
 *   console.log((error as Error).message); // policy.scope is "page"; expected one of range, pasid, all
 * }
 * ```
 */
export function checkPolicy(value: unknown, field = "policy"): CheckedPolicy {
  if (isChecked(value)) return value;
  if (typeof value === "string") return policies[checkOneOf(field, value as PolicyName, policyNames)];
  return completePolicy(value, field, `the name of a preset (${policyNames.join(", ")}) or an object`);
}
