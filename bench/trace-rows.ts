// Real traces: how fast they are read, beside zcat, and how fast they are played, beside the engine's own synthetic kernel
// program of the same number of operations.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replay } from "stalewalk/replay";
import { measureKernel } from "./kernel-rows.js";
import { packageRoot } from "./root.js";
import { median } from "./statistics.js";
import { type TraceThroughput, traceThroughput } from "./trace-throughput.js";

/** Reading and playing of some traces. */
export interface TraceRows {
  /** Names of the traces read. */
  traces: string[];
  reading: TraceThroughput;
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

function findTraces(): string[] {
  const folder = join(process.env["STALEWALK_DATA"] ?? join(packageRoot, "..", "shared", "data"), "traces");
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".trace.txt.gz"));
  return names.sort().map((name) => join(folder, name));
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
  onStep("traces: reading");
  const reading = await traceThroughput(read, quick ? 1 : ROUNDS);
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
