// What comes of a state: each move that can be made in it, and where the kernel's operations lead next. An operation that is under way
// stands at one of its points; to go on from there it is played again from the cell's begin (docs/decisions/15-proofs-by-states.md).

import { type MainOperation, type Placed, recordOf, type Stage } from "../stage.js";
import { type Board, OPERATION_DONE, type Script } from "./board.js";
import type { Choice, Choices, Operation } from "./choices.js";
import type { Forms } from "./form.js";
import { HASH_WORDS, hashWords } from "./hash.js";
import type { Premises } from "./premises.js";

/** What has been done since the cell's begin, as the search has it. */
export interface Path {
  main: readonly MainOperation[];
  placed: readonly Placed[];
}

/** Where a program stands: a point, counted from the begin, and how far the operation under way has come. */
export interface Place {
  point: number;
  /** First point of the operation. */
  first: number;
  /** Its number among the choices; {@link NONE}: the program stands between two. */
  operation: number;
  /** What has been done already (choices.ts). */
  flags: number;
  /** Number of what there was of tables when the operation began. */
  origin: number;
}

/** No operation is under way. */
export const NONE = 255;

/** What is told of each successor. */
export interface Visitor {
  /** A state; its hashes are {@link Successors.hashes}. */
  state(edge: number, cost: 0 | 1, there: Place): void;
  /** A program with a hazard, and how many moves more it has. */
  hazard(edge: number, cost: 1 | 2, path: Path): void;
}

/** Where every program begins: one operation that does nothing, so that others may act before all else. */
export const BEGIN: Path = {
  main: [{ kind: "start", text: "", record: recordOf((p) => p.time(0n)) }],
  placed: [],
};
/** Edges: 0 goes on to the next point; then operations begin; then moves. */
const GO_ON = 0;
const WALKS = [0, 1] as const;
const NO_TRAIL = new Uint32Array(0);
/** Where a program stands, in so many words at most: three for each point that the operation under way has reached. */
const MOST_PLACE_WORDS = 4096;
/** Moves in which the watched agent walks by itself. */
const WALKING: readonly string[] = ["probe", "write", "begin", "step", "finish"];

export class Successors {
  /** Both hashes of the form of the state told last. */
  readonly hashes = new Uint32Array(HASH_WORDS);
  transitions = 0;
  private readonly where = new Uint32Array(MOST_PLACE_WORDS);
  readonly #origins = new Map<string, number>();

  /** The board is at the cell's begin. */
  constructor(
    private readonly stage: Stage,
    private readonly forms: Forms,
    private readonly board: Board,
    private readonly choices: Choices,
    private readonly premises: Premises,
  ) {}

  /** The state in which the cell begins. */
  begin(): Place {
    const there = { point: 0, first: 0, operation: NONE, flags: 0, origin: 0 };
    this.board.playTo(scriptOf(BEGIN), 0);
    this.board.look();
    this.tell(there, this.trail(there));
    return there;
  }

  /** What has been done where edges lead from the begin, each from its place. */
  along(edges: Iterable<readonly [from: Pick<Place, "point">, edge: number]>): Path {
    const main = [...BEGIN.main];
    const placed: Placed[] = [];
    for (const [from, edge] of edges) this.follow(main, placed, from, edge);
    return { main, placed };
  }

  private follow(main: MainOperation[], placed: Placed[], { point }: Pick<Place, "point">, edge: number): void {
    const { operations, moves } = this.choices;
    if (edge === GO_ON) return;
    if (edge <= operations.length) main.push((operations[edge - 1] as Operation).main);
    else placed.push({ point, move: (moves[edge - 1 - operations.length] as Choice).move });
  }

  /** What has been done where an edge leads from a place. */
  after(path: Path, there: Place, edge: number): Path {
    const [main, placed] = [[...path.main], [...path.placed]];
    this.follow(main, placed, there, edge);
    return { main, placed };
  }

  /** Visits all successors of the state that a path leads to; {@link arrived} is called with its own hashes first. */
  visit(path: Path, there: Place, visitor: Visitor, arrived: () => void): void {
    const { board, choices, stage } = this;
    const { exports } = stage.machine.engine;
    const script = scriptOf(path);
    const reached = board.playTo(script, there.point);
    board.look();
    const trail = this.trail(there);
    this.tell(there, trail);
    arrived();
    const origin = there.operation === NONE ? this.tablesSeen() : there.origin;
    board.hold();
    const waits = exports.workWaits() !== 0;
    const free = exports.freeFrames() > 0;
    const underWay = WALKS.map((walk) => stage.machine.walks.isUnderWay(walk));
    for (let i = 0; i < choices.moves.length; i++) {
      const choice = choices.moves[i] as Choice;
      if (!canBeMade(choice, there, underWay)) continue;
      if ((choice.takesFrame && !free) || (choice.runsWork && !waits)) continue;
      this.move(path, there, trail, 1 + choices.operations.length + i, choice, underWay, visitor);
    }
    if (there.operation !== NONE) {
      this.advance(path, { ...there, point: reached }, GO_ON, underWay, visitor);
      return;
    }
    for (const [i, { main, sets }] of choices.operations.entries()) {
      if ((there.flags & sets) !== 0 || (main.kind === "work" && !waits)) continue;
      const begun = { ...there, point: reached, first: reached, operation: i, flags: there.flags | sets, origin };
      this.advance(this.after(path, there, 1 + i), begun, 1 + i, underWay, visitor);
    }
  }

  /** One move from the state that is held. */
  private move(
    path: Path,
    there: Place,
    trail: Uint32Array,
    edge: number,
    choice: Choice,
    underWay: readonly boolean[],
    visitor: Visitor,
  ): void {
    const { board } = this;
    const { recorded } = board;
    board.play(choice.move.record);
    this.transitions++;
    if (board.recorded !== recorded && this.stage.hazards().length > 0) {
      const longer = this.after(path, there, edge);
      if (WALKING.includes(choice.move.kind)) visitor.hazard(edge, 1, longer);
      else visitor.hazard(edge, 2, this.withEnd(longer, there.point, underWay));
    } else {
      this.premises.check();
      const flags = (there.flags | choice.sets) & ~choice.clears;
      const next = flags === there.flags ? there : { ...there, flags };
      this.tell(next, trail);
      visitor.state(edge, 1, next);
    }
    board.back();
  }

  /** The operation goes on, or begins, and comes to the point `there.point`. */
  private advance(path: Path, there: Place, edge: number, underWay: readonly boolean[], visitor: Visitor): void {
    const { board, choices, stage } = this;
    board.playTo(scriptOf(path), there.point);
    board.look();
    this.transitions++;
    const cost = edge === GO_ON ? 0 : (choices.operations[there.operation] as Operation).cost;
    if (stage.hazards().length > 0) {
      visitor.hazard(edge, cost === 0 ? 1 : 2, this.withEnd(path, there.point, underWay));
      return;
    }
    this.premises.check();
    const over = board.point(there.point).name === OPERATION_DONE;
    const next = over ? { ...there, first: there.point, operation: NONE, origin: 0 } : there;
    this.tell(next, this.trail(next));
    visitor.state(edge, cost, next);
  }

  /** An invalidation has waited for a walk, and that has met the hazard: that it goes on is told as a move. */
  private withEnd({ main, placed }: Path, point: number, underWay: readonly boolean[]): Path {
    const walk = underWay.findIndex((was, i) => was && !this.stage.machine.walks.isUnderWay(i));
    const end = this.choices.moves.find(({ move, ends }) => ends === walk && move.kind === "finish");
    if (!end) throw new Error("a hazard was met by nobody's access, and no walk under way has ended");
    return { main, placed: [...placed, { point, move: end.move }] };
  }

  private tell({ operation, flags, origin }: Place, trail: Uint32Array): void {
    const { where } = this;
    where[0] = operation;
    where[1] = flags;
    where[2] = origin;
    for (let i = 0; i < trail.length; i++) where[3 + i] = trail[i] as number;
    this.forms.tell(where, 3 + trail.length);
    hashWords(this.forms.words, this.forms.length, this.hashes);
  }

  /**
   * What tells how far an operation has come, and what it keeps to itself while others act: the points that it has reached, with what
   * each told (a frame that it has freed, how many tables it has taken).
   */
  private trail({ first, point, operation }: Place): Uint32Array {
    if (operation === NONE) return NO_TRAIL;
    const words: number[] = [];
    for (let number = first; number <= point; number++) {
      const { name, nested, low, high } = this.board.point(number);
      if (nested === 0) words.push(name, low, high);
    }
    if (words.length + 3 > this.where.length) throw new Error(`an operation reaches ${words.length / 3} points`);
    return Uint32Array.from(words);
  }

  /** Number of what there is of tables in the form told last: what an operation that begins here may read before its first point. */
  private tablesSeen(): number {
    const { words, length, tablesAt } = this.forms;
    const key = words.subarray(tablesAt, length).join(" ");
    const known = this.#origins.get(key);
    if (known !== undefined) return known;
    this.#origins.set(key, this.#origins.size + 1);
    return this.#origins.size;
  }
}

function scriptOf({ main, placed }: Path): Script {
  return {
    main: main.map(({ record }) => record),
    placed: placed.map(({ move }) => move.record),
    points: placed.map(({ point }) => point),
  };
}

function canBeMade(choice: Choice, { flags, operation }: Place, underWay: readonly boolean[]): boolean {
  if ((flags & choice.needs) !== choice.needs || (flags & choice.refuses) !== 0) return false;
  if (choice.where !== "anywhere" && (choice.where === "inside") !== (operation !== NONE)) return false;
  if (choice.ends !== undefined && !underWay[choice.ends]) return false;
  // The second walk begins beside the first: which of them is which does not matter.
  return choice.begins === undefined || (!underWay[choice.begins] && (choice.begins === 0 || underWay[0] === true));
}
