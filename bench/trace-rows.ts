// Real traces: how fast they are read, beside zcat, and how fast they are played, beside the engine's own synthetic kernel
// program of the same number of operations.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { replay } from "stalewalk/replay";
import { measureKernel } from "./kernel-rows.js";
import { packageRoot } from "./root.js";
import { type Estimate, median, summarise } from "./statistics.js";
import type { TraceThroughput } from "./trace-throughput.js";

/** Reading, as medians over processes. */
export interface Reading {
  lines: number;
  processes: number;
  linesPerSecond: number;
  /** The time of `zcat FILE | wc -l` over the reader's, each process's own; undefined if there is no zcat. */
  ratio: Estimate | undefined;
  /** The most memory that one of the processes had resident. */
  residentBytes: number;
}

/** Reading and playing of some traces. */
export interface TraceRows {
  /** Names of the traces read. */
  traces: string[];
  reading: Reading;
  playing: {
    /** The trace that is played. */
    trace: string;
    operations: number;
    operationsPerSecond: number;
    /** The synthetic kernel program of the same size under the same policy. */
    syntheticPerSecond: number;
    /** Playing the trace over playing the synthetic program. */
    ratio: number;
  };
}

const RECORDED = "linux612-hugevmap-unprivileged.trace.txt.gz";
const ROUNDS = 3;
/** How often a process reads each file: the best time counts, the first warms the code up. */
const REPETITIONS = 3;

function findTraces(): string[] {
  const folder = join(process.env["STALEWALK_DATA"] ?? join(packageRoot, "..", "shared", "data"), "traces");
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".trace.txt.gz"));
  return names.sort().map((name) => join(folder, name));
}

/** Reads traces in fresh processes, one after the other. @throws Error with what a process said, if it fails */
function readIn(paths: string[], processes: number, repetitions: number, onStep: (step: string) => void): Reading {
  const program = fileURLToPath(new URL("read-traces.js", import.meta.url));
  const runs = Array.from({ length: processes }, (_, i) => {
    onStep(`traces: reading, process ${i + 1}`);
    const said = execFileSync(process.execPath, [program, String(repetitions), ...paths], { encoding: "utf8" });
    return JSON.parse(said) as TraceThroughput & { residentBytes: number };
  });
  const ratios = runs.flatMap(({ ratio }) => ratio ?? []);
  return {
    lines: (runs[0] as TraceThroughput).lines,
    processes,
    linesPerSecond: median(runs.map(({ linesPerSecond }) => linesPerSecond)),
    ratio: ratios.length === 0 ? undefined : summarise(ratios),
    residentBytes: Math.max(...runs.map(({ residentBytes }) => residentBytes)),
  };
}

/** Measures the recorded traces; undefined if they are not there: excerpts are too short to say anything. */
export async function measureTraces(
  quick: boolean,
  onStep: (step: string) => void = () => {},
): Promise<TraceRows | undefined> {
  const found = findTraces();
  const played = found.find((path) => path.endsWith(RECORDED)) ?? found[0];
  if (played === undefined) return undefined;
  const read = quick ? [played] : found;
  const reading = quick ? readIn(read, 1, 1, onStep) : readIn(read, ROUNDS, REPETITIONS, onStep);
  const rates: number[] = [];
  let operations = 0;
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    onStep(`traces: playing, round ${round + 1}`);
    const { throughput } = await replay(readFileSync(played), { policies: ["none"] });
    operations = throughput.operations;
    rates.push(throughput.operationsPerSecond);
  }
  const [synthetic] = measureKernel(operations, quick ? 1 : ROUNDS, ["none"], onStep);
  if (!synthetic) throw new Error("the synthetic program was not measured");
  const operationsPerSecond = median(rates);
  const syntheticPerSecond = 1e9 / synthetic.on.median;
  const name = (path: string) => path.split(/[\\/]/).at(-1) as string;
  return {
    traces: read.map(name),
    reading,
    playing: {
      trace: name(played),
      operations,
      operationsPerSecond,
      syntheticPerSecond,
      ratio: operationsPerSecond / syntheticPerSecond,
    },
  };
}
