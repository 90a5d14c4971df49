// The search for the shortest hazard: all programs with one move, then all with two, … A move is a probe, a reuse, another free, a
// switch, or a piece of a walk, and of the wide moves a bind, an unbind, the end of the process, or a piece of a second walk (turn.ts);
// each may stand at any point of a program, also inside kernel operations. Deferred work stands between operations, or, in a
// race search, also inside them.

import type { Turns } from "../base/progress.js";
import type { Hazard } from "../kernel/hazards.js";
import { type Moves, mainOf, movesOf } from "./moves.js";
import type { Scenario } from "./scenarios.js";
import type { Attempt, Leaves, MainOperation, Move, Placed, Stage } from "./stage.js";
import { mayTurn, walksOf } from "./turn.js";

/** A program with a hazard. */
export interface Found {
  attempt: Attempt;
  hazard: Hazard;
}

/** What is searched. */
export interface SearchOptions {
  /** Most moves of a program. */
  depth: number;
  /** Deferred work may also run inside kernel operations. */
  race: boolean;
  /** Says when the host should have its turn. */
  turns: Turns;
  /** Play last probes one by one where all of them could be played at once: the same, for a test that compares. */
  oneByOne?: boolean;
}

/** What comes of a search, which stops (yields) where the host should have its turn. */
export type Search = Generator<void, Found | undefined, void>;

/** Programs with fewest moves first; undefined if none up to the depth has a hazard. The stage has entered the scenario. */
export function* search(stage: Stage, scenario: Scenario, options: SearchOptions): Search {
  const tries = new Tries(stage, scenario, options);
  for (let depth = 1; depth <= options.depth; depth++) {
    const found = yield* tries.withMoves(depth);
    if (found) return shorten(stage, found);
  }
  return undefined;
}

/** Leaves out what the kernel does after the hazard. */
function shorten(stage: Stage, { attempt, hazard }: Found): Found {
  const last = attempt.placed.at(-1)?.point ?? 0;
  for (let count = 2; count < attempt.main.length; count++) {
    const shorter = { main: attempt.main.slice(0, count), placed: attempt.placed };
    if (stage.play(shorter) > last && stage.hazards().length > 0) return tidy(stage, { attempt: shorter, hazard });
  }
  return tidy(stage, { attempt, hazard });
}

/** Moves that need not stand inside a kernel operation go behind it, last ones first: such a story reads more easily. */
export function tidy(stage: Stage, found: Found): Found {
  const { main } = found.attempt;
  const ends = main.map((_, i) => stage.play({ main: main.slice(0, i + 1), placed: found.attempt.placed }) - 1);
  let result = found;
  for (let i = found.attempt.placed.length - 1; i >= 0; i--) {
    const { placed } = result.attempt;
    const { point, move } = placed[i] as Placed;
    const end = ends.find((at) => at >= point);
    if (end === undefined || end === point || (placed[i + 1]?.point ?? end) < end) continue;
    const attempt = { main, placed: placed.with(i, { point: end, move }) };
    stage.play(attempt);
    const hazard = stage.hazards()[0];
    if (hazard?.frame === found.hazard.frame) result = { attempt, hazard };
  }
  return result;
}

/** Points that are not the program's own: what is interleaved plays as a whole, and no move stands there. */
const NESTED = 0;
/** Points of the program's own inside an operation, and between two. */
const INSIDE = 1;
const BETWEEN = 2;

/** By point: which of these it is. */
type Own = readonly (typeof NESTED | typeof INSIDE | typeof BETWEEN)[];

/** All placements of moves over what the kernel does. */
class Tries {
  private readonly main: readonly MainOperation[];
  private readonly points: Own;
  private readonly firstRelease: number;
  private readonly probes: readonly Move[];
  private readonly lastProbes: readonly Move[];
  private readonly others: readonly Move[];
  /** Where walks are made step by step: by walk, how it begins, and the move that ends it. */
  private readonly begins: readonly (readonly Move[])[];
  private readonly finishes: readonly Move[];
  private readonly placed: Placed[] = [];
  private readonly turns: Turns;
  /** Whether last probes at one point are played together first. A page request that follows one drops what another could meet. */
  private readonly together: boolean;

  constructor(
    private readonly stage: Stage,
    private readonly scenario: Scenario,
    { race, turns, oneByOne = false }: SearchOptions,
  ) {
    this.turns = turns;
    this.together = !oneByOne && !stage.sendsPageRequests;
    const moves: Moves = movesOf(stage, scenario);
    this.main = mainOf(stage, scenario);
    const wide = stage.moves === "wide";
    this.probes = wide ? [...moves.reads, ...moves.pending] : moves.reads;
    // A write walks as a read does; only user leaves can be dirtied, so only there it may find something else.
    this.lastProbes = scenario.user ? [...moves.reads, ...moves.writes] : moves.reads;
    // CPUs are flushed by the site itself: another free elsewhere can only flush more. Who takes a frame makes a hazard
    // worse, not a hazard of what was none; programs of CPUs do without, since they have switches to place.
    const cpu = stage.agent === "cpu";
    this.others = [
      ...(cpu ? moves.switches : [...moves.reuse.slice(0, 1), moves.freeAgain]),
      ...(race ? [moves.work] : []),
      ...(wide && stage.policy.root !== "none" ? moves.processes : []),
    ];
    this.begins = !stage.inPieces(scenario) ? [] : wide ? moves.begins : moves.begins.slice(0, 1);
    this.finishes = moves.finishes;
    this.points = this.ownPoints();
    this.firstRelease = this.findFirstRelease(moves.reuse[0] as Move);
  }

  /** First point at which the next frame to be given out is one that the program has freed. */
  private findFirstRelease(reuse: Move): number {
    const { stage } = this;
    stage.rewind();
    const untouched = stage.kernel.freeFrames().at(-1) as number;
    for (let point = 0; point < this.points.length; point++) {
      stage.play({ main: this.main, placed: [{ point, move: reuse }] });
      if (stage.machine.frames.describe(untouched)?.state !== "data") return point;
    }
    return this.points.length;
  }

  /** The points that what is placed leads to, and which of them are the program's own. */
  private ownPoints(): Own {
    this.stage.play({ main: this.main, placed: this.placed });
    return this.stage.machine.reachedPoints().map(({ nested, name }) => {
      if (nested > 0) return NESTED;
      return name === "OPERATION_DONE" ? BETWEEN : INSIDE;
    });
  }

  /** Tries every program with exactly `depth` moves, the last of which is a probe, or the end of a walk that began in it. */
  withMoves(depth: number): Search {
    this.placed.length = 0;
    return this.place(depth, 0, this.points, 0);
  }

  private *place(left: number, from: number, points: Own, mm: number): Search {
    const last = left === 1;
    const freed = this.placed.some(({ move }) => move.kind === "free");
    const owed = !freed && this.placed.some(({ move }) => move.region === 1);
    // The second region is worth a look only in programs that free there: one that has looked must still free, then look.
    const regions = freed || (!last && left > 2 && this.stage.agent === "iommu") ? 2 : 1;
    const candidates = this.candidates(last).filter(({ region }) => (region ?? 0) < regions);
    const only = owed && left === 2;
    if (owed && last) return undefined;
    const before = last && this.together ? this.leavesBefore() : undefined;
    for (let point = from; point < points.length; point++) {
      if (points[point] === NESTED) continue;
      const moves = only ? [] : candidates.filter((move) => !this.repeats(point, move));
      if (last) {
        const found = this.tryEach(point, moves, before);
        if (found) return found;
        if (this.turns.after(moves.length * (this.main.length + this.placed.length))) yield;
        continue;
      }
      for (const move of moves) {
        const found = yield* this.goOn({ point, move }, left, points, mm);
        if (found) return found;
      }
      for (const move of this.others) {
        if (only ? move.kind !== "free" : !this.makesSense(point, move, mm, points)) continue;
        const found = yield* this.goOn({ point, move }, left, points, move.mm ?? mm);
        if (found) return found;
      }
    }
    return undefined;
  }

  /** Probes and pieces of walks that may come next. With one walk nothing but its end makes use of it. */
  private candidates(last: boolean): readonly Move[] {
    const { begun, underWay } = walksOf(this.placed);
    if (begun > 0) {
      const ends = underWay.map((walk) => this.finishes[walk] as Move);
      if (this.begins.length < 2) return last ? ends : [];
      return last ? [...ends, ...this.lastProbes] : [...ends, ...this.probes, ...(this.begins[begun] ?? [])];
    }
    if (last) return this.lastProbes;
    // What a probe leaves in caches is no help to a walk that has begun already, or begins at the root.
    const probed = this.placed.some(({ move }) => move.kind === "probe");
    return probed ? this.probes : [...this.probes, ...(this.begins[0] ?? [])];
  }

  private *goOn(next: Placed, left: number, points: Own, mm: number): Search {
    this.placed.push(next);
    // A free or deferred work inside a program changes what later deferred work has to do, so the points there; the end of a
    // process reaches points itself.
    const changes = !["probe", "write", "begin", "finish", "reuse", "switch"].includes(next.move.kind);
    const reached = changes ? this.ownPoints() : points;
    const found = yield* this.place(left - 1, next.point, reached, mm);
    this.placed.pop();
    return found;
  }

  /** Hits and fills of leaves before the last move. */
  private leavesBefore(): Leaves {
    this.stage.playUncounted({ main: this.main, placed: this.placed });
    return this.stage.leaves();
  }

  /** Tries the programs that end with one of these moves, at this point. */
  private tryEach(point: number, moves: readonly Move[], before: Leaves | undefined): Found | undefined {
    for (let i = 0; i < moves.length; ) {
      const safe = before ? this.safeAhead(point, moves.slice(i), before) : 0;
      const found = safe === 0 && this.tryWith({ point, move: moves[i] as Move });
      if (found) return found;
      i += Math.max(safe, 1);
    }
    return undefined;
  }

  /**
   * How many of the programs that end with one of these moves are known to have no hazard, from the first on. Seen of one program
   * that ends with all probes of the same kind (docs/decisions/03-search-by-deepening.md); 0 if it has a hazard.
   */
  private safeAhead(point: number, moves: readonly Move[], before: Leaves): number {
    const { kind } = moves[0] as Move;
    const other = moves.findIndex((move) => move.kind !== kind);
    const probes = other < 0 ? moves : moves.slice(0, other);
    if (kind === "finish" || probes.length < 2) return 0;
    const { stage, main, placed } = this;
    stage.playUncounted({ main, placed: [...placed, ...probes.map((move) => ({ point, move }))] });
    if (stage.hazards().length > 0) return 0;
    // A leaf that one of them has filled may have answered another, which would have walked elsewhere: then only the first is as alone.
    const { hits, fills } = stage.leaves();
    const safe = hits === before.hits || fills === before.fills ? probes.length : 1;
    stage.count(safe, { main, placed: [...placed, { point, move: moves[0] as Move }] });
    return safe;
  }

  private tryWith(last: Placed): Found | undefined {
    this.placed.push(last);
    this.stage.play({ main: this.main, placed: this.placed });
    const hazard = this.stage.hazards()[0];
    const attempt = { main: this.main, placed: [...this.placed] };
    this.placed.pop();
    return hazard && { attempt, hazard };
  }

  /** Probes that follow each other at one point may come in any order: only one order is tried, and none twice. */
  private repeats(point: number, move: Move): boolean {
    const before = this.placed.at(-1);
    if (before?.point !== point || before.move.kind !== "probe" || move.kind !== "probe") return false;
    return this.probes.indexOf(move) <= this.probes.indexOf(before.move);
  }

  private makesSense(point: number, move: Move, mm: number, points: Own): boolean {
    if (move.kind === "reuse") return point >= this.firstRelease;
    if (move.kind === "switch") return move.mm !== mm;
    // A process that is inside an operation on its own memory does not end there.
    if (move.kind === "exit" && this.scenario.user && points[point] !== BETWEEN) return false;
    return mayTurn(this.placed, move);
  }
}
