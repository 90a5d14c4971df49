// Stages and rows of cells that are proved in tests.
import { finishInTurns, Turns } from "../../../src/base/progress.js";
import { checkPolicy, type PolicyName } from "../../../src/kernel/policies.js";
import { resolveKernel } from "../../../src/kernel/versions.js";
import { type CpuOptions, type IommuOptions, usualIommu } from "../../../src/verdicts/options.js";
import type { Wanted } from "../../../src/verdicts/prove/choices.js";
import { type Again, type Explored, Explorer } from "../../../src/verdicts/prove/explore.js";
import { type Scenario, type ScenarioName, scenarios } from "../../../src/verdicts/scenarios.js";
import { Stage, type Walking } from "../../../src/verdicts/stage.js";

export interface Cell {
  policy: PolicyName;
  row: ScenarioName;
  hardware?: IommuOptions | CpuOptions;
  kernel?: string;
  drain?: Walking["drain"];
}

/** Whole walks, usual moves, deferred work between operations. */
export const PLAIN: Wanted = { race: false, walks: 0, wide: false };

export function rowOf(name: ScenarioName): Scenario {
  const row = scenarios.find((it) => it.name === name);
  if (!row) throw new Error(`no row ${name}`);
  return row;
}

export function stageOf({ policy, hardware = usualIommu, kernel, drain = "all" }: Omit<Cell, "row">): Stage {
  const agent = "invlpgScope" in hardware ? "cpu" : "iommu";
  const walking: Walking = { walks: "stepwise", drain };
  return new Stage(checkPolicy(policy, "policy"), agent, hardware, resolveKernel(kernel, "kernel").version, walking);
}

/** Explores a cell, up to so many states. */
export async function exploreCell(cell: Cell, wanted: Wanted, states = 1_000_000, again?: Again): Promise<Explored> {
  const explorer = new Explorer(stageOf(cell));
  const turns = new Turns(undefined);
  return finishInTurns(explorer.explore(rowOf(cell.row), wanted, { states, ms: Infinity }, turns, again), turns);
}
