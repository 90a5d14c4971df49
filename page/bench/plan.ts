// What of the benchmark a browser can play: cases, contestants, and how a contestant at a case is opened. The same programs, names and
// results as `stalewalk bench --quick` has, so that the two can be compared row by row. Flushes are left out: a browser's clock is too
// coarse to take them apart from the filling of the caches before each. No drawing here.

import { planCases, quickSizes } from "../../bench/cases.js";
import type { Check } from "../../bench/check.js";
import type { Contestant } from "../../bench/contestants/contestant.js";
import { naiveJs } from "../../bench/contestants/naive-js.js";
import { stalewalk } from "../../bench/contestants/stalewalk.js";
import { tunedJs } from "../../bench/contestants/tuned-js.js";
import { curves } from "../../bench/growth.js";
import { pointOf } from "../../bench/growth-curve.js";
import { openGrowthTask } from "../../bench/growth-tasks.js";
import { KERNEL_PIECE, kernelPieces, kernelPolicies, kernelTable, kernelTask } from "../../bench/kernel-work.js";
import { caseTask, checkCase, type Part } from "../../bench/table-case.js";
import { quickScale, syntheticTables } from "../../bench/tables/synthetic.js";
import type { Task } from "../../bench/task.js";
import { openVerdictTask, VERDICT_TABLE, verdictCells } from "../../bench/verdict-tasks.js";
import type { SuiteName } from "../../src/benchmark/result.js";
import type { PolicyName } from "../../src/index.js";

/** Suites that are played here. */
export const pageSuites = ["translate", "kernel", "verdicts", "growth"] as const satisfies readonly SuiteName[];

/** One of them. */
export type PageSuite = (typeof pageSuites)[number];

/** Cases of one table, and who plays them; the first is whom the others are compared with. */
export interface PageBlock {
  suite: PageSuite;
  table: string;
  unit: string;
  cases: readonly string[];
  contestants: readonly string[];
  /** Of a curve: what grows, and how much of it each case has. */
  grows?: { of: string; sizes: readonly number[] };
}

const field: Readonly<Record<string, readonly [Contestant, Part]>> = {
  stalewalk: [stalewalk, "whole"],
  "tuned JS": [tunedJs, "tunedPart"],
  "naive JS": [naiveJs, "naivePart"],
};

const translations = planCases(quickSizes, 2).filter(({ suite }) => suite === "translate");

/** Largest point of a curve here: more takes longer to make than to play. */
const MOST = 10_000;
/** Curves of translations. Flushes are short beside a browser's clock; replays take too long for a page. */
const CURVES = ["random access, all caches", "random access, no caches", "access in turns"];

const growth = curves
  .filter(({ table }) => CURVES.some((start) => table.startsWith(start)))
  .map(({ table, of, unit, sizes }): PageBlock => {
    const few = sizes.filter((size) => size <= MOST);
    const cases = few.map((size) => pointOf({ of }, size));
    return { suite: "growth", table, unit, cases, contestants: ["stalewalk"], grows: { of, sizes: few } };
  });

/** All blocks, in the order of the command. */
export const pageBlocks: readonly PageBlock[] = [
  {
    suite: "translate",
    table: "synthetic 4-level",
    unit: "operation",
    cases: translations.map(({ name }) => name),
    contestants: Object.keys(field),
  },
  {
    suite: "kernel",
    table: kernelTable,
    unit: "operation",
    cases: kernelPolicies,
    contestants: ["stalewalk", "detection off"],
  },
  {
    suite: "verdicts",
    table: VERDICT_TABLE,
    unit: "cell",
    cases: [...verdictCells.keys()].slice(0, -1),
    contestants: ["stalewalk"],
  },
  ...growth,
];

/** A contestant at a case, made ready. */
export interface Opened {
  task: Task;
  /** What the case comes to; of the first so many operations, which is what a slower contestant plays. */
  check(operations?: number): Promise<Check> | Check;
  /** Numbers of operations that others of this case play. */
  parts: readonly number[];
}

/** Opens a contestant at a case of a block. */
export function openCase(
  { suite, table }: Pick<PageBlock, "suite" | "table">,
  name: string,
  contestant: string,
): Opened {
  if (suite === "growth") {
    const task = openGrowthTask({ kind: "growth", table }, name, contestant);
    return { task, check: () => task.check(), parts: [] };
  }
  if (suite === "verdicts") {
    const task = openVerdictTask(name);
    return { task, check: () => task.check(), parts: [] };
  }
  if (suite === "kernel") {
    const operations = kernelPieces.quick * KERNEL_PIECE;
    const task = kernelTask(operations, name as PolicyName, contestant === "stalewalk");
    return { task, check: () => task.check(), parts: [] };
  }
  const plan = translations.find((it) => it.name === name);
  const entry = field[contestant];
  if (!plan || !entry) throw new Error(`no ${contestant} at ${name}`);
  const benchCase = plan.build(tables());
  const [who, part] = entry;
  const { tunedPart = 0, naivePart = 0 } = benchCase;
  return {
    task: caseTask(benchCase, who, part),
    check: (operations) => checkCase(who, benchCase, operations),
    parts: [tunedPart, naivePart].filter((count) => count > 0),
  };
}

let set: ReturnType<typeof syntheticTables> | undefined;

function tables(): ReturnType<typeof syntheticTables> {
  set ??= syntheticTables(quickScale);
  return set;
}
