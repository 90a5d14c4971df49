// What of the benchmark a browser can play: cases, contestants, and how a contestant at a case is opened. The same programs, names and
// results as `stalewalk bench --quick` has, so that the two can be compared row by row. No drawing here.

import { planCases, quickSizes } from "../../bench/cases.js";
import type { Check } from "../../bench/check.js";
import type { Contestant } from "../../bench/contestants/contestant.js";
import { naiveJs } from "../../bench/contestants/naive-js.js";
import { stalewalk } from "../../bench/contestants/stalewalk.js";
import { tunedJs } from "../../bench/contestants/tuned-js.js";
import { curves, REPLAYS, SYNTHETIC_REPLAY } from "../../bench/growth.js";
import { pointOf } from "../../bench/growth-curve.js";
import { openGrowthTask } from "../../bench/growth-tasks.js";
import { KERNEL_PIECE, kernelPieces, kernelPolicies, kernelTables, kernelTask } from "../../bench/kernel-work.js";
import { present } from "../../bench/library.js";
import { caseTask, checkCase, type Part } from "../../bench/table-case.js";
import { quickScale, syntheticTables } from "../../bench/tables/synthetic.js";
import type { Task } from "../../bench/task.js";
import { openTraceTask, SYNTHETIC, tableOfTrace } from "../../bench/trace-tasks.js";
import { openVerdictTask, VERDICT_TABLE, verdictCells } from "../../bench/verdict-tasks.js";
import type { SuiteName } from "../../src/benchmark/result.js";
import type { PolicyName } from "../../src/index.js";

/** Suites that are played here. */
export const pageSuites = [
  "translate",
  "flush",
  "kernel",
  "replay",
  "verdicts",
  "growth",
] as const satisfies readonly SuiteName[];

/** One of them. */
export type PageSuite = (typeof pageSuites)[number];

/** A trace that is played, as its file is. */
export interface GivenTrace {
  name: string;
  bytes: Uint8Array;
}

/** Cases of one table, and who plays them; the first is whom the others are compared with. */
export interface PageBlock {
  suite: PageSuite;
  table: string;
  unit: string;
  cases: readonly string[];
  contestants: readonly string[];
  /** Those that do other work than the first: they are compared with themselves only. */
  otherWork?: readonly string[];
  /** Of a curve: what grows, and how much of it each case has. */
  grows?: { of: string; sizes: readonly number[] };
}

const field: Readonly<Record<string, readonly [Contestant, Part]>> = {
  stalewalk: [stalewalk, "whole"],
  "tuned JS": [tunedJs, "tunedPart"],
  "naive JS": [naiveJs, "naivePart"],
};

const plans = planCases(quickSizes, 2);
const namesOf = (wanted: "translate" | "flush"): string[] =>
  plans.filter(({ suite }) => suite === wanted).map(({ name }) => name);

/** Curves of translations and of replays, and the largest point of each here: tables beyond it take longer to make than to walk. */
const CURVES: Readonly<Record<string, number>> = {
  "random access, all caches, by frames of tables": 10_000,
  "random access, no caches, by frames of tables": 10_000,
  "access in turns, by address spaces": 4096,
  [REPLAYS]: 1_000_000,
};

const growth = curves
  .filter(({ table }) => table in CURVES)
  .map(({ table, of, unit, sizes }): PageBlock => {
    const few = sizes.filter((size) => size <= (CURVES[table] as number));
    const cases = few.map((size) => pointOf({ of }, size));
    return { suite: "growth", table, unit, cases, contestants: ["stalewalk"], grows: { of, sizes: few } };
  });

const tableBlock = (suite: "translate" | "flush"): PageBlock => ({
  suite,
  table: "synthetic 4-level",
  unit: "operation",
  cases: namesOf(suite),
  contestants: Object.keys(field),
});

/** All blocks, in the order of the command. */
export const pageBlocks: readonly PageBlock[] = [
  tableBlock("translate"),
  tableBlock("flush"),
  ...Object.keys(kernelTables).map(
    (table): PageBlock => ({
      suite: "kernel",
      table,
      unit: "operation",
      cases: kernelPolicies,
      contestants: ["stalewalk", "detection off"],
    }),
  ),
  { suite: "replay", table: REPLAYS, unit: "operation", cases: [SYNTHETIC_REPLAY], contestants: ["stalewalk"] },
  {
    suite: "verdicts",
    table: VERDICT_TABLE,
    unit: "cell",
    cases: [...verdictCells.keys()].slice(0, -1),
    contestants: ["stalewalk"],
  },
  ...growth,
];

/** The same with a trace, which is played as `bench replay --trace FILE` plays it. */
export function blocksWith(trace: GivenTrace | undefined): readonly PageBlock[] {
  if (!trace) return pageBlocks;
  const table = tableOfTrace(trace.name);
  const played = { suite: "replay", table, unit: "operation", cases: ["play"] } as const;
  return [...pageBlocks, { ...played, contestants: ["stalewalk", SYNTHETIC], otherWork: [SYNTHETIC] }];
}

/** A contestant at a case, made ready. */
export interface Opened {
  task: Task;
  /** Whether something that is not timed comes before every play, however short that is. */
  apart: boolean;
  /** What the case comes to; of the first so many operations, which is what a slower contestant plays. */
  check(operations?: number): Promise<Check> | Check;
  /** Numbers of operations that others of this case play. */
  parts: readonly number[];
}

/** Opens a contestant at a case of a block. */
export async function openCase(
  { suite, table }: Pick<PageBlock, "suite" | "table">,
  name: string,
  contestant: string,
  trace?: GivenTrace,
): Promise<Opened> {
  if (suite === "translate" || suite === "flush") return openTableCase(suite, name, contestant);
  const task = await openOther(suite, table, name, contestant, trace);
  return { task, apart: false, check: () => task.check(), parts: [] };
}

function openOther(
  suite: Exclude<PageSuite, "translate" | "flush">,
  table: string,
  name: string,
  contestant: string,
  trace: GivenTrace | undefined,
): Promise<Task> | Task {
  if (trace && table === tableOfTrace(trace.name)) {
    return openTraceTask({ kind: "trace", path: trace.name }, trace.bytes, contestant);
  }
  if (suite === "growth" || suite === "replay") return openGrowthTask({ kind: "growth", table }, name, contestant);
  if (suite === "verdicts") return openVerdictTask(name);
  const operations = kernelPieces.quick * KERNEL_PIECE;
  return kernelTask(operations, name as PolicyName, contestant === "stalewalk", present, kernelTables[table]);
}

function openTableCase(suite: "translate" | "flush", name: string, contestant: string): Opened {
  const plan = plans.find((it) => it.suite === suite && it.name === name);
  const entry = field[contestant];
  if (!plan || !entry) throw new Error(`no ${contestant} at ${name}`);
  const benchCase = plan.build(tables());
  const [who, part] = entry;
  const { tunedPart = 0, naivePart = 0 } = benchCase;
  return {
    task: caseTask(benchCase, who, part),
    apart: benchCase.prepare.length > 0,
    check: (operations) => checkCase(who, benchCase, operations),
    parts: [tunedPart, naivePart].filter((count) => count > 0),
  };
}

let set: ReturnType<typeof syntheticTables> | undefined;

function tables(): ReturnType<typeof syntheticTables> {
  set ??= syntheticTables(quickScale);
  return set;
}
