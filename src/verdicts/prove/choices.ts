// What may happen at a state of a cell: operations of the kernel begin or go on to their next point, and others make moves. The moves are
// those of the search, and walks read by read.

import type { ProgramBuilder } from "../../program/program.js";
import { hasWork, type Moves, movesOf } from "../moves.js";
import type { Scenario } from "../scenarios.js";
import { type MainOperation, type Move, recordOf, type Stage } from "../stage.js";

/** What has been done already, in bits: each region's free, the end of the process, an unbind without a bind; the mm that the CPU runs. */
export const done = { free0: 1, free1: 2, exit: 4, unbound: 8, mm: 16 } as const;

/** A move, and when it can be made. */
export interface Choice {
  move: Move;
  /** Bits of {@link done} that must be set, that must be clear; what it sets and what it clears. */
  needs: number;
  refuses: number;
  sets: number;
  clears: number;
  /** Inside operations only, between them only, or anywhere. */
  where: "inside" | "between" | "anywhere";
  /** The walk that must be under way, or must not be; and one that must be before another begins. */
  ends?: 0 | 1;
  begins?: 0 | 1;
  /** It takes a frame that must be free; it is deferred work that must wait. */
  takesFrame?: true;
  runsWork?: true;
}

/** An operation of the kernel itself. Regions' frees come once each; who frees in the second makes a move. */
export interface Operation {
  main: MainOperation;
  sets: number;
  cost: 0 | 1;
}

/** All of a cell. */
export interface Choices {
  operations: readonly Operation[];
  moves: readonly Choice[];
}

/** What is explored beside the search's usual moves. */
export interface Wanted {
  /** Deferred work may run inside operations. */
  race: boolean;
  /** Walks read by read: how many may be under way at once; 0: walks are whole. */
  walks: 0 | 1 | 2;
  /** Bind, unbind, end of the process, page requests on their way. */
  wide: boolean;
  /**
   * Somebody takes the frame that was freed last. A walk that comes to a frame which is no table any more is a hazard, whoever has it by
   * then: it is left out where the kernel takes no frame either (docs/decisions/15-proofs-by-states.md). Default: with wide moves.
   */
  takes?: boolean;
}

/** Whether somebody takes frames. */
export const takesFrames = ({ takes, wide }: Wanted): boolean => takes ?? wide;

export function choicesOf(stage: Stage, scenario: Scenario, wanted: Wanted): Choices {
  const moves = movesOf(stage, scenario);
  const [own, other] = scenario.regions;
  const free = (region: 0 | 1, { text, play }: typeof own.free): MainOperation => ({
    kind: "free",
    text: region === 0 ? text : `elsewhere: ${text}`,
    record: recordOf(play),
    region,
  });
  const frees = [free(0, own.free), free(1, other.free)] as const;
  const operations: Operation[] = [
    { main: frees[0], sets: done.free0, cost: 0 },
    { main: frees[1], sets: done.free1, cost: 1 },
  ];
  const waits = hasWork(stage);
  if (waits) {
    operations.push({
      main: { kind: "work", text: "the deferred work runs", record: recordOf((p) => p.runWork()) },
      sets: 0,
      cost: 0,
    });
  }
  const plain = (move: Move): Choice => ({ move, needs: 0, refuses: 0, sets: 0, clears: 0, where: "anywhere" });
  const accesses = [...moves.reads, ...(scenario.user ? moves.writes : []), ...(wanted.wide ? moves.pending : [])];
  return {
    operations,
    moves: [
      ...accesses.map(plain),
      ...walkChoices(stage, scenario, moves, wanted),
      ...(takesFrames(wanted) ? [{ ...plain(moves.reuse[0] as Move), takesFrame: true as const }] : []),
      ...frees.map((main, region) => ({
        ...plain({ kind: "free", text: main.text, record: main.record, region: region as 0 | 1 } as Move),
        refuses: region === 0 ? done.free0 : done.free1,
        sets: region === 0 ? done.free0 : done.free1,
        where: "inside" as const,
      })),
      ...(wanted.race && waits ? [{ ...plain(moves.work), where: "inside" as const, runsWork: true as const }] : []),
      ...(stage.agent === "cpu" ? moves.switches.map(switchChoice(plain)) : []),
      ...(wanted.wide && stage.policy.root !== "none" ? processChoices(moves, scenario, plain) : []),
    ],
  };
}

function walkChoices(stage: Stage, scenario: Scenario, moves: Moves, { walks }: Wanted): Choice[] {
  const { requester } = stage;
  const none = { needs: 0, refuses: 0, sets: 0, clears: 0, where: "anywhere" as const };
  const choices: Choice[] = [];
  for (const number of ([0, 1] as const).slice(0, walks)) {
    const begins = [...moves.begins[number], ...(scenario.user ? moves.writeBegins[number] : [])];
    // Before its first read a walk knows the root.
    const first = begins.filter(({ record }) => record.length === 2 * 16).map((move) => beforeReading(move));
    choices.push(...[...first, ...begins].map((move): Choice => ({ ...none, move, begins: number })));
    const whose = stage.agent === "cpu" ? `CPU ${requester}` : "the device";
    const step = {
      kind: "step" as const,
      text: `the ${number === 0 ? "" : "second "}walk of ${whose} goes on by one read`,
      record: recordOf((p: ProgramBuilder) => p.stepWalk(number)),
      walk: number,
    };
    choices.push({ ...none, move: step, ends: number }, { ...none, move: moves.finishes[number], ends: number });
  }
  return choices;
}

function beforeReading(move: Move): Move {
  return {
    ...move,
    text: move.text.replace(/, reads its .*/, ", knows the root and waits"),
    record: move.record.slice(0, 16),
  };
}

const switchChoice =
  (plain: (move: Move) => Choice) =>
  (move: Move): Choice =>
    move.mm === 0
      ? { ...plain(move), needs: done.mm, clears: done.mm }
      : { ...plain(move), refuses: done.mm, sets: done.mm };

function processChoices({ processes }: Moves, { user }: Scenario, plain: (move: Move) => Choice): Choice[] {
  return processes.map((move): Choice => {
    const choice = plain(move);
    if (move.kind === "unbind") return { ...choice, refuses: done.unbound | done.exit, sets: done.unbound };
    if (move.kind === "bind") return { ...choice, needs: done.unbound, refuses: done.exit, clears: done.unbound };
    // A process that is inside an operation on its own memory does not end there.
    return { ...choice, refuses: done.exit, sets: done.exit, where: user ? "between" : "anywhere" };
  });
}
