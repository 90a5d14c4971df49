// What a run measures: blocks of cases that the same contestants play.
import { join } from "node:path";
import type { EffortName, SuiteName } from "../src/benchmark/result.js";
import type { BenchOptions } from "../src/cli/bench-contract.js";
import { API_TABLE, apiCases } from "./api-tasks.js";
import { BASELINE, type Baseline } from "./baseline.js";
import { writeCase } from "./case-file.js";
import { planCases, type SizesName, sizesByName } from "./cases.js";
import type { Entrant } from "./contender.js";
import { nativeEntrant, READS_TOO, readingEntrants, runtimeEntrant, workerEntrant } from "./contender.js";
import type { NativeBuild } from "./contestants/compile.js";
import { curves, REPLAYS, SYNTHETIC_REPLAY } from "./growth.js";
import { pointOf, sizesOf } from "./growth-curve.js";
import { kernelField } from "./kernel-tasks.js";
import { KERNEL_PIECE, kernelPieces, kernelPolicies, kernelTables } from "./kernel-work.js";
import type { Runtime } from "./runtimes.js";
import { javascriptField, ramField } from "./table-tasks.js";
import { imageTables, nameOfImage } from "./tables/images.js";
import { quickScale, syntheticTables } from "./tables/synthetic.js";
import type { Spec } from "./tasks.js";
import { SYNTHETIC } from "./trace-tasks.js";
import { type Traces, traceTable } from "./traces.js";
import { VERDICT_TABLE, verdictCells } from "./verdict-tasks.js";
import type { TableSet } from "./world.js";
import { YARDSTICK, yardstickFile } from "./yardstick/index.js";

/** Cases of one table. */
export interface Block {
  suite: SuiteName;
  table: string;
  unit: string;
  cases: string[];
  entrants: Entrant[];
  /** Contestants that do other work than the first: they are compared with themselves only. */
  otherWork?: readonly string[];
  /** Contestants that may come to another result, since their rules are others: named so then. */
  otherRules?: readonly string[];
  /** What grows from case to case, of a curve, and how much of it each case has. */
  grows?: { of: string; sizes: Readonly<Record<string, number>> };
}

/** What is there to measure with. */
export interface Material {
  /** Builds of the native contestant, if there are any. */
  builds: readonly NativeBuild[];
  images: readonly string[];
  traces: Traces;
  /** Another build that plays beside this one. */
  baseline: Baseline | undefined;
  /** What runs stalewalk, if this is not about contestants; else none. */
  runtimes: readonly Runtime[];
  /** Where files of cases are written. */
  folder: string;
}

/** A block before its cases are built. */
interface BlockPlan {
  suite: SuiteName;
  table: string;
  cases: readonly string[];
  build(cases: string[]): Promise<Block>;
}

const IN_RAM = "synthetic 4-level, in guest RAM";
/** What of a translation reaches tables. */
const RAM_CASES = ["L1 hit", "full walk"];
/** The blocks of a run, with only the cases that the filter takes. @throws Error if it takes none */
export async function planBlocks(options: BenchOptions, material: Material): Promise<Block[]> {
  const plans = options.suites.flatMap((suite) =>
    allPlans(options.effort, material).filter((it) => it.suite === suite),
  );
  const { filter } = options;
  const wanted = plans.flatMap((plan) => {
    const cases = plan.cases.filter((name) => filter?.test(`${plan.table}: ${name}`) ?? true);
    return cases.length > 0 ? [{ plan, cases }] : [];
  });
  if (wanted.length === 0) {
    const labels = plans.flatMap(({ table, cases }) => cases.map((name) => `${table}: ${name}`));
    throw new Error(
      `--filter ${filter?.source} matches none of the cases of ${options.suites.join(", ")}: ${labels.join("; ")}`,
    );
  }
  const blocks: Block[] = [];
  for (const { plan, cases } of wanted) blocks.push(await plan.build(cases));
  return options.against ? onlyAgainst(blocks, options.against) : blocks;
}

/** @throws Error for a name that no contestant has */
function onlyAgainst(blocks: readonly Block[], names: readonly string[]): Block[] {
  const all = [...new Set(blocks.flatMap(({ entrants }) => entrants.slice(1).map(({ name }) => name)))];
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new Error(`--against ${unknown}: no contestant of these cases; there are ${all.join(", ")}`);
  return blocks.map((block) => ({
    ...block,
    entrants: block.entrants.filter(({ name }, i) => i === 0 || names.includes(name)),
  }));
}

function allPlans(effort: EffortName, material: Material): BlockPlan[] {
  const sizes = effort === "quick" ? "quick" : "full";
  const scale = effort === "quick" ? quickScale : 1;
  const synthetic = { name: "synthetic 4-level", mixes: 2, load: async () => syntheticTables(scale) } as const;
  const images = material.images.map((path) => ({
    name: nameOfImage(path),
    mixes: 1 as const,
    load: () => imageTables(path),
  }));
  return [
    ...growthPlans(effort, material),
    ...[synthetic, ...images].flatMap(({ name, mixes, load }) => tablePlans(name, mixes, load, sizes, material)),
    ...ramPlans(synthetic.load, sizes, material),
    plainPlan(
      "translate",
      API_TABLE,
      "operation",
      apiCases,
      [
        ...field(["stalewalk"], { kind: "api", scale, sizes }, material),
        ...(material.runtimes.length > 0
          ? []
          : [workerEntrant(YARDSTICK, { kind: "api", scale, sizes }, { kind: "file", path: yardstickFile })]),
      ],
      { otherRules: OTHER_RULES },
    ),
    ...kernelPlans(effort, material),
    ...tracePlans(material),
    plainPlan(
      "verdicts",
      VERDICT_TABLE,
      "cell",
      [...verdictCells.keys()].slice(0, effort === "quick" ? -1 : undefined),
      field(["stalewalk"], { kind: "verdicts" }, material),
      { otherRules: OTHER_RULES },
    ),
  ];
}

/** Versions whose rules are others may come to other results, where rules have changed since. */
const OTHER_RULES = [YARDSTICK, BASELINE];

/** Contestants in workers, and the other build beside them; or the first of them in all runtimes. */
function field(
  names: readonly string[],
  spec: Spec,
  { baseline, runtimes }: Pick<Material, "baseline" | "runtimes">,
): Entrant[] {
  const [own = ""] = names;
  if (runtimes.length > 0) return runtimes.map((runtime) => runtimeEntrant(runtime, spec, own));
  const all = names.map((name) => workerEntrant(name, spec));
  if (baseline && !names.includes(baseline.name)) all.push(workerEntrant(baseline.name, spec, baseline.source));
  return all;
}

function plainPlan(
  suite: SuiteName,
  table: string,
  unit: string,
  cases: readonly string[],
  entrants: Entrant[],
  more: Pick<Block, "otherWork" | "otherRules" | "grows"> = {},
): BlockPlan {
  return { suite, table, cases, build: async (chosen) => ({ suite, table, unit, cases: chosen, entrants, ...more }) };
}

function growthPlans(effort: EffortName, material: Material): BlockPlan[] {
  return curves.map((curve) => {
    const { table, of, unit } = curve;
    const sizes = Object.fromEntries(sizesOf(curve, effort).map((size) => [pointOf(curve, size), size]));
    const entrants = field(["stalewalk"], { kind: "growth", table }, material);
    return plainPlan("growth", table, unit, Object.keys(sizes), entrants, {
      otherRules: OTHER_RULES,
      grows: { of, sizes },
    });
  });
}

function kernelPlans(effort: EffortName, material: Material): BlockPlan[] {
  const operations = kernelPieces[effort] * KERNEL_PIECE;
  return Object.entries(kernelTables).map(([table, pattern]) => {
    const entrants = field(Object.keys(kernelField), { kind: "kernel", operations, pattern }, material);
    return plainPlan("kernel", table, "operation", kernelPolicies, entrants, {
      otherRules: OTHER_RULES,
    });
  });
}

function tracePlans({ traces: { read, played, zcat }, baseline, runtimes }: Material): BlockPlan[] {
  const table = read.length === 1 ? traceTable(read[0] as string) : `${read.length} traces`;
  const players = field(["stalewalk", SYNTHETIC], { kind: "trace", path: played }, { baseline, runtimes });
  const synthetic = field(["stalewalk"], { kind: "growth", table: REPLAYS }, { baseline, runtimes });
  const more = { otherWork: [SYNTHETIC, READS_TOO], otherRules: OTHER_RULES };
  return [
    // What reads is a process of Node with the command beside it.
    ...(runtimes.length > 0
      ? []
      : [plainPlan("replay", table, "line", ["read"], readingEntrants(read, zcat, baseline), more)]),
    plainPlan("replay", traceTable(played), "operation", ["play"], players, more),
    plainPlan("replay", REPLAYS, "operation", [SYNTHETIC_REPLAY], synthetic, more),
  ];
}

/** Tables in guest RAM beside the frame store; one set is enough. */
function ramPlans(load: () => Promise<TableSet>, sizes: SizesName, material: Material): BlockPlan[] {
  const plans = tablePlans(
    IN_RAM,
    1,
    load,
    sizes,
    { ...material, builds: [], baseline: undefined },
    // The first is what the others are compared with: the frame store, which has rows of its own where runtimes are compared.
    Object.keys(ramField).slice(material.runtimes.length > 0 ? 1 : 0),
  );
  return plans
    .filter(({ suite }) => suite === "translate")
    .map((plan) => ({ ...plan, cases: plan.cases.filter((name) => RAM_CASES.includes(name)) }));
}

/** Cases over one set of tables: translations and flushes are two blocks. */
function tablePlans(
  table: string,
  mixes: 1 | 2,
  load: () => Promise<TableSet>,
  sizes: SizesName,
  { builds, folder, baseline, runtimes }: Material,
  names: readonly string[] = Object.keys(javascriptField),
): BlockPlan[] {
  const plans = planCases(sizesByName[sizes], mixes);
  let set: Promise<TableSet> | undefined;
  return (["translate", "flush"] as const).map((suite) => {
    const own = plans.filter((plan) => plan.suite === suite);
    return {
      suite,
      table,
      cases: own.map(({ name }) => name),
      async build(cases) {
        set ??= load();
        const files: Record<string, string> = {};
        for (const plan of own.filter(({ name }) => cases.includes(name))) {
          const file = join(folder, `${table}, ${plans.indexOf(plan)}.case`);
          writeCase(file, plan.build(await set));
          files[plan.name] = file;
        }
        const [present, ...others] = field(names, { kind: "tables", files }, { baseline, runtimes });
        const entrants = [present as Entrant, ...builds.map((build) => nativeEntrant(build, files)), ...others];
        return { suite, table, unit: "operation", cases, entrants };
      },
    };
  });
}
