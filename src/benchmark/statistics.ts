// Estimates of a time from its samples, one of each round. Means are useless on a shared machine: one interruption moves them. The
// least says what the work takes when nobody disturbs it, the median what it usually took. Intervals are made of order statistics:
// no distribution is assumed, nothing is drawn at random, and the same samples give the same bounds.

/** A value, and bounds that hold the next run's value in about 95 of 100 runs. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How near a time has to be known: the half width of the interval over the value. */
export const WANTED = 0.05;
/** Of fewer samples no interval is made. */
export const LEAST_SAMPLES = 3;

const OUTSIDE = 0.025;
/** Pairs of runs of one build in which chance alone may make a row differ, as a share of all. */
const FALSE_ALARMS = 0.1;
/** Of so many processes one is quicker by luck. */
const LUCKY = 12;

function ascending(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError("no values");
  return [...values].sort((a, b) => a - b);
}

/** The middle value. @throws RangeError for an empty list */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}

/**
 * The least value that was not luck, and where that of another run of as many samples will lie. One process in so many is quicker than the
 * others by chance, the more of them there are the quicker: of twelve samples and more the second, of twenty-four the third counts, and so
 * on. Bounded from above by the first of the ranks that the other run's value lies beyond with 2.5 % at most, whatever the distribution (if
 * there is none, by the greatest); it is taken to lie as far below at most.
 * @throws RangeError for an empty list
 */
export function estimateLeast(values: readonly number[]): Estimate {
  const sorted = ascending(values);
  const count = sorted.length;
  const rank = 1 + Math.floor(count / LUCKY);
  let beyond = rank;
  while (beyond < count && chanceBeyond(rank, count, beyond, count) > OUTSIDE) beyond++;
  const [value, high] = [sorted[rank - 1], sorted[beyond - 1]] as [number, number];
  return { value, low: Math.max(0, 2 * value - high), high };
}

/**
 * The chance that of two runs of one thing the `rank`th of `count` samples lies beyond the `bound`th of the other run's `others`: at most
 * `rank` - 1 lie before it.
 */
export function chanceBeyond(rank: number, count: number, bound: number, others: number): number {
  const all = count + others;
  // None before it: of all samples in order the first `bound` are the other run's. Then one after the other.
  let chance = 1;
  for (let i = 0; i < bound; i++) chance *= (others - i) / (all - i);
  let sum = 0;
  for (let before = 0; before < rank; before++) {
    sum += chance;
    chance *= ((bound + before) / (before + 1)) * ((count - before) / (all - bound - before));
  }
  return sum;
}

/**
 * Whether a value of these times is greater than others by more than chance makes it in one of so many rows: by the rank that it has among
 * its own, and by how many of the others lie below it. Of few times, if all do.
 */
export function isBeyondChance(
  value: number,
  times: readonly number[],
  others: readonly number[],
  rows: number,
): boolean {
  const below = others.filter((other) => other < value).length;
  if (below === others.length) return true;
  // Multiples may have been rounded: the least of them is its first all the same.
  const rank = Math.max(1, times.filter((time) => time <= value).length);
  return below > 0 && chanceBeyond(rank, times.length, below, others.length) <= FALSE_ALARMS / rows;
}

/**
 * The middle value, between the two samples beyond which the true median lies with 2.5 % each (binomial); of five and less, between
 * the outermost.
 * @throws RangeError for an empty list
 */
export function estimateMedian(values: readonly number[]): Estimate {
  const sorted = ascending(values);
  const count = sorted.length;
  let below = 0.5 ** count;
  let term = below;
  let rank = 0;
  // `below`: the chance that at most `rank` samples lie below the median.
  while (below <= OUTSIDE) {
    rank++;
    term *= (count - rank + 1) / rank;
    below += term;
  }
  const at = Math.max(0, rank - 1);
  return { value: median(sorted), low: sorted[at] as number, high: sorted[count - 1 - at] as number };
}

/** Half the width of an interval over its value; infinite for too few samples, of which no interval can be made. */
export function uncertainty({ value, low, high }: Estimate, samples: number): number {
  if (samples < LEAST_SAMPLES) return Number.POSITIVE_INFINITY;
  return value === 0 ? 0 : (high - low) / 2 / value;
}

/** What an estimate is over another: half widths, as shares, add up as the sides of a right angle do. */
export function ratioOf(above: Estimate, below: Estimate): Estimate {
  const value = above.value / below.value;
  const share = ({ value: middle, low, high }: Estimate) =>
    middle === 0 ? 0 : Math.max(high / middle - 1, 1 - low / middle);
  const half = Math.hypot(share(above), share(below));
  return { value, low: value / (1 + half), high: value * (1 + half) };
}
