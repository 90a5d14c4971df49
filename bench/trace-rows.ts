// Real traces: how fast they are read, beside zcat, and how fast they are played, beside the engine's own synthetic kernel
// program of the same number of operations.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ReplayResult, replay } from "stalewalk/replay";
import type { BenchRow } from "../src/benchmark/result.js";
import { hashOf, MismatchError } from "./check.js";
import { kernelMachine } from "./kernel-rows.js";
import { benchFolder, dataFolder, packageRoot } from "./root.js";
import { CaseRows, type Effort, goesOn } from "./rows.js";
import { timeWithBenchmark } from "./time.js";
import type { TraceThroughput } from "./trace-throughput.js";
import { present } from "./yardstick/index.js";

/** The traces of a run. */
export interface Traces {
  /** Those that are read. */
  read: string[];
  /** The one that is played. */
  played: string;
  /** What the recorded ones are replaced by; undefined if they are there. */
  instead: string | undefined;
}

const RECORDED = "linux612-hugevmap-unprivileged.trace.txt.gz";
/** What the package has with it: the beginning of a recording of 6.18.15, all that concerns kernel page tables. */
const EXCERPT = "linux618-frees.trace.txt.gz";
/** How often a process reads each file: the best time counts, the first warms the code up. */
const REPETITIONS = 3;

/** The trace that was asked for, else the recorded ones, else the excerpt. `few`: reads only what is played. */
export function findTraces(asked: string | undefined, few: boolean): Traces {
  if (asked !== undefined) return { read: [asked], played: asked, instead: undefined };
  const folder = dataFolder === undefined ? undefined : join(dataFolder, "traces");
  const names = folder !== undefined && existsSync(folder) ? readdirSync(folder) : [];
  const found = names.filter((name) => name.endsWith(".trace.txt.gz")).map((name) => join(folder as string, name));
  const played = found.find((path) => path.endsWith(RECORDED)) ?? found[0];
  if (played !== undefined) return { read: few ? [played] : found.sort(), played, instead: undefined };
  const places = [join(packageRoot, "test", "fixtures", "traces", EXCERPT), join(benchFolder, EXCERPT)];
  const excerpt = places.find((path) => existsSync(path));
  if (excerpt === undefined) throw new Error(`${EXCERPT} is neither in the checkout nor in the package`);
  return { read: [excerpt], played: excerpt, instead: `an excerpt, ${EXCERPT}` };
}

/** Reads the traces, each round in a fresh process, and zcat does so in the same. @throws Error with what a process said, if it fails */
export function measureReading(paths: string[], effort: Effort, onStep: (step: string) => void): BenchRow[] {
  const started = performance.now();
  const program = fileURLToPath(new URL("read-traces.js", import.meta.url));
  const table = paths.length === 1 ? traceTable(paths[0] as string) : `${paths.length} traces`;
  let rows: CaseRows | undefined;
  for (let round = 0; goesOn(effort, round, started); round++) {
    onStep(`process ${round + 1}`);
    const said = execFileSync(process.execPath, [program, String(REPETITIONS), ...paths], { encoding: "utf8" });
    const { lines, bytes, events, seconds, zcatSeconds } = JSON.parse(said) as TraceThroughput;
    const digest = hashOf([lines, bytes, events]);
    rows ??= new CaseRows({
      suite: "replay",
      table,
      case: "read",
      unit: "line",
      digest,
      counters: { lines, bytes, events },
    });
    rows.note("stalewalk", lines, [seconds]);
    if (zcatSeconds !== undefined) rows.note("zcat | wc -l", lines, [zcatSeconds]);
  }
  return rows?.all ?? [];
}

/** Plays a trace under `none`. @throws MismatchError if it comes to two results */
export async function measurePlaying(
  path: string,
  effort: Effort,
  onStep: (step: string) => void,
): Promise<BenchRow[]> {
  const started = performance.now();
  const bytes = readFileSync(path);
  const play = (): Promise<ReplayResult> => replay(bytes, { policies: ["none"], name: path });
  onStep("comparing results");
  const first = await play();
  const { operations } = first.throughput;
  const head = { suite: "replay", table: traceTable(path), unit: "operation" } as const;
  const digest = digestOf(first);
  const freed = Object.values(first.program.frees).reduce((sum, count) => sum + count, 0);
  const rows = new CaseRows({ ...head, case: "play", digest, counters: { operations, "tables freed": freed } });
  const { machine, options } = kernelMachine("none", true, present);
  for (let round = 0; goesOn(effort, round, started); round++) {
    onStep(`round ${round + 1}`);
    const result = await play();
    const other = digestOf(result);
    if (other !== digest) throw new MismatchError(`${path}: two replays came to ${digest} and ${other}`);
    rows.note("stalewalk", operations, [operations / result.throughput.operationsPerSecond]);
    const synthetic = () => machine.runKernelWorkload({ ...options, seed: BigInt(round + 1) }, operations);
    rows.note(
      "synthetic kernel program",
      operations,
      timeWithBenchmark(synthetic, () => {}, 1, 0),
    );
  }
  machine.dispose();
  return rows.all;
}

/** What a replay came to, without the time that it took. */
function digestOf({ policies }: ReplayResult): string {
  return hashOf(policies.map(({ seconds: _, ...rest }) => rest));
}

function traceTable(path: string): string {
  return `trace ${basename(path)}`;
}
