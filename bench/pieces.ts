// Taking the times of the pieces of a program. A piece is long enough for the clock and short enough to fall between two
// interruptions; before and after it a fixed small work is timed, which says how fast the machine was just then.

import type { WholeTask } from "./task.js";

/** Times of one piece of work: nanoseconds of every play, what the fixed work beside it took, whether it was interrupted. */
export interface PieceTimes {
  /** Nanoseconds, by piece, then by play. */
  ns: number[][];
  /** Nanoseconds of the fixed work: the longer of that before and that after; by piece, then by play. */
  beside: number[][];
  /** How often another process got the processor meanwhile, by piece, then by play. */
  switches: number[][];
}

/** What a piece is to take at least, in nanoseconds, whatever the clock. */
const LEAST_PIECE = 50_000;
/** And how many steps of the clock. */
const LEAST_STEPS = 200;

const { performance } = globalThis;
const IN_NODE = typeof process !== "undefined";

/** Nanoseconds of the clock, from anywhere. */
export function clockNs(): number {
  return performance.now() * 1e6;
}

/** Nanoseconds of processor time that this process has had, all threads; in a browser, which tells none, those of the clock. */
export function processorNs(): number {
  if (!IN_NODE) return clockNs();
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** The smallest step of the clock that can be seen, in nanoseconds. */
export function clockStep(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 50; i++) {
    const start = clockNs();
    let now = start;
    while (now === start) now = clockNs();
    least = Math.min(least, now - start);
  }
  return least;
}

/** Operations of a piece: a power of two from 16 to 65,536, of a work that takes so many nanoseconds an operation. */
export function pieceSize(nsPerOperation: number, step: number = clockStep()): number {
  const wanted = Math.max(LEAST_PIECE, LEAST_STEPS * step);
  const operations = wanted / Math.max(nsPerOperation, 0.01);
  return 2 ** Math.min(16, Math.max(4, Math.ceil(Math.log2(operations))));
}

/** A work of fewer steps than this cannot be timed alone: a browser's clock has steps as long as some of the programs. */
const ALONE_STEPS = 10;

/** How many plays of a whole work of so many nanoseconds one time is the mean of: 1 unless the clock is too coarse. */
export function playsPerTime(ns: number, step: number = clockStep()): number {
  return ns >= ALONE_STEPS * step ? 1 : Math.ceil((LEAST_STEPS * step) / Math.max(ns, step / 2));
}

/** Calls after which V8 has compiled a loop. */
const WARM = 200;
const CALIBRATION_TURNS = 4096;
/** Nanoseconds that these take, about. */
const CALIBRATION_NS = 4000;
/** The fixed work is so many steps of the clock long at least: a twentieth more of it can then be seen. */
const CALIBRATION_STEPS = 20;
let sink = 1;

/**
 * The fixed work, some microseconds in registers only, with as many independent steps as a core can do at once: on a core whose other
 * half is busy it takes up to twice as long, where a chain of dependent steps would not notice.
 */
export function calibrationNs(turns: number = CALIBRATION_TURNS): number {
  const start = clockNs();
  sink = calibrate(sink, turns);
  return clockNs() - start;
}

/** Turns of the fixed work where the clock has steps of so many nanoseconds: more than usual for a browser's. */
export function calibrationTurns(step: number = clockStep()): number {
  return CALIBRATION_TURNS * Math.max(1, Math.round((CALIBRATION_STEPS * step) / CALIBRATION_NS));
}

/** The least of many. */
export function quietNs(): number {
  return Math.min(...Array.from({ length: 2 * WARM }, () => calibrationNs()));
}

function calibrate(seed: number, turns: number): number {
  let a = seed | 0;
  let b = 2;
  let c = 3;
  let d = 4;
  let e = 5;
  let f = 6;
  for (let i = 0; i < turns; i++) {
    a = ((a + i) | 0) ^ 3;
    b = ((b ^ i) + 5) | 0;
    c = (c - i) | 0;
    d = (d + a) | 0;
    e = e ^ b;
    f = (f + c) | 0;
  }
  return a ^ b ^ c ^ d ^ e ^ f;
}

/** What reading the clock costs, in nanoseconds: it is taken off every piece. */
export function clockCost(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 200; i++) {
    const start = clockNs();
    least = Math.min(least, clockNs() - start);
  }
  return least;
}

/** A browser does not say: there the fixed work has to notice. */
function interruptions(): number {
  if (!IN_NODE) return 0;
  return process.resourceUsage().involuntaryContextSwitches;
}

/** Takes the times of pieces that are played again and again. */
export class PieceClock {
  times: PieceTimes;
  private readonly cost = clockCost();
  private readonly turns = calibrationTurns();

  /** @param plays how many plays one time is the mean of; if more than one, of all pieces as one */
  constructor(
    private readonly pieces: readonly (() => void)[],
    private readonly plays = 1,
  ) {
    // Before the first piece the fixed work has been compiled.
    for (let i = 0; i < WARM; i++) calibrationNs(this.turns);
    this.times = this.noTimes();
  }

  /** Begins anew. */
  forget(): void {
    this.times = this.noTimes();
  }

  private noTimes(): PieceTimes {
    const lists = () => Array.from({ length: this.plays === 1 ? this.pieces.length : 1 }, (): number[] => []);
    return { ns: lists(), beside: lists(), switches: lists() };
  }

  /** Plays all pieces once, in order, each timed, after `prepare`; or all together as often as one time takes. */
  play(prepare: () => void): void {
    if (this.plays > 1) this.playTogether(prepare);
    else this.playApart(prepare);
  }

  private playApart(prepare: () => void): void {
    prepare();
    const { ns, beside, switches } = this.times;
    let before = calibrationNs(this.turns);
    for (const [i, piece] of this.pieces.entries()) {
      const switched = interruptions();
      const start = clockNs();
      piece();
      const took = clockNs() - start;
      const after = calibrationNs(this.turns);
      (ns[i] as number[]).push(Math.max(0, took - this.cost));
      (switches[i] as number[]).push(interruptions() - switched);
      (beside[i] as number[]).push(Math.max(before, after));
      before = after;
    }
  }

  private playTogether(prepare: () => void): void {
    const { ns, beside, switches } = this.times;
    const before = calibrationNs(this.turns);
    const switched = interruptions();
    let sum = 0;
    for (let play = 0; play < this.plays; play++) {
      prepare();
      const start = clockNs();
      for (const piece of this.pieces) piece();
      sum += clockNs() - start;
    }
    ns[0]?.push(Math.max(0, sum / this.plays - this.cost));
    switches[0]?.push(interruptions() - switched);
    beside[0]?.push(Math.max(before, calibrationNs(this.turns)));
  }

  /** Plays work that takes its own time, as one piece. */
  async playWhole({ sample, processorTime }: WholeTask): Promise<void> {
    const { ns, beside, switches } = this.times;
    const before = calibrationNs(this.turns);
    const switched = interruptions();
    ns[0]?.push(await sample());
    switches[0]?.push(processorTime ? 0 : interruptions() - switched);
    beside[0]?.push(Math.max(before, calibrationNs(this.turns)));
  }
}
