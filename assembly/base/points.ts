// Points: places inside and between operations where other agents may act (docs/rules.md section 13).
// A program may carry interleaved operations, each with the number of the point at which it plays. Whoever watches can read
// afterwards which points were reached, by name (kernel/sites.ts has the names).

import { MAX_NESTED } from "./limits";
import { OPERATION_SIZE } from "./record";

/** Points reached; the first interleaved operation of a point still to come; how many operations play inside each other. */
export const REACHED: usize = memory.data(sizeof<u32>(), sizeof<u32>());
export const NEXT: usize = memory.data(sizeof<u32>(), sizeof<u32>());
export const NESTED: usize = memory.data(sizeof<u32>(), sizeof<u32>());

// ---- scratch: nothing survives a call ----
// Set by whoever watches a program, before it plays; meaningless once it has been played.
/** Points are counted only when somebody asked for it. */
export let watching: bool = false;
/** Index, in the module's table of functions, of what plays one operation: programs know operations, points do not. */
let player: u32 = 0;
let operations: usize = 0;
let points: usize = 0;
let interleaved: u32 = 0;
/** Where reached points are written down, and room for how many. */
let trail: usize = 0;
let trailRoom: u32 = 0;

// ---- a reached point in the trail ----
const REACHED_NAME: usize = 0;
const REACHED_NESTED: usize = REACHED_NAME + 4;
const REACHED_AT: usize = REACHED_NESTED + 4;
const REACHED_SHIFT: usize = 4;

/**
 * Where the points that a watched program reaches are written down, from the first on: name (32 bits), how many interleaved
 * operations it is inside of (32), address or frame (64).
 */
export function recordPoints(at: usize, room: u32): void {
  trail = at;
  trailRoom = room;
}

/**
 * Interleaved operations (records) and their points (32 bits each, ascending), played by the function of that index; starts
 * counting points anew.
 */
export function watchPoints(playOne: u32, program: usize, at: usize, count: u32): void {
  assert(count == 0 || (program & (OPERATION_SIZE - 1)) == 0, "interleaved records are not aligned");
  assert((at & 3) == 0, "the numbers of points are not aligned");
  watching = true;
  player = playOne;
  operations = program;
  points = at;
  interleaved = count;
  store<u32>(REACHED, 0);
  store<u32>(NEXT, 0);
  store<u32>(NESTED, 0);
}

/** How many points the program in hand has reached. */
export function pointsReached(): u32 {
  return load<u32>(REACHED);
}

/** Programs reach no points any more. */
export function ignorePoints(): void {
  watching = false;
}

/** The point of that name has been reached; `at`: the address or frame that it is about. */
// @ts-ignore: decorator
@inline
export function point(name: u32, at: u64): void {
  if (watching) reach(name, at);
}

function reach(name: u32, at: u64): void {
  const nested = load<u32>(NESTED);
  if (nested == MAX_NESTED) return;
  const now = load<u32>(REACHED);
  if (now < trailRoom) {
    const place = trail + (<usize>now << REACHED_SHIFT);
    store<u32>(place, name, REACHED_NAME);
    store<u32>(place, nested, REACHED_NESTED);
    store<u64>(place, at, REACHED_AT);
  }
  store<u32>(REACHED, now + 1);
  const first = load<u32>(NEXT);
  if (first == interleaved || pointOf(first) != now) return;
  let end = first;
  while (end < interleaved && pointOf(end) == now) end++;
  // Taken before they play: they reach points themselves, and those have operations of their own.
  store<u32>(NEXT, end);
  store<u32>(NESTED, nested + 1);
  playInterleaved(first, end);
  assert(load<u32>(NESTED) == nested + 1, "points nest wrongly");
  store<u32>(NESTED, nested);
}

// @ts-ignore: decorator
@inline
function pointOf(operation: u32): u32 {
  return load<u32>(points + (<usize>operation << 2));
}

/** Plays what is interleaved at a point. By recursion: a loop would be inlined, by the compiler, into every place that is a point. */
function playInterleaved(next: u32, end: u32): void {
  if (next == end) return;
  assert(end <= interleaved, "more operations play than are interleaved");
  call_indirect<u64>(player, operations + <usize>next * OPERATION_SIZE);
  playInterleaved(next + 1, end);
}
