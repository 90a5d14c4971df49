// The benchmark: stalewalk against native C, tuned JavaScript and naive JavaScript, on synthetic tables and on the tables of real
// kernels; kernel programs, traces and verdicts. `stalewalk bench` loads it (src/cli/bench.ts).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closingLines, headerLines, tablesOf } from "../src/benchmark/report.js";
import type { BenchResult, BenchRow, EffortName } from "../src/benchmark/result.js";
import type { BenchOptions, Door } from "../src/cli/bench-contract.js";
import { cleaningAtSignals } from "../src/cli/signals.js";
import { findBaseline } from "./baseline.js";
import { type Block, planBlocks } from "./blocks.js";
import { type Compiled, compileNative, nativeNames } from "./contestants/compile.js";
import { describeHost } from "./host.js";
import { type Effort, Rounds } from "./rounds.js";
import { findRuntimes, greetRuntimes } from "./runtimes.js";
import { findImages } from "./tables/images.js";
import { findTraces } from "./traces.js";

/** Seconds of measuring, about; the least rounds come on top where a machine is slow or busy, but not of a quick run: it ends in time. */
const SECONDS = { quick: 27, usual: 110, full: 2100 };
const EFFORTS: Readonly<Record<EffortName, Effort>> = {
  quick: { leastRounds: 3, mostRounds: 8, turns: 1, turn: { plays: 2, quiet: 5, seconds: 0.03, warm: 0.02 } },
  usual: { leastRounds: 4, mostRounds: 20, turns: 2, turn: { plays: 2, quiet: 10, seconds: 0.15, warm: 0.06 } },
  full: { leastRounds: 12, mostRounds: 80, turns: 1, turn: { plays: 2, quiet: 10, seconds: 0.1, warm: 0.05 } },
};
/** Recorded tables differ little in what they cost: so many sets of them are measured. */
const IMAGES = { quick: 0, usual: 1, full: 2 };

/** Measures and prints. @throws MismatchError if two contestants disagree; Error if nothing is to be measured */
export async function runBench(options: BenchOptions, door: Door): Promise<BenchResult> {
  const started = performance.now();
  const baseline = options.baseline === undefined ? undefined : findBaseline(options.baseline);
  const { runtimes, missing: notThere } = await runtimesOf(options, door);
  const folder = mkdtempSync(join(tmpdir(), "stalewalk-bench-"));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  // What is started ends by itself when this process has.
  const stop = cleaningAtSignals(clean);
  try {
    const wanted =
      runtimes.length === 0 && (options.against?.some((name) => nativeNames.some((native) => native === name)) ?? true);
    const native = options.suites.some((suite) => wanted && (suite === "translate" || suite === "flush"))
      ? await compile(folder, door)
      : { missing: "not asked for" };
    const about = runtimes.map(({ name, about }) => `${name} (${about})`);
    const host = describeHost("builds" in native ? native.compiler : native.missing, baseline?.about, about);
    const found = findImages();
    const images = someImages(found, IMAGES[options.effort]);
    const traces = findTraces(options.trace, options.effort === "quick");
    const material = { builds: "builds" in native ? native.builds : [], images, traces, baseline, runtimes, folder };
    door.show("first", "building the cases");
    const blocks = await planBlocks(options, material);
    door.clear();
    const missing: string[] = [...notThere];
    const asked = (...suites: string[]) => blocks.some(({ suite }) => suites.includes(suite));
    if (wanted && asked("translate", "flush"))
      missing.push(...("missing" in native ? [`native C: ${native.missing}`] : native.refused));
    if (images.length === 0 && options.effort !== "quick" && asked("translate", "flush"))
      missing.push("tables of real kernels: there are no recorded images here");
    if (traces.instead !== undefined && asked("replay"))
      missing.push(`recorded traces: there are none here; ${traces.instead}, stands for them`);
    for (const line of headerLines(host)) door.print(line);
    const { rows, notPlayed } = await measure(blocks, options, started, door);
    missing.push(...notPlayed);
    const seconds = (performance.now() - started) / 1000;
    for (const { head, rows: cells, right } of tablesOf(rows)) {
      door.print();
      door.print(head);
      door.print();
      door.table(cells, right);
    }
    door.print();
    for (const line of closingLines(rows, missing, seconds)) door.print(line);
    const { command, effort } = options;
    return { format: "stalewalk-bench", version: 1, command, effort, host, seconds, missing, rows };
  } finally {
    await Promise.all(runtimes.map(({ end }) => end()));
    clean();
    stop();
  }
}

/** What plays in the place of contestants, once each has said that it is there. */
async function runtimesOf({ runtimes: names }: BenchOptions, door: Door): Promise<ReturnType<typeof findRuntimes>> {
  if (!names) return { runtimes: [], missing: [] };
  const { runtimes, missing } = findRuntimes(names);
  door.show("first", `starting ${runtimes.map(({ name }) => name).join(", ")}`);
  try {
    const greeted = await greetRuntimes(runtimes);
    return { ...greeted, missing: [...missing, ...greeted.missing] };
  } finally {
    door.clear();
  }
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

async function measure(
  blocks: readonly Block[],
  options: BenchOptions,
  started: number,
  door: Door,
): Promise<{ rows: BenchRow[]; notPlayed: string[] }> {
  const end = started + (options.seconds ?? SECONDS[options.effort]) * 1000;
  const cases = blocks.reduce((sum, block) => sum + block.cases.length, 0);
  let at = 0;
  const rounds = new Rounds(blocks, EFFORTS[options.effort], (block, name, round) => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    door.show(`${(at++ % cases) + 1} of ${cases}, round ${round}, about ${left} s left`, `${block.table}: ${name}`);
  });
  try {
    const inTime = options.effort === "quick" && options.seconds === undefined;
    await (inTime ? rounds.playInTime(end) : rounds.play(end));
  } finally {
    door.clear();
  }
  return { rows: rounds.all, notPlayed: rounds.missing };
}

/** The first and the last: they have different numbers of levels. */
function someImages(found: readonly string[], most: number): string[] {
  return most >= 2 && found.length > 1 ? [found[0] as string, found.at(-1) as string] : found.slice(0, most);
}
