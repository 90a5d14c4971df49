// What the times of one process come to. A piece counts as disturbed if another process got the processor meanwhile, or if the fixed
// work beside it was much slower than it has ever been seen: then something else had the other half of the core, or the machine.
import type { BenchSample } from "../src/benchmark/result.js";
import type { PieceTimes } from "./pieces.js";

/** How slow the fixed work may be, over its least. */
const DISTURBED = 1.15;

/** Quiet times that a figure is made of, at least; of many pieces half as many. */
const LEAST_QUIET = 5;

/** Adds times of the same pieces. @throws RangeError for none */
export function joinTimes(parts: readonly PieceTimes[]): PieceTimes {
  const [first, ...rest] = parts;
  if (!first) throw new RangeError("no times");
  const join = (key: keyof PieceTimes) =>
    first[key].map((list, piece) => list.concat(...rest.map((it) => it[key][piece] as number[])));
  return { ns: join("ns"), beside: join("beside"), switches: join("switches") };
}

/** The least time of the fixed work among these, or `before`. */
export function calmest({ beside }: PieceTimes, before: number): number {
  return beside.flat().reduce((least, value) => (value < least ? value : least), before);
}

/** Whether a time of a piece was taken while nothing disturbed it: neither then nor at the pieces before and after. */
export function isQuiet(times: PieceTimes, piece: number, play: number, calm: number): boolean {
  const { beside, switches } = times;
  if (switches[piece]?.[play] !== 0) return false;
  const pieces = beside.length;
  const at = play * pieces + piece;
  // Outside the list there is nothing that could have been disturbed.
  const besideAt = (i: number) => beside[((i % pieces) + pieces) % pieces]?.[Math.floor(i / pieces)] ?? 0;
  return Math.max(besideAt(at - 1), besideAt(at), besideAt(at + 1)) <= calm * DISTURBED;
}

/**
 * Nanoseconds an operation: the least and the median of each piece's quiet times, summed over the pieces. A piece that never was quiet
 * is taken for as much below its median as the others are. Where too few were quiet all times are taken, and `times` is 0.
 * @param calm the least time of the fixed work that was ever seen
 */
export function figureOf(all: PieceTimes, operations: number, calm: number): BenchSample {
  const pieces = all.ns.map((times, piece) => {
    const quiet = times.filter((_, play) => isQuiet(all, piece, play, calm)).sort((a, b) => a - b);
    return { times: [...times].sort((a, b) => a - b), quiet };
  });
  const times = pieces.reduce((count, { quiet }) => count + quiet.length, 0);
  const dropped = pieces.reduce((count, it) => count + it.times.length, 0) - times;
  // Of long work there are few times, and one that was quiet is more than none.
  const few = times + dropped < LEAST_QUIET;
  if (times < (few ? 1 : Math.max(LEAST_QUIET, pieces.length / 2))) {
    const least = sumOf(pieces.map((it) => it.times[0] as number));
    const median = sumOf(pieces.map((it) => middle(it.times)));
    return {
      least: rounded(least / operations),
      median: rounded(median / operations),
      times: 0,
      dropped: times + dropped,
    };
  }
  const known = pieces.filter(({ quiet }) => quiet.length > 0);
  const unknown = pieces.filter(({ quiet }) => quiet.length === 0);
  const usual = sumOf(known.map((it) => middle(it.times)));
  const rest = 1 + sumOf(unknown.map((it) => middle(it.times))) / Math.max(usual, Number.MIN_VALUE);
  const least = sumOf(known.map(({ quiet }) => quiet[0] as number)) * rest;
  const median = sumOf(known.map(({ quiet }) => middle(quiet))) * rest;
  return { least: rounded(least / operations), median: rounded(median / operations), times, dropped };
}

function middle(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1] as number;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Six digits are more than any clock here has. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
