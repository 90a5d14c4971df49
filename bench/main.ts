// The benchmark: stalewalk against native C, tuned JavaScript and naive JavaScript, on synthetic tables and on the tables of real
// kernels; kernel programs, traces and verdicts. `stalewalk bench` loads it (src/cli/bench.ts).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closingLines, headerLines, tableOf } from "../src/benchmark/report.js";
import type { BenchResult, BenchRow } from "../src/benchmark/result.js";
import type { BenchOptions, Door } from "../src/cli/bench-contract.js";
import { type Compiled, compileNative } from "./contestants/compile.js";
import { describeHost } from "./host.js";
import { type Job, type Material, planJobs } from "./plan.js";
import type { Effort } from "./rows.js";
import { findImages } from "./tables/images.js";
import { findTraces } from "./trace-rows.js";

/** Seconds of measuring, about; the least that every row gets comes on top where a machine is slow or busy. */
const SECONDS = { quick: 22, usual: 110, full: 900 };
const ROUNDS = { quick: [3, 8], usual: [3, 12], full: [5, 100] } as const;
/** With so little time for a case, its rounds are short ones. */
const HURRIED_SECONDS = 0.5;

/** Measures and prints. @throws MismatchError if two contestants disagree; Error if nothing is to be measured */
export async function runBench(options: BenchOptions, door: Door): Promise<BenchResult> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "stalewalk-bench-"));
  try {
    const native = options.suites.some((suite) => suite === "translate" || suite === "flush")
      ? await compile(folder, door)
      : { missing: "not asked for" };
    const host = describeHost("builds" in native ? native.compiler : native.missing);
    const images = findImages();
    const traces = findTraces(options.trace, options.effort === "quick");
    const material = { builds: "builds" in native ? native.builds : [], images, traces };
    const jobs = planJobs(options, material);
    if (jobs.length === 0) throw new Error(nothingMatches(options, material));
    const missing: string[] = [];
    const asked = (...suites: string[]) => jobs.some(({ suite }) => suites.includes(suite));
    if (asked("translate", "flush"))
      missing.push(...("missing" in native ? [`native C: ${native.missing}`] : native.refused));
    if (images.length === 0 && options.effort !== "quick" && asked("translate", "flush"))
      missing.push("tables of real kernels: there are no recorded images here");
    if (traces.instead !== undefined && asked("replay"))
      missing.push(`recorded traces: there are none here; ${traces.instead}, stands for them`);
    for (const line of headerLines(host)) door.print(line);
    const rows = await measure(jobs, options, started, door);
    const seconds = (performance.now() - started) / 1000;
    door.print();
    for (const line of closingLines(rows, missing, seconds)) door.print(line);
    const { command, effort } = options;
    return { format: "stalewalk-bench", version: 1, command, effort, host, seconds, missing, rows };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function nothingMatches(options: BenchOptions, material: Material): string {
  const labels = planJobs({ ...options, filter: undefined }, material).map(({ label }) => label);
  return `--filter ${options.filter?.source} matches none of the cases of ${options.suites.join(", ")}: ${labels.join("; ")}`;
}

/** A compiler that is there and fails is no reason not to measure the others. */
async function compile(folder: string, door: Door): Promise<Compiled> {
  door.show("first", "compiling the native contestant");
  try {
    return await compileNative(folder);
  } catch (error) {
    return { missing: (error as Error).message.split("\n").slice(0, 2).join(" ") };
  } finally {
    door.clear();
  }
}

async function measure(jobs: readonly Job[], options: BenchOptions, started: number, door: Door): Promise<BenchRow[]> {
  const limit = options.seconds ?? SECONDS[options.effort];
  const [leastRounds, mostRounds] = ROUNDS[options.effort];
  const all: BenchRow[] = [];
  let table: BenchRow[] = [];
  let notes: string[] = [];
  const flush = (): void => {
    if (table.length === 0) return;
    const { head, rows, right } = tableOf(table);
    door.print();
    door.print(head);
    door.print();
    door.table(rows, right);
    for (const note of notes) door.print(note);
    table = [];
    notes = [];
  };
  for (const [i, job] of jobs.entries()) {
    const left = Math.max(0, limit - (performance.now() - started) / 1000);
    const rest = jobs.slice(i).reduce((sum, { weight }) => sum + weight, 0);
    const seconds = (left * job.weight) / rest;
    const hurried = seconds < HURRIED_SECONDS;
    const effort: Effort = {
      leastRounds,
      mostRounds,
      samples: hurried ? 3 : 5,
      roundSeconds: hurried ? 0.003 : 0.01,
      seconds,
    };
    const show = (step: string): void => {
      const now = Math.max(0, limit - (performance.now() - started) / 1000);
      door.show(`${i + 1} of ${jobs.length}, about ${Math.ceil(now)} s left`, `${job.label}: ${step}`);
    };
    const { rows, notes: said = [] } = await job.run(effort, show);
    door.clear();
    if (rows[0]?.table !== table[0]?.table || rows[0]?.suite !== table[0]?.suite) flush();
    table.push(...rows);
    notes.push(...said);
    all.push(...rows);
  }
  flush();
  return all;
}
