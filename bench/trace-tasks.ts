// Playing a recorded trace, beside the engine's own synthetic kernel program of the same number of operations. Nothing here needs Node.
import type { ReplayResult } from "stalewalk/replay";
import { hashOf } from "./check.js";
import { kernelMachine } from "./kernel-work.js";
import { type Library, NotPlayedError, present } from "./library.js";
import { clockNs } from "./pieces.js";
import type { WholeTask } from "./task.js";

/** A trace that is played under `none`. */
export interface TraceSpec {
  kind: "trace";
  path: string;
}

/** What is beside the replay. */
export const SYNTHETIC = "synthetic kernel program";

/** The table that the rows of a trace stand in, by the name of its file. */
export const tableOfTrace = (name: string): string => `trace ${name}`;

/** The replay of a trace, by this build or another, or the synthetic program. */
export async function openTraceTask(
  { path }: TraceSpec,
  bytes: Uint8Array,
  contestant: string,
  { replay }: Library = present,
): Promise<WholeTask> {
  if (!replay) throw new NotPlayedError("it plays no traces");
  const play = (): Promise<ReplayResult> => replay(bytes, { policies: ["none"], name: path });
  const { operations } = (await play()).throughput;
  if (contestant !== SYNTHETIC) {
    return {
      operations,
      processorTime: false,
      async check() {
        const result = await play();
        const freed = Object.values(result.program.frees).reduce((sum, count) => sum + count, 0);
        return { hash: digestOf(result), counters: { operations, "tables freed": freed } };
      },
      sample: async () => (operations / (await play()).throughput.operationsPerSecond) * 1e9,
    };
  }
  const { machine, options } = kernelMachine("none", true, present, "uniform");
  const start = machine.snapshot();
  const run = (): void => {
    machine.restore(start);
    machine.runKernelWorkload({ ...options, seed: 1n }, operations);
  };
  return {
    operations,
    processorTime: false,
    check() {
      run();
      return { hash: hashOf([machine.kernel?.counters, machine.kernel?.tablesFreed]), counters: {} };
    },
    sample() {
      machine.restore(start);
      const began = clockNs();
      machine.runKernelWorkload({ ...options, seed: 1n }, operations);
      return clockNs() - began;
    },
  };
}

/** What a replay came to, without the time that it took. */
function digestOf({ policies }: ReplayResult): string {
  return hashOf(policies.map(({ seconds: _, ...rest }) => rest));
}
