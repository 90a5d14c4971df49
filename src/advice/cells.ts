// Cells under candidates, each proved once: what a policy's field cannot be noticed in is proved for all its values at once.

import type { CheckedPolicy } from "../kernel/policies.js";
import { type KernelVersion, resolveKernel } from "../kernel/versions.js";
import { type IommuOptions, type VerdictRecord, type VerdictsOptions, verdicts } from "../verdicts/index.js";
import { type Scenario, type ScenarioName, scenariosOf } from "../verdicts/scenarios.js";
import type { Candidate } from "./cures.js";

/**
 * What a cell is under a candidate: proved safe; safe as long as deferred work runs between operations (`race`); a hazard; or not settled,
 * where a limit ended the proof.
 */
export type CellState = "safe" | "race" | "hazard" | "unsettled";

/** A cell that is not safe. */
export interface OpenCell {
  /** The row. */
  readonly scenario: ScenarioName;
  /** The IOMMU, by what it has or by changes of the usual one. */
  readonly hardware: IommuOptions;
  /** What it is. */
  readonly state: Exclude<CellState, "safe">;
}

/** One cell. */
export interface JudgedCell {
  /** The row. */
  readonly scenario: ScenarioName;
  /** The IOMMU, by what it has or by changes of the usual one. */
  readonly hardware: IommuOptions;
  /** What it is. */
  readonly state: CellState;
}

/** What proves cells: `verdicts` of `stalewalk/verdicts`, or of `stalewalk/verdicts/node`. */
export type Prover = (options: VerdictsOptions) => AsyncIterable<VerdictRecord>;

/** What all proofs have in common. */
export type ProofOptions = Pick<
  VerdictsOptions,
  "module" | "scenarios" | "hardware" | "walks" | "drain" | "moves" | "maxStates" | "maxMs" | "signal"
>;

/** Proves cells as they are needed. */
export class Cells {
  states = 0;
  transitions = 0;
  proved = 0;
  readonly assumptions = new Set<string>();
  readonly #known = new Map<string, readonly JudgedCell[]>();

  constructor(
    private readonly options: ProofOptions,
    private readonly prover: Prover = verdicts,
    private readonly onCell: (done: number, wanted: number) => void = () => {},
  ) {}

  /** Cells of candidates, of each in the order of rows. */
  async of(candidates: readonly Candidate[]): Promise<JudgedCell[][]> {
    // By kernel and row, so that one call proves all that is wanted of a row: it spreads cells over cores.
    const wanted = new Map<
      string,
      { kernel: KernelVersion; row: ScenarioName; policies: Map<string, CheckedPolicy> }
    >();
    let count = 0;
    for (const { policy, kernel } of candidates) {
      for (const row of this.rowsOf(kernel)) {
        const key = keyOf(policy, kernel, row);
        const place = `${kernel} ${row.name}`;
        const group = wanted.get(place) ?? { kernel, row: row.name, policies: new Map() };
        if (this.#known.has(key) || group.policies.has(key)) continue;
        wanted.set(place, group);
        group.policies.set(key, policy);
        count++;
      }
    }
    let done = 0;
    for (const { kernel, row, policies } of wanted.values()) {
      const judged = await this.prove([...policies.values()], kernel, row);
      for (const [key, { name }] of policies) this.#known.set(key, judged.get(name) ?? []);
      done += policies.size;
      this.onCell(done, count);
    }
    return candidates.map(({ policy, kernel }) =>
      this.rowsOf(kernel).flatMap((row) => this.#known.get(keyOf(policy, kernel, row)) ?? []),
    );
  }

  private rowsOf(kernel: KernelVersion): Scenario[] {
    const { scenarios } = this.options;
    const rows = scenariosOf(resolveKernel(kernel).record);
    return rows.filter(({ name }) => !scenarios || scenarios.includes(name));
  }

  /** Cells of a row by the names of policies. */
  private async prove(
    policies: readonly CheckedPolicy[],
    kernel: KernelVersion,
    row: ScenarioName,
  ): Promise<Map<string, JudgedCell[]>> {
    const asked = { policies, scenarios: [row], kernel, agents: ["iommu"], prove: true } as const;
    const cells = new Map<string, JudgedCell[]>();
    for await (const record of this.prover({ ...this.options, ...asked })) {
      for (const proof of [record.proof, record.raceProof]) {
        this.states += proof?.states ?? 0;
        this.transitions += proof?.transitions ?? 0;
      }
      for (const assumption of record.proof?.assumptions ?? []) this.assumptions.add(assumption);
      this.proved++;
      const cell = { scenario: row, hardware: record.options as IommuOptions, state: stateOf(record) };
      cells.set(record.policy, [...(cells.get(record.policy) ?? []), cell]);
    }
    return cells;
  }
}

function stateOf({ says, race, raceProof }: VerdictRecord): CellState {
  if (says === "hazard") return "hazard";
  if (says === "no hazard found") return "unsettled";
  if (race) return "race";
  return raceProof && !raceProof.closed ? "unsettled" : "safe";
}

/**
 * Candidates with the same key are the same in this row (docs/advice.md). Which tables are deferred without the mark is asked by the site
 * that frees, and all frees of a row are of one site. Sites that free user tables flush by flush_tlb_mm_range(), which is no hooked
 * flush, and never defer: of a policy they notice the mmu notifier and the root.
 */
function keyOf(policy: CheckedPolicy, kernel: KernelVersion, { name, site, user }: Scenario): string {
  const { name: _name, about: _about, deferUnmarkedOf, ...fields } = policy;
  const noticed = user
    ? { notifyUser: policy.notifyUser, root: policy.root }
    : { ...fields, deferUnmarkedOf: deferUnmarkedOf.includes(site) };
  return JSON.stringify([kernel, name, noticed]);
}
