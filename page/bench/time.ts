// Taking times in a browser, whose clock has steps of up to a millisecond: a time is of as many plays as it takes to be long beside such a
// step, the least and the middle of several.

import { clockNs, clockStep } from "../../bench/pieces.js";
import type { PiecewiseTask, Task } from "../../bench/task.js";
import type { BenchSample } from "../../src/benchmark/result.js";

/** Times of a round. */
const TIMES = 5;
/** A time is of so many steps of the clock at least, and so many nanoseconds. */
const STEPS = 100;
/** The same where each play is shorter than a step and timed by itself: one time, in which what steps round off is a thirtieth. */
const STEPS_APART = 750;
const LEAST_NS = 10e6;
/** Steps of the clock from which on a single play is long. */
const LONG = 5;
/** Operations of a piece. */
const PIECE = 65536;

/** Times a task: nanoseconds an operation. `apart`: its preparation is no part of its time, however short a play is. */
export async function timeTask(task: Task, apart: boolean): Promise<BenchSample> {
  const times: number[] = [];
  const { take, enough } = "sample" in task ? { take: () => task.sample(), enough: TIMES } : piecewise(task, apart);
  await take();
  for (let i = 0; i < enough; i++) times.push((await take()) / task.operations);
  times.sort((a, b) => a - b);
  const [least = 0] = times;
  return { least: digits(least), median: digits(times[times.length >> 1] ?? least), times: enough, dropped: 0 };
}

/** Nanoseconds of one play, each time as the mean of many, and how many such are enough. */
function piecewise(task: PiecewiseTask, apart: boolean): { take: () => number; enough: number } {
  const pieces = task.pieces(PIECE);
  const step = clockStep();
  const play = (): number => {
    task.prepare();
    const start = clockNs();
    for (const piece of pieces) piece();
    return clockNs() - start;
  };
  // A play that is long is timed by itself, without what is prepared before it; so is one whose preparation would be most of the time
  // (flushes: caches are filled). The clock gives 0 or a step for each of these, and their sum what they took. What is short and prepared
  // by nothing (translations) is timed in one go, as often as it takes.
  const isLong = Math.max(play(), play()) >= LONG * step;
  const many = (plays: number): number => {
    const start = clockNs();
    let alone = 0;
    for (let i = 0; i < plays; i++) alone += play();
    return isLong || apart ? alone : clockNs() - start;
  };
  const blurred = apart && !isLong;
  const wanted = Math.max(LEAST_NS, (blurred ? STEPS_APART : STEPS) * step);
  let plays = 1;
  let took = many(plays);
  for (; took < LONG * step; took = many(plays)) plays *= 2;
  plays = Math.ceil((plays * wanted) / took);
  // Who was interrupted meanwhile took a few plays for long: until it is at least half as long as wanted, a time goes on.
  const take = (): number => {
    let ns = 0;
    let played = 0;
    for (; ns < wanted / 2; played += plays) ns += many(plays);
    return ns / played;
  };
  return { take, enough: blurred ? 1 : TIMES };
}

/** More digits no clock here has. */
function digits(value: number): number {
  return Number(value.toPrecision(6));
}
