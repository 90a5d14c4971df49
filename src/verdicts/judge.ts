// Judging cells, one after the other, by search or by proof. Which cells were judged before changes nothing.

import { finishInTurns, type Turns } from "../base/progress.js";
import type { WasmModule } from "../engine/wasm-module.js";
import { worst } from "./harm.js";
import { hasWork } from "./moves.js";
import type { Cell, Plan } from "./plan.js";
import type { Wanted } from "./prove/choices.js";
import { Explainer } from "./prove/explain.js";
import { Explorer, type Limits } from "./prove/explore.js";
import { boundsOf, proofAssumptions, proveCell } from "./prove/prove.js";
import type { Scenario } from "./scenarios.js";
import { type Found, search } from "./search.js";
import { Stage } from "./stage.js";
import { tell } from "./story.js";
import type { HazardVerdict, VerdictRecord } from "./verdict.js";

/** Judges cells of a plan; the machine is kept as long as cells come that can be judged on it. */
export class Judge {
  #number = -1;
  #judge: ((scenario: Scenario) => Generator<void, VerdictRecord, void>) | undefined;

  constructor(
    private readonly plan: Plan,
    private readonly module: WasmModule,
    private readonly turns: Turns,
  ) {}

  /** @throws the signal's reason */
  judge(cell: Cell): Promise<VerdictRecord> {
    if (!this.#judge || cell.stage !== this.#number) this.#judge = this.enter(cell);
    this.#number = cell.stage;
    return finishInTurns(this.#judge(cell.scenario), this.turns);
  }

  private enter({ policy, agent, hardware }: Cell): (scenario: Scenario) => Generator<void, VerdictRecord, void> {
    const { plan, module, turns } = this;
    const { version, walking, moves, limits, depth, explainSafe } = plan;
    const stage = new Stage(policy, agent, hardware, version, walking, module, moves);
    if (!limits) return (scenario) => searchCell(stage, scenario, depth, turns);
    const explorer = new Explorer(stage);
    const explainer = explainSafe ? new Explainer(stage) : undefined;
    return (scenario) => prove(explorer, scenario, limits, turns, explainer);
  }
}

/** What search and proof have found, as a record. */
function recordOf(
  stage: Stage,
  scenario: Scenario,
  found: Found | undefined,
  race: Found | undefined,
): Omit<VerdictRecord, "says" | "tried"> {
  const { policy, agent, options, version, walking, moves } = stage;
  const told = (hazard: Found): HazardVerdict => ({ kind: hazard.hazard.kind, witness: tell(stage, scenario, hazard) });
  const cell = { kernel: version, policy: policy.name, scenario: scenario.name, site: scenario.site };
  const base = { ...cell, agent, options, ...walking, moves };
  if (!found) {
    const worstRace = race && worst(stage, scenario, race);
    return { ...base, verdict: "safe", ...(hasWork(stage) && { race: worstRace ? told(worstRace) : null }) };
  }
  const worse = worst(stage, scenario, found);
  const { witness } = told(found);
  return {
    ...base,
    verdict: "hazard",
    kind: worse.hazard.kind,
    witness,
    ...(worse !== found && { worst: told(worse) }),
  };
}

/** The cell by its states. */
function* prove(
  explorer: Explorer,
  scenario: Scenario,
  limits: Limits,
  turns: Turns,
  explainer: Explainer | undefined,
): Generator<void, VerdictRecord, void> {
  const { stage } = explorer;
  const wide = stage.moves === "wide";
  const wanted: Wanted = { race: false, walks: stage.walking.walks === "atomic" ? 0 : wide ? 2 : 1, wide };
  const plain = yield* proveCell(explorer, scenario, wanted, limits, turns);
  const raced =
    !plain.found && hasWork(stage)
      ? yield* proveCell(explorer, scenario, { ...wanted, race: true }, limits, turns)
      : undefined;
  const record = recordOf(stage, scenario, plain.found, raced?.found);
  return {
    ...record,
    says: plain.found ? "hazard" : plain.proof.closed ? "proved safe" : "no hazard found",
    tried: { programs: 0, operations: 0, depth: 0 },
    proof: {
      ...plain.proof,
      bounds: boundsOf(stage, scenario, wanted),
      assumptions: proofAssumptions(stage.walking.drain),
    },
    ...(raced && { raceProof: raced.proof }),
    ...(explainer &&
      plain.proof.closed && {
        restsOn: yield* explainer.explain(scenario, wanted, raced?.proof.closed === true, limits, turns),
      }),
  };
}

/** The cell by programs, shortest first. */
function* searchCell(
  stage: Stage,
  scenario: Scenario,
  most: number,
  turns: Turns,
): Generator<void, VerdictRecord, void> {
  const { agent } = stage;
  const depth = agent === "cpu" ? most + 1 : most;
  const programs = stage.programs;
  const operations = stage.operations;
  stage.enter(scenario);
  const found = yield* search(stage, scenario, { depth, race: false, turns });
  const race =
    !found && hasWork(stage) ? yield* search(stage, scenario, { depth: most, race: true, turns }) : undefined;
  const record = recordOf(stage, scenario, found, race);
  const tried = { programs: stage.programs - programs, operations: stage.operations - operations, depth };
  return { ...record, says: found ? "hazard" : "no hazard found", tried };
}
