// Cells that an exploration cannot tell apart, so that one does for all of them. What is listed here cannot be noticed in a row, each with
// its reason; all else is taken to be noticed (docs/decisions/15-proofs-by-states.md). Explorations look whether it is so (successors.ts).

import { type CheckedPolicy, checkPolicy, type Policy, policies } from "../../kernel/policies.js";
import { noticedByCpus } from "../../kernel/policy.js";
import type { KernelRecord } from "../../kernel/versions.js";
import { siteRecord } from "../../program/sites.js";
import type { CpuOptions, IommuOptions } from "../options.js";
import type { Scenario } from "../scenarios.js";
import type { AgentKind } from "../stage.js";

/** A cell, as far as its exploration goes. */
export interface Explorable {
  policy: CheckedPolicy;
  agent: AgentKind;
  hardware: IommuOptions | CpuOptions;
  scenario: Scenario;
}

/** What the free of a row does that a policy may do something about, its set-up included. */
export interface RowActs {
  /** It calls flush_tlb_kernel_range(), flush_tlb_all(). */
  readonly kernelRange: boolean;
  readonly flushAll: boolean;
  /** It frees tables that a policy with deferred frees gives to its worker. */
  readonly defers: boolean;
}

/** What a row does under a policy that defers frees, or would. */
export function actsOf(scenario: Scenario, { deferUnmarkedOf }: Policy, { traits }: KernelRecord): RowActs {
  const { site, user, boot } = scenario;
  const { flush, marks: usual } = siteRecord(site);
  const marks = scenario.marks ?? usual;
  const marked = marks === "kernel" || (marks === "split" && traits.includes("splitsMarked"));
  return {
    kernelRange: flush === "kernelRange",
    // A split ends with flush_tlb_all().
    flushAll: flush === "flushAll" || scenario.split === true,
    // freeTable() in the engine: user tables never, nor boot memory; others by their mark, or by their site.
    defers: !user && !boot && (marked || deferUnmarkedOf.includes(site)),
  };
}

/** Whether deferred work can ever have anything to do. */
export function hasWorkIn(scenario: Scenario, policy: CheckedPolicy, agent: AgentKind, record: KernelRecord): boolean {
  const { free, hooks, timing } = noticedPolicy(scenario, policy, record);
  return free === "deferred" || (agent === "iommu" && timing === "work" && (hooks.kernelRange || hooks.flushAll));
}

/** Cells of one kernel with the same key have the same exploration: the same states, transitions and programs. */
export function alikeKey({ policy, agent, hardware, scenario }: Explorable, record: KernelRecord): string {
  const seen = noticedPolicy(scenario, policy, record);
  const { name: _name, about: _about, ...fields } = seen;
  if ("invlpgScope" in hardware) {
    return JSON.stringify([agent, rowOfCpus(scenario), noticedByCpus(seen), noticedCpu(hardware, record)]);
  }
  return JSON.stringify([agent, scenario.name, fields, noticedIommu(scenario, hardware)]);
}

/**
 * A row by name; one of two that are the same to CPUs. Who made a table that vmalloc() finds in its way decides its mark, which is asked for
 * above, and the U/S of the entry that names it: kernel leaves refuse user mode, whatever that says.
 */
function rowOfCpus({ name, site, split }: Scenario): string {
  return split && site === "pmd_free_pte_page" ? site : name;
}

/** A policy whose fields are as in `none` where the row does nothing that asks for them. */
function noticedPolicy(scenario: Scenario, policy: CheckedPolicy, record: KernelRecord): CheckedPolicy {
  const { about: _about, ...fields } = policy;
  const acts = actsOf(scenario, policy, record);
  const kernelRange = policy.hooks.kernelRange && acts.kernelRange;
  const flushAll = policy.hooks.flushAll && acts.flushAll;
  const { onlyTableFrees, timing, free, worker, deferUnmarkedOf, scope } = policies.none;
  const hooked = kernelRange || flushAll;
  const defers = policy.free === "deferred" && acts.defers;
  return checkPolicy({
    ...fields,
    hooks: { kernelRange, flushAll },
    // Which flushes, and when: asked after a flush that is hooked.
    ...(!hooked && { onlyTableFrees, timing }),
    // Of other sites no table is freed.
    ...(defers
      ? { deferUnmarkedOf: policy.deferUnmarkedOf.filter((site) => site === scenario.site) }
      : { free, worker, deferUnmarkedOf }),
    // How much: asked by hooked flushes and by the worker.
    ...(!hooked && !defers && { scope }),
  });
}

/** Options of an IOMMU, but for those that nothing of the row comes to. */
function noticedIommu({ user, split }: Scenario, options: IommuOptions): Partial<IommuOptions> {
  const { cacheSupervisorLeaves, supervisorEntries, deviceTlb, ...others } = options;
  // Page requests are sent for what is refused, whatever it was.
  if (options.pageRequests) return options;
  return {
    ...others,
    // User addresses have no leaf with U/S = 0; kernel addresses no other, so that no translation of one is ever granted, or put into the
    // device's TLB, but in a hazard.
    ...(user ? { deviceTlb } : { cacheSupervisorLeaves }),
    // Only a split makes entries with U/S = 0 that are no leaves.
    ...(split && { supervisorEntries }),
  };
}

/** The same of a CPU: INVLPGB is there for kernels that use it. */
function noticedCpu({ invlpgb, ...others }: CpuOptions, { traits }: KernelRecord): CpuOptions {
  return { ...others, invlpgb: invlpgb && traits.includes("usesInvlpgb") };
}
