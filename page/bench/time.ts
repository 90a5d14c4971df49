// Taking times in a browser, whose clock has steps of up to a millisecond: a time is of as many plays as it takes to be long beside such a
// step, the least and the middle of several.

import { clockNs, clockStep } from "../../bench/pieces.js";
import type { PiecewiseTask, Task } from "../../bench/task.js";
import type { BenchSample } from "../../src/benchmark/result.js";

/** Times of a round. */
const TIMES = 5;
/** A time is of so many steps of the clock at least, and so many nanoseconds. */
const STEPS = 100;
const LEAST_NS = 10e6;
/** Steps of the clock from which on a single play is long. */
const LONG = 5;
/** Operations of a piece. */
const PIECE = 65536;

/** Times a task: nanoseconds an operation. */
export async function timeTask(task: Task): Promise<BenchSample> {
  const times: number[] = [];
  const take = "sample" in task ? () => task.sample() : piecewise(task);
  await take();
  for (let i = 0; i < TIMES; i++) times.push((await take()) / task.operations);
  times.sort((a, b) => a - b);
  const [least = 0] = times;
  return { least: digits(least), median: digits(times[times.length >> 1] ?? least), times: TIMES, dropped: 0 };
}

/** Nanoseconds of one play, each time as the mean of many. */
function piecewise(task: PiecewiseTask): () => number {
  const pieces = task.pieces(PIECE);
  const step = clockStep();
  const wanted = Math.max(LEAST_NS, STEPS * step);
  const play = (): number => {
    task.prepare();
    const start = clockNs();
    for (const piece of pieces) piece();
    return clockNs() - start;
  };
  // A play that is long is timed by itself, without what is prepared before it. What is short is prepared by nothing (translations), so
  // that many plays are timed in one go.
  const isLong = Math.max(play(), play()) >= LONG * step;
  const many = (plays: number): number => {
    const start = clockNs();
    let alone = 0;
    for (let i = 0; i < plays; i++) alone += play();
    return isLong ? alone : clockNs() - start;
  };
  let plays = 1;
  while (many(plays) < wanted) plays *= 2;
  return () => many(plays) / plays;
}

/** More digits no clock here has. */
function digits(value: number): number {
  return Number(value.toPrecision(6));
}
