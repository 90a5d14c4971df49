// All states of a cell: from its begin, whatever can happen in each state, until no new state appears. By breadth: steps of the kernel
// cost nothing, moves cost one, so that the first hazard has fewest moves.

import type { Turns } from "../../base/progress.js";
import type { Scenario } from "../scenarios.js";
import type { Found } from "../search.js";
import { HAZARD_RECORDS, type Stage } from "../stage.js";
import { Board } from "./board.js";
import { choicesOf, takesFrames, type Wanted } from "./choices.js";
import { Forms } from "./form.js";
import { HASH_WORDS } from "./hash.js";
import { Lens } from "./lens.js";
import { NOBODY, Nodes } from "./nodes.js";
import { Premises } from "./premises.js";
import { BEGIN, type Path, type Place, Successors, type Visitor } from "./successors.js";

/** Where an exploration ends though states are left. */
export interface Limits {
  states: number;
  ms: number;
}

/** What comes of an exploration. */
export interface Explored {
  /** A program with a hazard that has fewest moves, and how many it has. */
  found?: Found;
  moves?: number;
  states: number;
  transitions: number;
  /** Which limit ended it; undefined: there are no more states. */
  ended?: "states" | "time";
  /** Every state that takes fewer moves than this has been gone on from. */
  depth: number;
}

/** A path and where it leads. */
export interface Arrival {
  path: Path;
  there: Place;
}

/** Told of a state that was reached again, by another path. For tests. */
export type Again = (known: Arrival, again: Arrival) => void;

/** A machine on which cells of one policy and hardware are explored, one after the other. */
export class Explorer {
  readonly forms: Forms;
  readonly board: Board;

  constructor(readonly stage: Stage) {
    const lens = new Lens(stage.machine);
    this.forms = new Forms(stage.machine, lens, HAZARD_RECORDS);
    this.board = new Board(stage.machine, lens, this.forms);
  }

  /** The successors of states of a cell, at whose begin the machine is now. */
  enter(scenario: Scenario, wanted: Wanted): Successors {
    this.stage.enter(scenario, [0, 1], true);
    this.board.begin(this.stage.beginning);
    const premises = new Premises(this.stage, this.forms, scenario, takesFrames(wanted));
    return new Successors(this.stage, this.forms, this.board, choicesOf(this.stage, scenario, wanted), premises);
  }

  /** Explores a cell; stops (yields) where the host should have its turn. */
  *explore(
    scenario: Scenario,
    wanted: Wanted,
    limits: Limits,
    turns: Turns,
    again?: Again,
  ): Generator<void, Explored, void> {
    const successors = this.enter(scenario, wanted);
    try {
      return yield* new Exploration(this.stage, this.board, successors, limits, turns, again).run();
    } finally {
      this.board.rewind();
    }
  }
}

const plainness = ({ placed }: Path): number => ["finish", "probe"].indexOf(placed.at(-1)?.move.kind ?? "");

class Exploration implements Visitor {
  readonly #nodes = new Nodes();
  /** States to go on from with the present number of moves, and with one more. */
  #now: number[] = [];
  #next: number[] = [];
  #node = NOBODY;
  #path: Path = BEGIN;
  #hazard: { moves: number; path: Path } | undefined;

  constructor(
    private readonly stage: Stage,
    private readonly board: Board,
    private readonly successors: Successors,
    private readonly limits: Limits,
    private readonly turns: Turns,
    private readonly again: Again | undefined,
  ) {}

  *run(): Generator<void, Explored, void> {
    const nodes = this.#nodes;
    const begun = performance.now();
    this.enter(0, 0, this.successors.begin());
    let depth = 0;
    for (; this.#now.length > 0; depth++) {
      for (let i = 0; i < this.#now.length; i++) {
        const node = this.#now[i] as number;
        // Not if it was reached with fewer moves meanwhile: then it has been gone on from.
        if (nodes.moves[node] !== depth) continue;
        const before = this.successors.transitions;
        this.goOnFrom(node);
        const ended = this.limit(begun);
        if (ended) return { ...this.result(depth), ended };
        if (this.turns.after(this.successors.transitions - before)) yield;
      }
      if (this.#hazard) return this.result(depth + 1);
      this.#now = this.#next;
      this.#next = [];
    }
    return this.result(depth);
  }

  private limit(begun: number): Explored["ended"] {
    if (this.#nodes.size > this.limits.states) return "states";
    return performance.now() - begun > this.limits.ms ? "time" : undefined;
  }

  private result(depth: number): Explored {
    const counts = { states: this.#nodes.size, transitions: this.successors.transitions, depth };
    if (!this.#hazard) return counts;
    const { path: attempt, moves } = this.#hazard;
    this.board.rewind();
    this.stage.play(attempt);
    const hazard = this.stage.hazards()[0];
    if (!hazard) throw new Error("a program with a hazard shows none when it is played again");
    return { ...counts, found: { attempt, hazard }, moves };
  }

  private goOnFrom(node: number): void {
    const { hash } = this.#nodes;
    const { hashes } = this.successors;
    this.#node = node;
    this.#path = this.pathTo(node);
    this.successors.visit(this.#path, this.placeOf(node), this, () => {
      for (let i = 0; i < HASH_WORDS; i++) {
        if (hashes[i] !== hash[node * HASH_WORDS + i]) throw new Error("the same program has come to another state");
      }
    });
  }

  hazard(_edge: number, cost: 1 | 2, path: Path): void {
    const moves = (this.#nodes.moves[this.#node] as number) + cost;
    const known = this.#hazard;
    // Of those with equally many moves, one that ends with an access is the easiest to read, then one with the end of a walk.
    const plainer = moves === known?.moves && plainness(path) > plainness(known.path);
    if (!known || moves < known.moves || plainer) this.#hazard = { moves, path };
  }

  state(edge: number, cost: 0 | 1, there: Place): void {
    this.enter(edge, (this.#nodes.moves[this.#node] as number) + cost, there);
  }

  /** The state that has just been told, reached by an edge from the one that is gone on from. */
  private enter(edge: number, moves: number, there: Place): void {
    const nodes = this.#nodes;
    const found = nodes.find(this.successors.hashes);
    const node = found < 0 ? -1 - found : found;
    if (found >= 0) {
      if (this.again) {
        const path = this.successors.after(this.#path, this.placeOf(this.#node), edge);
        this.again({ path: this.pathTo(node), there: this.placeOf(node) }, { path, there });
      }
      if ((nodes.moves[node] as number) <= moves) return;
    }
    nodes.parent[node] = this.#node;
    nodes.edge[node] = edge;
    nodes.moves[node] = moves;
    nodes.point[node] = there.point;
    nodes.first[node] = there.first;
    nodes.operation[node] = there.operation;
    nodes.flags[node] = there.flags;
    nodes.origin[node] = there.origin;
    (this.#node === NOBODY || moves === nodes.moves[this.#node] ? this.#now : this.#next).push(node);
  }

  private placeOf(node: number): Place {
    const nodes = this.#nodes;
    return {
      point: nodes.point[node] as number,
      first: nodes.first[node] as number,
      operation: nodes.operation[node] as number,
      flags: nodes.flags[node] as number,
      origin: nodes.origin[node] as number,
    };
  }

  /** What has been done from the begin to a state. */
  private pathTo(node: number): Path {
    const nodes = this.#nodes;
    const states: number[] = [];
    for (let at = node; nodes.parent[at] !== NOBODY; at = nodes.parent[at] as number) states.push(at);
    return this.successors.along(
      states.reverse().map((at) => {
        const parent = nodes.parent[at] as number;
        return [{ point: nodes.point[parent] as number }, nodes.edge[at] as number] as const;
      }),
    );
  }
}
