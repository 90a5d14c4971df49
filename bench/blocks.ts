// What a run measures: blocks of cases that the same contestants play.
import { join } from "node:path";
import type { EffortName, SuiteName } from "../src/benchmark/result.js";
import type { BenchOptions } from "../src/cli/bench-contract.js";
import { API_TABLE, apiCases } from "./api-tasks.js";
import { writeCase } from "./case-file.js";
import { planCases, type SizesName, sizesByName } from "./cases.js";
import type { Entrant } from "./contender.js";
import { nativeEntrant, readingEntrants, workerEntrant } from "./contender.js";
import type { NativeBuild } from "./contestants/compile.js";
import { KERNEL_PIECE, kernelField, kernelPolicies } from "./kernel-tasks.js";
import { javascriptField, ramField } from "./table-tasks.js";
import { imageTables, nameOfImage } from "./tables/images.js";
import { syntheticTables } from "./tables/synthetic.js";
import { SYNTHETIC } from "./trace-tasks.js";
import { type Traces, traceTable } from "./traces.js";
import { VERDICT_TABLE, verdictCells } from "./verdict-tasks.js";
import type { TableSet } from "./world.js";

/** Cases of one table. */
export interface Block {
  suite: SuiteName;
  table: string;
  unit: string;
  cases: string[];
  entrants: Entrant[];
  /** Contestants do other work than the first, and are compared with themselves only. */
  alone?: boolean;
  /** Contestants that may come to another result, since their rules are others: named so then. */
  otherRules?: readonly string[];
}

/** What is there to measure with. */
export interface Material {
  /** Builds of the native contestant, if there are any. */
  builds: readonly NativeBuild[];
  images: readonly string[];
  traces: Traces;
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
const QUICK_SCALE = 1 / 8;
/** Kernel programs: so many pieces. */
const KERNEL_PIECES = { quick: 4, usual: 24, full: 24 };

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
  return blocks;
}

function allPlans(effort: EffortName, material: Material): BlockPlan[] {
  const sizes = effort === "quick" ? "quick" : "full";
  const scale = effort === "quick" ? QUICK_SCALE : 1;
  const synthetic = { name: "synthetic 4-level", mixes: 2, load: async () => syntheticTables(scale) } as const;
  const images = material.images.map((path) => ({
    name: nameOfImage(path),
    mixes: 1 as const,
    load: () => imageTables(path),
  }));
  return [
    ...[synthetic, ...images].flatMap(({ name, mixes, load }) => tablePlans(name, mixes, load, sizes, material)),
    ...ramPlans(synthetic.load, sizes, material),
    plainPlan("translate", API_TABLE, "operation", apiCases, [
      workerEntrant("stalewalk", { kind: "api", scale, sizes }),
    ]),
    {
      ...plainPlan(
        "kernel",
        "kernel programs",
        "operation",
        kernelPolicies,
        Object.keys(kernelField).map((name) =>
          workerEntrant(name, { kind: "kernel", operations: KERNEL_PIECES[effort] * KERNEL_PIECE }),
        ),
        { otherRules: ["0.1.0"] },
      ),
    },
    ...tracePlans(material.traces),
    plainPlan(
      "verdicts",
      VERDICT_TABLE,
      "cell",
      [...verdictCells.keys()].slice(0, effort === "quick" ? -1 : undefined),
      [workerEntrant("stalewalk", { kind: "verdicts" })],
    ),
  ];
}

function plainPlan(
  suite: SuiteName,
  table: string,
  unit: string,
  cases: readonly string[],
  entrants: Entrant[],
  more: Pick<Block, "alone" | "otherRules"> = {},
): BlockPlan {
  return { suite, table, cases, build: async (chosen) => ({ suite, table, unit, cases: chosen, entrants, ...more }) };
}

function tracePlans({ read, played, zcat }: Traces): BlockPlan[] {
  const table = read.length === 1 ? traceTable(read[0] as string) : `${read.length} traces`;
  const players = ["stalewalk", SYNTHETIC].map((name) => workerEntrant(name, { kind: "trace", path: played }));
  return [
    plainPlan("replay", table, "line", ["read"], readingEntrants(read, zcat), { alone: true }),
    plainPlan("replay", traceTable(played), "operation", ["play"], players, { alone: true }),
  ];
}

/** Tables in guest RAM beside the frame store; one set is enough. */
function ramPlans(load: () => Promise<TableSet>, sizes: SizesName, material: Material): BlockPlan[] {
  const plans = tablePlans(IN_RAM, 1, load, sizes, { ...material, builds: [] }, Object.keys(ramField));
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
  { builds, folder }: Material,
  field: readonly string[] = Object.keys(javascriptField),
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
        const [first = "", ...rest] = field;
        const worker = (name: string) => workerEntrant(name, { kind: "tables", files });
        const entrants = [worker(first), ...builds.map((build) => nativeEntrant(build, files)), ...rest.map(worker)];
        return { suite, table, unit: "operation", cases, entrants };
      },
    };
  });
}
