// Judging cells, by search or by proof. Which cells were judged before changes nothing.

import { finishInTurns, type Turns } from "../base/progress.js";
import type { WasmModule } from "../engine/wasm-module.js";
import { type KernelRecord, resolveKernel } from "../kernel/versions.js";
import { worst } from "./harm.js";
import { hasWork } from "./moves.js";
import type { Cell, Plan } from "./plan.js";
import { hasWorkIn } from "./prove/alike.js";
import { choicesOf, type Wanted } from "./prove/choices.js";
import { Explainer } from "./prove/explain.js";
import { Explorer, type Limits } from "./prove/explore.js";
import {
  boundsOf,
  type ProofBounds,
  type Proved,
  type ProvedBoth,
  proofAssumptions,
  proveBoth,
} from "./prove/prove.js";
import { type Found, search } from "./search.js";
import { Stage } from "./stage.js";
import { tell } from "./story.js";
import type { HazardVerdict, VerdictRecord } from "./verdict.js";

/** Cells that are judged at once: an exploration cannot tell them apart (prove/alike.ts). Of a search one. */
export type CellGroup = readonly [Cell, ...Cell[]];

interface Explored extends ProvedBoth {
  bounds: ProofBounds;
}

/** Judges cells of a plan; the machine is kept as long as cells come that can be judged on it. */
export class Judge {
  #number = -1;
  #stage: Stage | undefined;
  #explorer: Explorer | undefined;
  #explainer: Explainer | undefined;
  readonly #record: KernelRecord;
  readonly #wanted: Wanted;

  constructor(
    private readonly plan: Plan,
    private readonly module: WasmModule,
    private readonly turns: Turns,
  ) {
    const wide = plan.moves === "wide";
    this.#record = resolveKernel(plan.version).record;
    this.#wanted = { race: false, walks: plan.walking.walks === "atomic" ? 0 : wide ? 2 : 1, wide };
  }

  /** The records of cells, in their order. @throws the signal's reason */
  judge(cells: CellGroup): Promise<VerdictRecord[]> {
    return finishInTurns(this.records(cells), this.turns);
  }

  private *records(cells: CellGroup): Generator<void, VerdictRecord[], void> {
    const { limits, depth } = this.plan;
    const [first, ...others] = cells;
    const stage = this.enter(first);
    if (!limits) {
      if (others.length > 0) throw new Error("a search judges cells one by one");
      return [yield* searchCell(stage, first, this.plan, depth, this.turns)];
    }
    this.#explorer ??= new Explorer(stage);
    const explored = yield* this.explore(this.#explorer, first, limits);
    const records = [yield* this.tellProof(first, () => stage, explored, limits)];
    for (const cell of others) {
      let made: Stage | undefined;
      const own = (): Stage => {
        made ??= this.stageOf(cell);
        return made;
      };
      records.push(yield* this.tellProof(cell, own, replayed(own, cell, explored, this.#wanted), limits));
    }
    return records;
  }

  /** The machine of a cell: that of the cell before it, if it will do. */
  private enter(cell: Cell): Stage {
    if (this.#stage && cell.stage === this.#number) return this.#stage;
    this.#number = cell.stage;
    this.#explorer = undefined;
    this.#explainer = undefined;
    this.#stage = this.stageOf(cell);
    return this.#stage;
  }

  private stageOf({ policy, agent, hardware }: Cell): Stage {
    const { version, walking, moves } = this.plan;
    return new Stage(policy, agent, hardware, version, walking, this.module, moves);
  }

  private *explore(explorer: Explorer, cell: Cell, limits: Limits): Generator<void, Explored, void> {
    const { scenario, policy, agent } = cell;
    const bounds = boundsOf(explorer.stage, scenario, this.#wanted);
    // Work that never has anything to do does nothing inside operations either.
    const withRace = hasWorkIn(scenario, policy, agent, this.#record);
    return { ...(yield* proveBoth(explorer, scenario, this.#wanted, withRace, limits, this.turns)), bounds };
  }

  /** What a proof says of a cell. */
  private *tellProof(
    cell: Cell,
    stage: () => Stage,
    { plain, raced, bounds }: Explored,
    limits: Limits,
  ): Generator<void, VerdictRecord, void> {
    const { plan, turns } = this;
    const { scenario } = cell;
    const record = recordOf(stage, cell, plan, plain.found, raced.found);
    const races = !plain.found && hasWork(cell);
    const closed = races && raced.proof.closed;
    const apart = races && raced !== plain;
    // Cells are explained one by one (plan.ts).
    if (plan.explainSafe) this.#explainer ??= new Explainer(stage());
    return {
      ...record,
      says: plain.found ? "hazard" : plain.proof.closed ? "proved safe" : "no hazard found",
      tried: { programs: 0, operations: 0, depth: 0 },
      proof: { ...plain.proof, bounds, assumptions: proofAssumptions(plan.walking.drain) },
      ...(apart && { raceProof: raced.proof }),
      ...(this.#explainer &&
        plain.proof.closed && {
          restsOn: yield* this.#explainer.explain(scenario, this.#wanted, closed, limits, turns),
        }),
    };
  }
}

/** The same programs on a cell's own machine, by its own moves. They must have their hazard there, too. */
function replayed(stage: () => Stage, { scenario }: Cell, explored: Explored, wanted: Wanted): Explored {
  const again = (proved: Proved, race: boolean): Proved => {
    if (!proved.found) return proved;
    const { main, placed } = proved.found.attempt;
    stage().enter(scenario, [0, 1], true);
    const { moves } = choicesOf(stage(), scenario, { ...wanted, race });
    // Requesters have other numbers where a device has a TLB.
    const own = placed.map(({ point, move: { kind, text, walk } }) => {
      const same = moves.find(({ move }) => move.kind === kind && move.text === text && move.walk === walk);
      if (!same) throw new Error(`${scenario.name} is not like the cell that was explored for it: no "${text}" there`);
      return { point, move: same.move };
    });
    const attempt = { main, placed: own };
    stage().play(attempt);
    const hazard = stage().hazards()[0];
    if (!hazard) throw new Error(`${scenario.name} is not like the cell that was explored for it: no hazard there`);
    return { ...proved, found: { attempt, hazard } };
  };
  const plain = again(explored.plain, false);
  return { ...explored, plain, raced: explored.raced === explored.plain ? plain : again(explored.raced, true) };
}

/** What search and proof have found, as a record. `stage`: the machine that programs are told on. */
function recordOf(
  stage: () => Stage,
  cell: Cell,
  { version, walking, moves }: Plan,
  found: Found | undefined,
  race: Found | undefined,
): Omit<VerdictRecord, "says" | "tried"> {
  const { policy, agent, hardware, scenario } = cell;
  const told = (hazard: Found): HazardVerdict => ({
    kind: hazard.hazard.kind,
    witness: tell(stage(), scenario, hazard),
  });
  const which = { kernel: version, policy: policy.name, scenario: scenario.name, site: scenario.site };
  const base = { ...which, agent, options: hardware, ...walking, moves };
  if (!found) {
    const worstRace = race && worst(stage(), scenario, race);
    return { ...base, verdict: "safe", ...(hasWork(cell) && { race: worstRace ? told(worstRace) : null }) };
  }
  const worse = worst(stage(), scenario, found);
  const { witness } = told(found);
  return {
    ...base,
    verdict: "hazard",
    kind: worse.hazard.kind,
    witness,
    ...(worse !== found && { worst: told(worse) }),
  };
}

/** The cell by programs, shortest first. */
function* searchCell(
  stage: Stage,
  cell: Cell,
  plan: Plan,
  most: number,
  turns: Turns,
): Generator<void, VerdictRecord, void> {
  const { agent, scenario } = cell;
  const depth = agent === "cpu" ? most + 1 : most;
  const programs = stage.programs;
  const operations = stage.operations;
  stage.enter(scenario);
  const found = yield* search(stage, scenario, { depth, race: false, turns });
  const race = !found && hasWork(cell) ? yield* search(stage, scenario, { depth: most, race: true, turns }) : undefined;
  const record = recordOf(() => stage, cell, plan, found, race);
  const tried = { programs: stage.programs - programs, operations: stage.operations - operations, depth };
  return { ...record, says: found ? "hazard" : "no hazard found", tried };
}
