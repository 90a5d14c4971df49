// A plan of a sweep: axes, whose every combination is a job. The file's schema, and the jobs that it comes to.

import {
  boolean,
  either,
  fileObject,
  integer,
  isObject,
  kept,
  list,
  object,
  omissible,
  oneOf,
  parse,
  type Schema,
  text,
} from "../base/schema.js";
import { checkPolicy, type Policy, type PolicyName, policies } from "../kernel/policies.js";
import { namedPolicySchema } from "../kernel/policy.js";
import { defaultKernel, resolveKernel } from "../kernel/versions.js";
import { type ProfileName, profiles, replayHardware } from "../replay/index.js";
import { type IommuChangeName, iommuChangeNames } from "../verdicts/index.js";
import { namedPolicy } from "../verdicts/plan.js";
import { type ScenarioName, scenarioNames, scenariosOf } from "../verdicts/scenarios.js";

/** A policy, by name or whole. */
export type Named = PolicyName | Partial<Policy>;

/** Axes of verdicts: a job is a cell of an IOMMU. */
export interface VerdictAxes {
  /** Versions of Linux; default: the newest that is known, or as a profile says. */
  readonly kernels?: readonly string[];
  /** Presets by name, or policies whole, each with a name; default: all presets. */
  readonly policies?: readonly Named[];
  /** Default: all that a kernel has. */
  readonly sites?: readonly ScenarioName[];
  /** Each a list of changes of the usual hardware; default: the usual hardware. */
  readonly hardware?: readonly (readonly IommuChangeName[])[];
  /** Whether cells are proved; default: searched. */
  readonly prove?: boolean;
  /** Most moves of a search. */
  readonly depth?: number;
  /** Whether walks stop between two reads. */
  readonly walks?: "atomic" | "stepwise";
  /** Most states of a proof. */
  readonly maxStates?: number;
}

/** Axes of simulations: a job is a profile under a policy. */
export interface SimulationAxes {
  /** Profiles by name; default: all. */
  readonly profiles?: readonly ProfileName[];
  /** Versions of Linux; default: the newest that is known, or as a profile says. */
  readonly kernels?: readonly string[];
  /** Presets by name, or policies whole, each with a name; default: all presets. */
  readonly policies?: readonly Named[];
  /** Caches by name; default `skylake`. */
  readonly geometries?: readonly string[];
  /** Seeds; default 1. */
  readonly seeds?: readonly number[];
  /** Operations that are played. */
  readonly operations?: number;
}

/** Axes of replays: a job is a trace under a policy. */
export interface ReplayAxes {
  /** Files of traces. */
  readonly traces: readonly string[];
  /** Presets by name, or policies whole, each with a name; default: all presets. */
  readonly policies?: readonly Named[];
  /** Caches by name; default `skylake`. */
  readonly geometries?: readonly string[];
  /** Seeds; default 1. */
  readonly seeds?: readonly number[];
}

/** What is swept over. */
export interface SweepPlan {
  /** Cells. */
  readonly verdicts?: VerdictAxes;
  /** Simulations. */
  readonly simulate?: SimulationAxes;
  /** Replays. */
  readonly replay?: ReplayAxes;
}

/** One job: everything that it needs, as data. */
export type SweepJob =
  | {
      /** What sort of job it is. */
      readonly kind: "verdict";
      /** Which Linux. */
      readonly kernel: string;
      /** A preset by name, or a policy whole. */
      readonly policy: Named;
      /** The row. */
      readonly site: ScenarioName;
      /** The IOMMU, by what it has or by changes of the usual one. */
      readonly hardware: readonly IommuChangeName[];
      /** Whether cells are proved; default: searched. */
      readonly prove: boolean;
      /** Most moves of a search. */
      readonly depth?: number;
      /** Whether walks stop between two reads. */
      readonly walks?: "atomic" | "stepwise";
      /** Most states of a proof. */
      readonly maxStates?: number;
    }
  | {
      /** What sort of job it is. */
      readonly kind: "simulate";
      /** The profile. */
      readonly profile: ProfileName;
      /** Which Linux. */
      readonly kernel?: string;
      /** A preset by name, or a policy whole. */
      readonly policy: Named;
      /** Caches by name. */
      readonly geometry: string;
      /** The seed. */
      readonly seed: number;
      /** Operations that are played. */
      readonly operations: number;
    }
  | {
      /** What sort of job it is. */
      readonly kind: "replay";
      /** The file of a trace. */
      readonly trace: string;
      /** A preset by name, or a policy whole. */
      readonly policy: Named;
      /** Caches by name. */
      readonly geometry: string;
      /** The seed. */
      readonly seed: number;
    };

const policyNames = Object.keys(policies) as PolicyName[];
const profileNames = Object.keys(profiles) as ProfileName[];
const geometryNames = Object.keys(replayHardware);
const MOST_STATES = 2 ** 30;
const OPERATIONS = 100_000;

const some = <T extends Schema<unknown>>(item: T, what: string) => omissible(list(item, `a list of ${what}`, 1));
/** Names, or policies whole. */
const policyList = some(kept(either(oneOf(policyNames), namedPolicySchema)), "policies");
const kernels = some(text("a version of Linux"), "versions of Linux");
const geometries = some(oneOf(geometryNames), "geometries");
const seeds = some(integer(0, 0xffff_ffff), "seeds");

/** A plan, as a file has it. @internal */
export const sweepPlanSchema = fileObject(
  {
    verdicts: omissible(
      object({
        kernels,
        policies: policyList,
        sites: some(oneOf(scenarioNames), "sites"),
        hardware: some(list(oneOf(iommuChangeNames), "a list of changes"), "lists of changes"),
        prove: omissible(boolean()),
        depth: omissible(integer(1, 5)),
        walks: omissible(oneOf(["atomic", "stepwise"])),
        maxStates: omissible(integer(1, MOST_STATES)),
      }),
    ),
    simulate: omissible(
      object({
        profiles: some(oneOf(profileNames), "profiles"),
        kernels,
        policies: policyList,
        geometries,
        seeds,
        operations: omissible(integer(1000, 1e9)),
      }),
    ),
    replay: omissible(
      object({ traces: list(text("a file"), "a list of files", 1), policies: policyList, geometries, seeds }),
    ),
  },
  "a plan with verdicts, simulate or replay",
);

/** Checks a plan. @throws InvalidOptionError */
export function checkPlan(value: unknown, field = "plan"): SweepPlan {
  const plan = parse(sweepPlanSchema as Schema<SweepPlan>, value, field);
  for (const [name, axes] of Object.entries(plan)) {
    if (!isObject(axes)) continue;
    for (const [i, policy] of ((axes as { policies?: Named[] }).policies ?? []).entries()) {
      namedPolicy(policy, `${field}.${name}.policies[${i}]`);
    }
    for (const [i, kernel] of ((axes as { kernels?: string[] }).kernels ?? []).entries()) {
      resolveKernel(kernel, `${field}.${name}.kernels[${i}]`);
    }
  }
  return plan;
}

/** All jobs of a plan, in an order that depends on the plan alone. */
export function jobsOf(plan: SweepPlan): SweepJob[] {
  return [...eachJob(plan)];
}

/** The same one by one: a plan may come to millions. @internal */
export function* eachJob({ verdicts, simulate, replay }: SweepPlan): Generator<SweepJob, void, void> {
  if (verdicts) yield* verdictJobs(verdicts);
  if (simulate) yield* simulationJobs(simulate);
  if (replay) yield* replayJobs(replay);
}

function* verdictJobs(axes: VerdictAxes): Generator<SweepJob, void, void> {
  const { prove = false, depth, walks, maxStates } = axes;
  const how = {
    prove,
    ...(depth !== undefined && { depth }),
    ...(walks !== undefined && { walks }),
    ...(maxStates !== undefined && { maxStates }),
  };
  for (const kernel of axes.kernels ?? [defaultKernel]) {
    const sites = scenariosOf(resolveKernel(kernel).record).map(({ name }) => name);
    const rows = sites.filter((name) => !axes.sites || axes.sites.includes(name));
    for (const policy of axes.policies ?? policyNames) {
      for (const hardware of axes.hardware ?? [[]]) {
        for (const site of rows) yield { kind: "verdict", kernel, policy, site, hardware, ...how };
      }
    }
  }
}

function* simulationJobs(axes: SimulationAxes): Generator<SweepJob, void, void> {
  const { operations = OPERATIONS, geometries: shapes = ["skylake"], seeds: numbers = [1] } = axes;
  const versions: readonly (string | undefined)[] = axes.kernels ?? [undefined];
  for (const profile of axes.profiles ?? profileNames) {
    for (const kernel of versions) {
      const own = kernel === undefined ? {} : { kernel };
      for (const policy of axes.policies ?? policyNames) {
        for (const geometry of shapes) {
          for (const seed of numbers) yield { kind: "simulate", profile, ...own, policy, geometry, seed, operations };
        }
      }
    }
  }
}

function* replayJobs(axes: ReplayAxes): Generator<SweepJob, void, void> {
  const { traces, geometries: shapes = ["skylake"], seeds: numbers = [1] } = axes;
  for (const trace of traces) {
    for (const policy of axes.policies ?? policyNames) {
      for (const geometry of shapes) {
        for (const seed of numbers) yield { kind: "replay", trace, policy, geometry, seed };
      }
    }
  }
}

/** The policy of a job, as calls of the library take it. */
export const policyOf = ({ policy }: SweepJob): Policy | PolicyName =>
  typeof policy === "string" ? policy : checkPolicy(policy);
