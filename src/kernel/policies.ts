// Policies: which flushes and frees lead to which IOMMU invalidation, and when a freed table may be used again.
// The presets are the history of one patch (linux-iommu and linux-mm, 2025; CVE-2025-71202).

import { checkOneOf, InvalidOptionError } from "../base/errors.js";
import { type Site, sites } from "../program/sites.js";

/** A policy, as data. */
export interface Policy {
  /** For output. */
  name: string;
  /** What it is or was, in a sentence; with its source. */
  about?: string;
  /** Flushes that invalidate the IOMMU when they have flushed the CPUs: `flush_tlb_kernel_range()`, `flush_tlb_all()`. */
  hooks: { kernelRange: boolean; flushAll: boolean };
  /** A hooked flush invalidates only if it is the flush of a table that is being freed. */
  onlyTableFrees: boolean;
  /** What a hooked ranged flush invalidates: the aligned range, all of every bound PASID, or whole IOMMUs. */
  scope: "range" | "pasid" | "all";
  /** In the flush itself, or by work that is scheduled. */
  timing: "synchronous" | "work";
  /** Tables given back at once, or put on a list whose worker invalidates the kernel half and then frees. */
  free: "immediate" | "deferred";
  /** What the worker does first; only with `free: "deferred"`. */
  worker: "takes-list-first" | "invalidates-first";
  /** Sites whose tables are deferred although the kernel never marked them (`ptdesc_set_kernel`). */
  deferUnmarkedOf: readonly Site[];
  /** The root that IOMMUs get: the mm's own, one without the kernel half, or none (SVA is refused). */
  root: "shared" | "user-only" | "none";
  /** Whether user unmaps reach the IOMMU (mmu notifier); every real kernel does. */
  notifyUser: boolean;
}

const unhooked: Policy = {
  name: "none",
  hooks: { kernelRange: false, flushAll: false },
  onlyTableFrees: false,
  scope: "range",
  timing: "synchronous",
  free: "immediate",
  worker: "takes-list-first",
  deferUnmarkedOf: [],
  root: "shared",
  notifyUser: true,
};

const preset = (name: string, about: string, change: Partial<Policy>): Policy => ({
  ...unhooked,
  ...change,
  name,
  about,
});

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
} as const satisfies Record<string, Policy>;

/** Name of a preset. */
export type PolicyName = keyof typeof policies;

const SCOPES = ["range", "pasid", "all"] as const;

/**
 * Checks a policy, e.g. one read from JSON, and fills in what is not given from `none`.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 */
export function checkPolicy(value: unknown, field = "policy"): Policy {
  if (typeof value === "string") {
    const names = Object.keys(policies) as PolicyName[];
    return policies[checkOneOf(field, value, names)];
  }
  const given = record(value, field);
  for (const key of Object.keys(given)) {
    if (!(key in unhooked) && key !== "about") {
      throw new InvalidOptionError(`${field}.${key}`, given[key], `one of ${Object.keys(unhooked).join(", ")}, about`);
    }
  }
  const merged = { ...unhooked, ...given } as Policy & Record<string, unknown>;
  const hooks = { ...unhooked.hooks, ...record(merged.hooks, `${field}.hooks`) };
  for (const key of Object.keys(hooks)) checkOneOf(`${field}.hooks`, key, ["kernelRange", "flushAll"]);
  checkBoolean(`${field}.hooks.kernelRange`, hooks.kernelRange);
  checkBoolean(`${field}.hooks.flushAll`, hooks.flushAll);
  checkBoolean(`${field}.onlyTableFrees`, merged.onlyTableFrees);
  checkBoolean(`${field}.notifyUser`, merged.notifyUser);
  checkOneOf(`${field}.scope`, merged.scope, SCOPES);
  checkOneOf(`${field}.timing`, merged.timing, ["synchronous", "work"]);
  checkOneOf(`${field}.free`, merged.free, ["immediate", "deferred"]);
  checkOneOf(`${field}.worker`, merged.worker, ["takes-list-first", "invalidates-first"]);
  checkOneOf(`${field}.root`, merged.root, ["shared", "user-only", "none"]);
  if (typeof merged.name !== "string" || merged.name === "") {
    throw new InvalidOptionError(`${field}.name`, merged.name, "a name");
  }
  if (!Array.isArray(merged.deferUnmarkedOf)) {
    throw new InvalidOptionError(`${field}.deferUnmarkedOf`, merged.deferUnmarkedOf, "a list of sites");
  }
  for (const [i, site] of merged.deferUnmarkedOf.entries()) {
    checkOneOf(`${field}.deferUnmarkedOf[${i}]`, site, sites);
  }
  return { ...merged, hooks };
}

/** Checks that policies can be told apart in a result. @throws InvalidOptionError @internal */
export function checkDistinct(chosen: readonly Policy[], field: string): readonly Policy[] {
  for (const [i, { name }] of chosen.entries()) {
    const first = chosen.findIndex((policy) => policy.name === name);
    if (first < i)
      throw new InvalidOptionError(`${field}[${i}].name`, name, `another name than ${field}[${first}] has`);
  }
  return chosen;
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(
      field,
      value,
      `the name of a preset (${Object.keys(policies).join(", ")}) or an object`,
    );
  }
  return value as Record<string, unknown>;
}

function checkBoolean(field: string, value: unknown): void {
  if (typeof value !== "boolean") throw new InvalidOptionError(field, value, "true or false");
}

/** Bits of assembly/kernel/policy.ts. @internal */
export function policyBits(policy: Policy): { bits: number; scope: number; deferSites: number } {
  const flags = [
    policy.hooks.kernelRange,
    policy.hooks.flushAll,
    policy.onlyTableFrees,
    policy.timing === "work",
    policy.free === "deferred",
    policy.worker === "invalidates-first",
    policy.root === "user-only",
    policy.root === "none",
    policy.notifyUser,
  ];
  return {
    bits: flags.reduce((bits, flag, i) => bits | (flag ? 1 << i : 0), 0),
    scope: SCOPES.indexOf(policy.scope),
    deferSites: policy.deferUnmarkedOf.reduce((bits, site) => bits | (1 << sites.indexOf(site)), 0),
  };
}
