// Takes the times of a task: Benchmark.js calls for one bout of plays after the other, and each play is timed piece by piece
// (pieces.ts). A bout has several plays, since a call by Benchmark.js costs milliseconds. Nothing here needs Node.
import { calmest, isQuiet } from "./figure.js";
import { clockNs, clockStep, PieceClock, type PieceTimes, pieceSize, playsPerTime, processorNs } from "./pieces.js";
import type { PiecewiseTask, Task, WholeTask } from "./task.js";
import { timeWithBenchmark } from "./time.js";

/** How long to go on: until each piece has so many quiet times, on the whole, or so much time has passed; so many plays at least. */
export interface Limits {
  plays: number;
  quiet: number;
  seconds: number;
  /** Seconds of processor time that the work is played before, untimed: until compilers have done what they do. */
  warm: number;
  /** The least time of the fixed work that others have seen; null if nobody has. */
  calm: number | null;
}

/** Milliseconds. */
const PAUSE = 5;
/** Nanoseconds of a bout. */
const BOUT = 10e6;
/** Nanoseconds of a clock's step from which on it is a coarse one, and how often a work is tried by such a clock. */
const COARSE = 1000;
const TRIALS = 15;

/** Whether there are as many quiet times as wanted: by the number for all pieces together. */
export function isEnough(times: PieceTimes, { quiet, calm }: Limits): boolean {
  const best = calmest(times, calm ?? Number.POSITIVE_INFINITY);
  const count = times.ns.reduce(
    (sum, list, piece) => sum + list.filter((_, play) => isQuiet(times, piece, play, best)).length,
    0,
  );
  return count >= quiet * times.ns.length;
}

/** One task's clock: pieces are cut at the first play. */
export class Stopwatch {
  private clock: PieceClock | undefined;

  constructor(private readonly task: Task) {}

  /** Takes further times and returns them. */
  async time(limits: Limits): Promise<PieceTimes> {
    const { task } = this;
    const end = clockNs() + limits.seconds * 1e9;
    if ("sample" in task) return timeWhole(task, limits, end);
    this.clock ??= clockOf(task, limits.warm);
    const { clock } = this;
    clock.forget();
    for (;;) {
      const before = clock.times.ns[0]?.length ?? 0;
      timeWithBenchmark(
        () => {
          const enough = clockNs() + BOUT;
          for (let play = 0; play < limits.plays || clockNs() < enough; play++) {
            clock.play(() => task.prepare());
          }
        },
        () => {},
        1,
        0,
      );
      if (clockNs() >= end || isEnough(clock.times, limits)) return clock.times;
      // While the machine is busy with something else it is left to that.
      if (isBusy(clock.times, before, limits)) await new Promise((go) => setTimeout(go, PAUSE));
    }
  }
}

/** Whether all plays from `first` on were disturbed. */
function isBusy(times: PieceTimes, first: number, { calm }: Limits): boolean {
  const best = calmest(times, calm ?? Number.POSITIVE_INFINITY);
  return times.ns.every((list, piece) => list.every((_, play) => play < first || !isQuiet(times, piece, play, best)));
}

/** Plays it until it is warm, and cuts it by what it takes then. */
function clockOf(task: PiecewiseTask, warm: number): PieceClock {
  const whole = task.pieces(65536);
  const enough = processorNs() + warm * 1e9;
  do {
    task.prepare();
    for (const piece of whole) piece();
  } while (processorNs() < enough);
  const step = clockStep();
  const times: number[] = [];
  // One time says enough, unless the clock has steps as long as that: then one that something disturbed would hide it.
  while (times.length === 0 || (step > COARSE && times.length < TRIALS)) {
    task.prepare();
    const start = clockNs();
    for (const piece of whole) piece();
    times.push(clockNs() - start);
  }
  const ns = times.sort((a, b) => a - b)[times.length >> 1] as number;
  return new PieceClock(task.pieces(pieceSize(ns / task.operations, step)), playsPerTime(ns, step));
}

async function timeWhole(task: WholeTask, limits: Limits, end: number): Promise<PieceTimes> {
  const clock = new PieceClock([() => {}]);
  do {
    await clock.playWhole(task);
  } while (clockNs() < end && !isEnough(clock.times, limits));
  return clock.times;
}
