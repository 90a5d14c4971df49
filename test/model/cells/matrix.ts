// Cells of the matrix, explored once for all that are the same to a row: a policy that hooks flushes which the row never makes is to
// it as none, and versions of the kernel differ for few rows.

import {
  type CpuOptions,
  type IommuOptions,
  iommuOptionNames,
  type ScenarioName,
} from "../../../src/verdicts/index.js";
import { type Cell, type Explored, explore } from "./explore.js";
import { type CellPolicy, cellPolicies } from "./kernel.js";
import { type CellKernel, rowFacts } from "./sites.js";

/** What an exploration says of a cell: fewest moves to a hazard; if there is none, to one with work inside other operations. */
export interface CellResult {
  hazard: number | undefined;
  race: number | undefined;
  /** States gone through, and whether there are no more: then no depth finds a hazard. */
  states: number;
  complete: boolean;
}

/** What of a policy a row can notice. */
export function noticed(
  scenario: ScenarioName,
  policy: CellPolicy,
  kernel: CellKernel,
): CellPolicy | "no table is reached" {
  const { user, flush, marked } = rowFacts(scenario, kernel);
  if (policy.root === "none" || (policy.root === "user-only" && !user)) return "no table is reached";
  const hookRange = policy.hookRange === true && flush === "range";
  const hookAll = policy.hookAll === true && flush === "all";
  const deferFree = policy.deferFree === true && marked;
  return {
    ...(hookRange && { hookRange }),
    ...(hookAll && { hookAll }),
    ...(policy.async && (hookRange || hookAll) && { async: true }),
    ...(deferFree && { deferFree }),
    ...(deferFree && policy.invalidateFirst && { invalidateFirst: true }),
  };
}

/** Explores cells, and remembers those that are the same. */
export class Matrix {
  readonly #known = new Map<string, CellResult>();

  cell(of: Omit<Cell, "race" | "concurrent">): CellResult {
    const key = keyOf(of);
    const known = this.#known.get(key);
    if (known) return known;
    const plain = explore({ ...of, race: false });
    const race = plain.fewest === undefined && hasWorker(of) ? raced(of) : undefined;
    const result = {
      ...{ hazard: plain.fewest, race: race?.fewest },
      ...{ states: plain.states + (race?.states ?? 0), complete: plain.complete && (race?.complete ?? true) },
    };
    this.#known.set(key, result);
    return result;
  }
}

function hasWorker({ scenario, policy, kernel, iommu }: Omit<Cell, "race">): boolean {
  const seen = noticed(scenario, cellPolicies[policy] ?? {}, kernel);
  if (typeof seen === "string") return false;
  return seen.deferFree === true || (seen.async === true && iommu !== undefined);
}

/** Programs of CPUs have a move more, but not in a race. */
function raced(of: Omit<Cell, "race" | "concurrent">): Explored {
  const depth = of.cpu ? of.depth - 1 : of.depth;
  // Whatever two CPUs do at once is more than one inside the other.
  return explore({ ...of, depth, race: true, concurrent: true });
}

function keyOf({ scenario, policy, kernel, iommu, cpu, depth, drain, wide }: Omit<Cell, "race">): string {
  const seen = noticed(scenario, cellPolicies[policy] ?? {}, kernel);
  const hardware = iommu ? iommuKey(iommu) : cpuKey(cpu as CpuOptions, kernel);
  return JSON.stringify([scenario, rowFacts(scenario, kernel), seen, hardware, depth, drain, wide]);
}

const iommuKey = (options: IommuOptions): unknown => iommuOptionNames.map((name) => options[name]);

const cpuKey = ({ invlpgb, invlpgScope, pti }: CpuOptions, kernel: CellKernel): unknown => [
  "cpu",
  invlpgb && kernel.usesInvlpgb,
  invlpgScope,
  pti,
];
