// Estimates of a time from samples of several rounds. Means are useless on a shared machine: one interruption moves them. The median
// says what a run usually took, the least what the work takes when nobody disturbs it. The intervals are bootstrapped: rounds
// are drawn anew with replacement, as a whole, since what disturbs one sample disturbs its neighbours too.
import { seeded } from "./random.js";

/** Bounds of a value. */
export interface Interval {
  low: number;
  high: number;
}

/** What samples say about a time. */
export interface Estimate {
  least: number;
  median: number;
  /** 95 % intervals of both. That of the least begins at it: what was measured was possible. */
  leastInterval: Interval;
  medianInterval: Interval;
}

/** How near a time has to be known: the half width of the interval over the value. */
export const WANTED = 0.05;

const DRAWS = 400;
const OUTSIDE = 0.025;

/** The value at a share of the sorted list (linear between neighbours). @throws RangeError for an empty list */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (high - low) * (at - Math.floor(at));
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The middle 95 % of some values. */
export function interval(values: readonly number[]): Interval {
  return { low: quantile(values, OUTSIDE), high: quantile(values, 1 - OUTSIDE) };
}

/** Draws as many rounds as there are, with replacement, again and again: what the least and the median come to. Seeded. */
export function bootstrap(rounds: readonly (readonly number[])[], seed: number): { least: number[]; median: number[] } {
  const below = seeded(seed);
  const least: number[] = [];
  const middle: number[] = [];
  for (let draw = 0; draw < DRAWS; draw++) {
    const drawn = rounds.flatMap(() => rounds[below(rounds.length)] as readonly number[]);
    least.push(Math.min(...drawn));
    middle.push(median(drawn));
  }
  return { least, median: middle };
}

/** Estimates from the samples of all rounds. @throws RangeError if there are none */
export function summarise(rounds: readonly (readonly number[])[]): Estimate {
  const all = rounds.flat();
  const drawn = bootstrap(rounds, 1);
  return {
    least: Math.min(...all),
    median: median(all),
    leastInterval: interval(drawn.least),
    medianInterval: interval(drawn.median),
  };
}

/** Half the width of an interval over the value; infinite for less than three rounds, of which no interval can be made. */
export function uncertainty(value: number, { low, high }: Interval, rounds: number): number {
  if (rounds < 3) return Number.POSITIVE_INFINITY;
  return value === 0 ? 0 : (high - low) / 2 / value;
}
