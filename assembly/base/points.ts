// Points: places inside and between operations where other agents may act (docs/rules.md section 13).
// A program may carry interleaved operations, each with the number of the point at which it plays.

import { OPERATION_SIZE, playOne } from "../program/play";

/** Points reached; next interleaved operation; whether interleaved operations are playing. */
const STATE: usize = memory.data(12, 4);
const NEXT: usize = 4;
const PLAYING: usize = 8;

/** Points are counted only when somebody asked for it. */
let watching: bool = false;
let operations: usize = 0;
let points: usize = 0;
let interleaved: u32 = 0;

/** Interleaved operations (16 bytes each) and their points (32 bits each, ascending); starts counting points anew. */
export function setInterleaved(program: usize, at: usize, count: u32): void {
  watching = true;
  operations = program;
  points = at;
  interleaved = count;
  memory.fill(STATE, 0, 12);
}

export function pointsReached(): u32 {
  return load<u32>(STATE);
}

/** Programs reach no points any more. */
export function ignorePoints(): void {
  watching = false;
}

/** A point has been reached. */
// @ts-ignore: decorator
@inline
export function point(): void {
  if (watching) reach();
}

function reach(): void {
  if (load<u32>(STATE, PLAYING)) return;
  const now = load<u32>(STATE);
  store<u32>(STATE, now + 1);
  let next = load<u32>(STATE, NEXT);
  if (next >= interleaved || load<u32>(points + (<usize>next << 2)) != now) return;
  store<u32>(STATE, 1, PLAYING);
  while (next < interleaved && load<u32>(points + (<usize>next << 2)) == now) {
    playOne(operations + <usize>next * OPERATION_SIZE);
    next++;
  }
  store<u32>(STATE, next, NEXT);
  store<u32>(STATE, 0, PLAYING);
}
