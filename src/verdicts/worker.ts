// Judges cells inside a worker of the pool. Node-only.
import { Turns } from "../base/progress.js";
import type { WasmModule } from "../engine/wasm-module.js";
import { shared } from "../pool/worker.js";
import { Judge } from "./judge.js";
import { type Cell, planOf, type VerdictsOptions } from "./plan.js";
import type { VerdictRecord } from "./verdict.js";

/** What every worker is told. */
export interface Told {
  options: Omit<VerdictsOptions, "module" | "onProgress" | "signal">;
  module: WasmModule;
}

const { options, module } = shared<Told>();
const plan = planOf(options);
const judge = new Judge(plan, module, new Turns(undefined));

/** Judges the cells with these numbers in the plan: a group of those that are judged at once. */
export default function judgeCells(numbers: readonly [number, ...number[]]): Promise<VerdictRecord[]> {
  return judge.judge(numbers.map((number) => plan.cells[number]) as [Cell, ...Cell[]]);
}
