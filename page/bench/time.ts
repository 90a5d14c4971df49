// Taking times in a browser, whose clock has steps of up to a millisecond: a time is of as many plays as it takes to be long beside such a
// step, the least and the middle of several. What is played before each play, untimed, is timed by itself and taken off.

import { clockNs, clockStep } from "../../bench/pieces.js";
import type { PiecewiseTask, Task } from "../../bench/task.js";
import type { BenchSample } from "../../src/benchmark/result.js";

/** Times of a round. */
const TIMES = 5;
/** A time is of so many steps of the clock at least, and so many nanoseconds. */
const STEPS = 100;
const LEAST_NS = 10e6;
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
  const play = (): void => {
    task.prepare();
    for (const piece of pieces) piece();
  };
  const wanted = Math.max(LEAST_NS, STEPS * clockStep());
  let plays = 1;
  while (spanOf(play, plays) < wanted) plays *= 2;
  return () => Math.max(1, spanOf(play, plays) - spanOf(() => task.prepare(), plays)) / plays;
}

function spanOf(act: () => void, times: number): number {
  const start = clockNs();
  for (let i = 0; i < times; i++) act();
  return clockNs() - start;
}

/** More digits no clock here has. */
function digits(value: number): number {
  return Number(value.toPrecision(6));
}
