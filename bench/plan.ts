// What a run measures: one piece of work after the other, each with its share of the time that is left.
import type { BenchRow, SuiteName } from "../src/benchmark/result.js";
import type { BenchOptions } from "../src/cli/bench-contract.js";
import { measureApi } from "./api-rows.js";
import { type CasePlan, fullSizes, planCases, quickSizes, type Sizes } from "./cases.js";
import type { NativeBuild } from "./contestants/compile.js";
import { kernelPolicies, measureKernel } from "./kernel-rows.js";
import { measureCase, ramField } from "./measure.js";
import type { Effort } from "./rows.js";
import { imageTables } from "./tables/images.js";
import { syntheticTables } from "./tables/synthetic.js";
import { measurePlaying, measureReading, type Traces } from "./trace-rows.js";
import { measureVerdicts } from "./verdict-rows.js";
import type { TableSet } from "./world.js";

/** One piece of work. */
export interface Job {
  suite: SuiteName;
  /** What `--filter` looks at, and progress says. */
  label: string;
  /** Its share of the time, beside others. */
  weight: number;
  /** Rows that belong to one table come one after the other. */
  run(effort: Effort, onStep: (step: string) => void): Promise<{ rows: BenchRow[]; notes?: string[] }>;
}

/** What is there to measure with. */
export interface Material {
  /** Builds of the native contestant, if there are any. */
  builds: readonly NativeBuild[];
  images: readonly string[];
  traces: Traces;
}

const KERNEL_OPERATIONS = { quick: 200_000, usual: 2_000_000, full: 10_000_000 };
const IN_RAM = "synthetic 4-level, in guest RAM";
const QUICK_SCALE = 1 / 8;

/** The work of a run, in order; `filter` has been applied. */
export function planJobs({ suites, effort, filter }: BenchOptions, material: Material): Job[] {
  const sizes = effort === "quick" ? quickSizes : fullSizes;
  const sets = [
    { name: "synthetic 4-level", mixes: 2, load: async () => syntheticTables(effort === "quick" ? QUICK_SCALE : 1) },
    ...(effort === "quick" ? [] : material.images).map((path) => ({
      name: nameOfImage(path),
      mixes: 1,
      load: () => imageTables(path),
    })),
  ] as const;
  const jobs = [
    ...sets.flatMap(({ name, mixes, load }) => {
      const set = once(load);
      return planCases(sizes, mixes as 1 | 2).map((plan) => caseJob(name, plan, set, material.builds));
    }),
    ...ramJobs(once(sets[0].load), sizes),
    apiJob(once(sets[0].load), sizes),
    ...kernelPolicies.map((policy): Job => {
      return {
        suite: "kernel",
        label: `kernel programs: ${policy}`,
        weight: 3,
        async run(limits, onStep) {
          const { rows, counts } = measureKernel(policy, KERNEL_OPERATIONS[effort], limits, onStep);
          const { tablesFreed, iommuRounds, hazards } = counts;
          const note = `${policy}: ${tablesFreed} tables freed, ${iommuRounds} rounds of IOMMU invalidation, ${hazards} hazards`;
          return { rows, notes: [note] };
        },
      };
    }),
    ...traceJobs(material.traces),
    {
      suite: "verdicts",
      label: "verdicts",
      weight: 3,
      run: async (limits, onStep) => ({ rows: await measureVerdicts(limits, onStep) }),
    } satisfies Job,
  ];
  const wanted = jobs.filter(({ suite, label }) => suites.includes(suite) && (filter?.test(label) ?? true));
  return suites.flatMap((suite) => wanted.filter((job) => job.suite === suite));
}

function caseJob(set: string, plan: CasePlan, load: () => Promise<TableSet>, builds: readonly NativeBuild[]): Job {
  return {
    suite: plan.suite,
    label: `${set}: ${plan.name}`,
    weight: 1,
    async run(effort, onStep) {
      onStep("building");
      return { rows: (await measureCase(plan.suite, plan.build(await load()), builds, effort, onStep)).rows };
    },
  };
}

/** What of a translation reaches tables, with tables in guest RAM beside the frame store; one set is enough. */
function ramJobs(load: () => Promise<TableSet>, sizes: Sizes): Job[] {
  const plans = planCases(sizes, 1).filter(({ name }) => name === "L1 hit" || name === "full walk");
  return plans.map((plan) => ({
    suite: plan.suite,
    label: `${IN_RAM}: ${plan.name}`,
    weight: 1,
    async run(effort, onStep) {
      onStep("building");
      const built = plan.build({ ...(await load()), name: IN_RAM });
      return { rows: (await measureCase(plan.suite, built, [], effort, onStep, ramField)).rows };
    },
  }));
}

// The API costs the same whatever the tables are: one set is enough.
function apiJob(load: () => Promise<TableSet>, sizes: Sizes): Job {
  return {
    suite: "translate",
    label: "through the API",
    weight: 3,
    async run(effort, onStep) {
      onStep("measuring");
      const set = await load();
      const [hot] = planCases(sizes, 1) as [CasePlan];
      return { rows: measureApi(set, hot.build(set).program, sizes, effort) };
    },
  };
}

function traceJobs({ read, played }: Traces): Job[] {
  return [
    {
      suite: "replay",
      label: "traces: read",
      weight: 3,
      run: async (effort, onStep) => ({ rows: measureReading(read, effort, onStep) }),
    },
    {
      suite: "replay",
      label: "traces: play",
      weight: 3,
      run: async (effort, onStep) => ({ rows: await measurePlaying(played, effort, onStep) }),
    },
  ];
}

function nameOfImage(path: string): string {
  return (path.split(/[\\/]/).at(-1) as string).replace(/\.core(\.gz)?$/, "");
}

/** Loads at first use. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}
