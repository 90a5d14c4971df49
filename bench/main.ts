// The benchmark: stalewalk against native C, tuned JavaScript and naive JavaScript, on synthetic tables and on the tables
// of real kernels. `npm run bench -- --help` says more.
import { writeFileSync } from "node:fs";
import { type ApiRow, measureApi } from "./api-rows.js";
import { type CasePlan, fullSizes, planCases, quickSizes } from "./cases.js";
import { MismatchError } from "./check.js";
import { compileNative } from "./contestants/compile.js";
import { describeHost, formatHost } from "./host.js";
import { type KernelRow, kernelPolicies, measureKernel } from "./kernel-rows.js";
import { fullEffort, hurriedEffort, measureCase, quickEffort } from "./measure.js";
import { type Options, parseOptions, UsageError, usage } from "./options.js";
import { Progress } from "./progress.js";
import { formatChecks, formatKernel, formatSet, formatTraces, type SetResult } from "./report.js";
import { findImages, imageTables } from "./tables/images.js";
import { syntheticTables } from "./tables/synthetic.js";
import { measureTraces, type TraceRows } from "./trace-rows.js";
import type { TableSet } from "./world.js";

const QUICK_SCALE = 1 / 32;
const API = "API";
const KERNEL_OPERATIONS = 1e7;
const KERNEL_ROUNDS = 2;
const QUICK_KERNEL_OPERATIONS = 100_000;
/** The whole run should take less than three minutes, on a slow or busy machine too. */
const HURRY_AFTER_SECONDS = 110;

function secondsSince(start: bigint): number {
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function* tableSets(quick: boolean): Generator<() => Promise<TableSet>> {
  yield async () => syntheticTables(quick ? QUICK_SCALE : 1);
  for (const path of findImages()) yield () => imageTables(path);
}

function note(results: readonly SetResult[]): string {
  const fewest = Math.min(...results.flatMap(({ cases }) => cases.map(({ rounds }) => rounds)));
  return `; ratio: that contestant's time over stalewalk's; medians over rounds (at least ${fewest}), ± half the middle half`;
}

async function run(options: Options): Promise<void> {
  const started = process.hrtime.bigint();
  const progress = new Progress();
  const sizes = options.quick ? quickSizes : fullSizes;
  const effort = options.quick ? quickEffort : fullEffort;
  progress.show("compiling the native contestant");
  const native = compileNative();
  const missing = "missing" in native ? native.missing : undefined;
  const executable = "program" in native ? native.program : undefined;
  const host = describeHost("missing" in native ? native.missing : native.compiler);
  progress.clear();
  console.log(formatHost(host));
  const wanted = (set: TableSet, name: string) => options.only?.test(`${set.name}: ${name}`) ?? true;
  const results: SetResult[] = [];
  for (const load of tableSets(options.quick)) {
    const set = await load();
    const plans = planCases(sizes, results.length === 0 ? 2 : 1).filter(({ name }) => wanted(set, name));
    const result: SetResult = {
      name: set.name,
      tables: set.tables.length,
      pages: set.pages.length,
      cases: [],
      api: [],
    };
    for (const [i, plan] of plans.entries()) {
      const show = (step: string) => progress.show(`${set.name}: ${plan.name} (${i + 1} of ${plans.length}): ${step}`);
      show("building");
      const late = secondsSince(started) > HURRY_AFTER_SECONDS;
      result.cases.push(await measureCase(plan.build(set), executable, late ? hurriedEffort : effort, show));
    }
    // The API costs the same whatever the tables are: one set is enough.
    if (results.length === 0 && wanted(set, API)) {
      progress.show(`${set.name}: through the API`);
      const [hot] = planCases(sizes, 1) as [CasePlan];
      result.api = measureApi(set, hot.build(set).program, sizes, effort) satisfies ApiRow[];
    }
    progress.clear();
    results.push(result);
    if (result.cases.length + result.api.length === 0) continue;
    console.log(`\n${options.quick ? formatChecks(result, missing) : formatSet(result, missing)}`);
  }
  const { kernel, traces } = await measureKernelAndTraces(options, started, progress);
  const seconds = secondsSince(started);
  if (results.every(({ cases, api }) => cases.length + api.length === 0) && !kernel && !traces) {
    throw new UsageError(`no case matches --only ${options.only?.source}`);
  }
  console.log(`\n${seconds.toFixed(0)} s${options.quick ? "" : note(results)}`);
  if (options.json !== undefined) {
    const report = { host, quick: options.quick, seconds, sets: results, kernel, traces };
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  }
}

/** What lies above the walker: kernel programs, and real traces. */
async function measureKernelAndTraces(
  { quick, only }: Options,
  started: bigint,
  progress: Progress,
): Promise<{ kernel?: KernelRow[]; traces?: TraceRows }> {
  const show = (step: string) => progress.show(step);
  const done: { kernel?: KernelRow[]; traces?: TraceRows } = {};
  if (only?.test("kernel programs") ?? true) {
    const rounds = quick || secondsSince(started) > HURRY_AFTER_SECONDS ? 1 : KERNEL_ROUNDS;
    done.kernel = measureKernel(quick ? QUICK_KERNEL_OPERATIONS : KERNEL_OPERATIONS, rounds, kernelPolicies, show);
    progress.clear();
    console.log(`\n${formatKernel(done.kernel, quick)}`);
  }
  if (only?.test("traces") ?? true) {
    const traces = await measureTraces(quick, show);
    progress.clear();
    if (traces) done.traces = traces;
    if (!traces) console.log("\ntraces: not measured, the recorded ones are not beside the checkout");
    else if (!quick) console.log(`\n${formatTraces(traces)}`);
  }
  return done;
}

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options.help) console.log(usage);
    else await run(options);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${usage}`);
      return 2;
    }
    console.error(error instanceof MismatchError ? `error: ${error.message}` : error);
    return 1;
  }
}

process.exitCode = await main();
