// Plays some policies of a simulation inside a worker of the pool. Node-only.
import type { WasmModule } from "../engine/wasm-module.js";
import type { Policy } from "../kernel/policies.js";
import { shared } from "../pool/worker.js";
import type { ReplayResult } from "./result.js";
import { type SimulateOptions, simulate } from "./simulate.js";

/** What every worker is told. */
export interface Told {
  options: Omit<SimulateOptions, "module" | "onProgress" | "signal">;
  /** Policies of each task. */
  tasks: readonly (readonly Policy[])[];
  /** Memory of all threads: how many operations each task has played. */
  done: Float64Array;
  module: WasmModule;
}

const { options, tasks, done, module } = shared<Told>();

/** Plays the policies of the task with this number. */
export default function simulateSome(number: number): Promise<ReplayResult> {
  const onProgress = (progress: { done: number }): void => {
    done[number] = progress.done;
  };
  return simulate({ ...options, policies: tasks[number] as readonly Policy[], module, onProgress });
}
