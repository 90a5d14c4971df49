// What may be changed: policies that differ from one by a few changes of fields, and what later kernels do.

import { type CheckedPolicy, checkPolicy, type Policy } from "../kernel/policies.js";
import { type KernelVersion, kernelRecords, resolveKernel } from "../kernel/versions.js";
import { type Site, sites } from "../program/sites.js";

/** A change, in words, and what it makes of a policy; undefined where it would change nothing. */
interface Change {
  readonly what: string;
  readonly of: (policy: CheckedPolicy) => Partial<Policy> | undefined;
}

/** Something that may be done about hazards. */
export interface Candidate {
  /** What is changed, in words, and in this order. */
  readonly changes: readonly string[];
  readonly policy: CheckedPolicy;
  readonly kernel: KernelVersion;
}

/** User tables are freed with their own flush, and never deferred (docs/rules.md 11). */
const NEVER_DEFERRED: readonly Site[] = ["user", "zap_pte_range"];

const hooked = ({ hooks }: Policy): boolean => hooks.kernelRange || hooks.flushAll;

/** All single changes. A change that only ever takes protection away is none; nor is one that takes SVA away. */
const changes: readonly Change[] = [
  {
    what: "flush_tlb_kernel_range() invalidates the IOMMU",
    of: ({ hooks }) => (hooks.kernelRange ? undefined : { hooks: { ...hooks, kernelRange: true } }),
  },
  {
    what: "flush_tlb_all() invalidates the IOMMU",
    of: ({ hooks }) => (hooks.flushAll ? undefined : { hooks: { ...hooks, flushAll: true } }),
  },
  {
    what: "of flushes only those invalidate that free a table",
    of: (policy) => (policy.onlyTableFrees || !hooked(policy) ? undefined : { onlyTableFrees: true }),
  },
  {
    what: "flushes wait for the invalidation",
    of: (policy) => (policy.timing === "synchronous" ? undefined : { timing: "synchronous" }),
  },
  {
    what: "a flush of a range invalidates all of the PASID",
    of: (policy) => (policy.scope !== "range" || !hooked(policy) ? undefined : { scope: "pasid" }),
  },
  {
    what: "tables with the kernel's mark are freed by deferred work, which invalidates first",
    of: ({ free }) => (free === "deferred" ? undefined : { free: "deferred" }),
  },
  {
    what: "the deferred work takes its list before it invalidates",
    of: ({ free, worker }) =>
      free === "immediate" || worker === "takes-list-first" ? undefined : { worker: "takes-list-first" },
  },
  ...sites
    .filter((site) => !NEVER_DEFERRED.includes(site))
    .map(
      (site): Change => ({
        what: `tables of ${site}() without the mark are deferred, too`,
        of: ({ free, deferUnmarkedOf }) =>
          free === "immediate" || deferUnmarkedOf.includes(site)
            ? undefined
            : { deferUnmarkedOf: [...deferUnmarkedOf, site] },
      }),
    ),
  {
    what: "the IOMMU gets a root without the kernel half",
    of: ({ root }) => (root === "shared" ? { root: "user-only" } : undefined),
  },
];

/** The policy as it is, then every policy that one more change makes of one of `before`; each set of changes once. */
export function withOneChangeMore(before: readonly Candidate[]): Candidate[] {
  return before.flatMap(({ changes: made, policy, kernel }) => {
    const last = changes.findIndex(({ what }) => what === made.at(-1));
    // Changes are made in the order of the list, so that each set comes once.
    return changes.slice(last + 1).flatMap(({ what, of }) => {
      const change = of(policy);
      if (!change) return [];
      const all = [...made, what];
      return [{ changes: all, policy: named({ ...policy, ...change }, all.join("; ")), kernel }];
    });
  });
}

/** What later kernels do, by themselves. */
export function laterKernels(kernel: KernelVersion): Candidate[] {
  const at = kernelRecords.findIndex(({ version }) => version === kernel);
  return kernelRecords.slice(at + 1).map(({ version, ships }) => {
    const what = `what Linux ${version} does`;
    return { changes: [what], policy: named(checkPolicy(ships), what), kernel: version };
  });
}

/** Nothing changed. */
export function unchanged(given: unknown, asked: string | undefined): Candidate {
  const { version, record } = resolveKernel(asked, "kernel");
  // A kernel that refuses SVA is safe, and of no use to who wants it.
  const own = record.ships === "sva-off" ? "none" : record.ships;
  return { changes: [], policy: named(checkPolicy(given ?? own, "from"), "as it is"), kernel: version };
}

function named(policy: Policy, name: string): CheckedPolicy {
  const { about: _about, ...fields } = policy;
  return checkPolicy({ ...fields, name });
}
