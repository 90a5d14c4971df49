// One cell of the matrix as the fragment names it: agent, hardware, kernel, policy, site.

import { defaultKernel, type PolicyName, policies, resolveKernel } from "../../src/index.js";
import {
  type AgentKind,
  type CpuChangeName,
  type CpuOptions,
  changedCpu,
  changedIommu,
  cpuChangeNames,
  type IommuChangeName,
  type IommuOptions,
  iommuChangeNames,
  type ScenarioName,
  scenarioNames,
  usualCpu,
  type VerdictRecord,
} from "../../src/verdicts/index.js";
import type { Search } from "./protocol.js";

/** Hardware by names: what is not as usual. */
export interface Hardware {
  agent: AgentKind;
  /** Of an IOMMU: every change. */
  changes: readonly IommuChangeName[];
  /** Of a CPU: which one; none: the usual one. */
  cpu: CpuChangeName | undefined;
}

/** A cell. */
export interface Cell extends Hardware {
  kernel: string;
  policy: PolicyName;
  scenario: ScenarioName;
}

/** Every policy that has a name, in the order of the patch's history. */
export const policyNames = Object.keys(policies) as PolicyName[];

const oneOf = <Name extends string>(names: readonly Name[], name: string | null): Name | undefined =>
  names.find((it) => it === name);

/** The hardware that parameters name. */
export function hardwareOf(parameters: URLSearchParams): Hardware {
  const named = (parameters.get("hardware") ?? "").split(",");
  return {
    agent: parameters.get("agent") === "cpu" ? "cpu" : "iommu",
    changes: iommuChangeNames.filter((name) => named.includes(name)),
    cpu: oneOf(cpuChangeNames, named[0] ?? null),
  };
}

/** A version of Linux that parameters name; the newest, if it is none. */
export function kernelOf(parameters: URLSearchParams, name = "kernel"): string {
  const text = parameters.get(name);
  if (text === null || !/^\d+\.\d+(?:\.\d+)?$/.test(text)) return defaultKernel;
  return resolveKernel(text).version;
}

/** The cell that parameters name. */
export function cellOf(parameters: URLSearchParams): Cell {
  return {
    ...hardwareOf(parameters),
    kernel: kernelOf(parameters),
    policy: oneOf(policyNames, parameters.get("policy")) ?? "none",
    scenario: oneOf(scenarioNames, parameters.get("site")) ?? scenarioNames[0] ?? "pmd_free_pte_page",
  };
}

/** Parameters of hardware, as {@link hardwareOf} reads them. */
export function hardwareParameters({ agent, changes, cpu }: Hardware): Record<string, string | undefined> {
  return { agent: agent === "cpu" ? "cpu" : undefined, hardware: agent === "cpu" ? cpu : changes.join(",") };
}

/** A kernel as {@link kernelOf} reads it. */
export function kernelParameter(kernel: string): string | undefined {
  return kernel === defaultKernel ? undefined : kernel;
}

/** Parameters of a cell, as {@link cellOf} reads them. */
export function cellParameters(cell: Cell): Record<string, string | undefined> {
  return {
    policy: cell.policy,
    site: cell.scenario,
    kernel: kernelParameter(cell.kernel),
    ...hardwareParameters(cell),
  };
}

/** The hardware's options. */
export function optionsOf({ agent, changes, cpu }: Hardware): IommuOptions | CpuOptions {
  if (agent === "iommu") return changedIommu(changes);
  return cpu === undefined ? usualCpu : changedCpu(cpu);
}

/** What to search for this hardware and kernel. */
export function searchOf(hardware: Hardware, kernel: string): Search {
  const options = optionsOf(hardware);
  return "invlpgScope" in options
    ? { kernel, agents: ["cpu"], cpus: [options] }
    : { kernel, agents: ["iommu"], hardware: [options] };
}

/** How cells are proved: up to how many states, and whether also without each thing that the policy does. */
export interface Proving {
  states: number;
  explain?: boolean;
}

/** Most states of a cell that is proved, as the library has it, and less for who does not want to wait. */
export const STATE_LIMITS = [2_000_000, 200_000, 20_000, 2000] as const;

/** What parameters ask for: `prove=1`, and `states` for another limit. */
export function provingOf(parameters: URLSearchParams): Proving | undefined {
  if (parameters.get("prove") !== "1") return undefined;
  return { states: STATE_LIMITS.find((limit) => String(limit) === parameters.get("states")) ?? STATE_LIMITS[0] };
}

/** Parameters of a proof, as {@link provingOf} reads them. */
export function provingParameters(proving: Proving | undefined): Record<string, string | undefined> {
  const usual = proving === undefined || proving.states === STATE_LIMITS[0];
  return { prove: proving && "1", states: usual ? undefined : String(proving.states) };
}

/** What of this a record lacks: a hazard needs no proof, and what was explored to its end none with more states. */
export function lacksProof({ verdict, proof, raceProof, restsOn }: VerdictRecord, wanted: Proving): boolean {
  if (verdict === "hazard") return false;
  if (!proof) return true;
  const ended = proof.ended ?? raceProof?.ended;
  if (ended && Math.max(proof.states, raceProof?.states ?? 0) < wanted.states) return true;
  return wanted.explain === true && proof.closed && !restsOn;
}

/** Options of a proof. */
export function proofOptions({ states, explain }: Proving): Pick<Search, "prove" | "maxStates" | "explainSafe"> {
  return { prove: true, maxStates: states, ...(explain && { explainSafe: true }) };
}
