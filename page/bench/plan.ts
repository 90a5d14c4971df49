// What of the benchmark a browser can play: cases, contestants, and how a contestant at a case is opened. The same programs, names and
// results as `stalewalk bench --quick` has, so that the two can be compared row by row. Flushes are left out: a browser's clock is too
// coarse to take them apart from the filling of the caches before each. No drawing here.

import { planCases, quickSizes } from "../../bench/cases.js";
import type { Check } from "../../bench/check.js";
import type { Contestant } from "../../bench/contestants/contestant.js";
import { naiveJs } from "../../bench/contestants/naive-js.js";
import { stalewalk } from "../../bench/contestants/stalewalk.js";
import { tunedJs } from "../../bench/contestants/tuned-js.js";
import { KERNEL_PIECE, kernelPieces, kernelPolicies, kernelTable, kernelTask } from "../../bench/kernel-work.js";
import { caseTask, checkCase, type Part } from "../../bench/table-case.js";
import { quickScale, syntheticTables } from "../../bench/tables/synthetic.js";
import type { Task } from "../../bench/task.js";
import { openVerdictTask, VERDICT_TABLE, verdictCells } from "../../bench/verdict-tasks.js";
import type { SuiteName } from "../../src/benchmark/result.js";
import type { PolicyName } from "../../src/index.js";

/** Suites that are played here. */
export const pageSuites = ["translate", "kernel", "verdicts"] as const satisfies readonly SuiteName[];

/** One of them. */
export type PageSuite = (typeof pageSuites)[number];

/** Cases of one table, and who plays them; the first is whom the others are compared with. */
export interface PageBlock {
  suite: PageSuite;
  table: string;
  unit: string;
  cases: readonly string[];
  contestants: readonly string[];
}

const field: Readonly<Record<string, readonly [Contestant, Part]>> = {
  stalewalk: [stalewalk, "whole"],
  "tuned JS": [tunedJs, "tunedPart"],
  "naive JS": [naiveJs, "naivePart"],
};

const translations = planCases(quickSizes, 2).filter(({ suite }) => suite === "translate");

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
];

/** A contestant at a case, made ready. */
export interface Opened {
  task: Task;
  /** What the case comes to; of the first so many operations, which is what a slower contestant plays. */
  check(operations?: number): Promise<Check> | Check;
  /** Numbers of operations that others of this case play. */
  parts: readonly number[];
}

/** Opens a contestant at a case. */
export function openCase(suite: PageSuite, name: string, contestant: string): Opened {
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
