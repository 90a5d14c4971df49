// Estimates of a time from its samples, one of each round. Means are useless on a shared machine: one interruption moves them. The
// least say what the work takes when nobody disturbs it, the median what it usually took. Intervals are made of order statistics:
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
 * What the quickest samples come to, and where that of another run of as many samples will lie. One process in so many is quicker than the
 * others by chance, the more of them there are the quicker: of twelve samples and more the second would count, of twenty-four the third,
 * and so on. The value is the mean of the ranks around that one, as many above as there are below it (three, five), which moves less from run
 * to run than any one of them. Bounded from above by the first of the ranks that the other run's middle rank lies beyond with 2.5 %
 * at most, whatever the distribution (if there is none, by the greatest); it is taken to lie as far below at most.
 * @throws RangeError for an empty list
 */
export function estimateLeast(values: readonly number[]): Estimate {
  const sorted = ascending(values);
  const count = sorted.length;
  const rank = 1 + Math.floor(count / LUCKY);
  const around = sorted.slice(0, 2 * rank - 1);
  let beyond = rank;
  while (beyond < count && chanceBeyond(rank, beyond, count) > OUTSIDE) beyond++;
  const value = around.reduce((sum, one) => sum + one) / around.length;
  const high = sorted[beyond - 1] as number;
  return { value, low: Math.max(0, 2 * value - high), high };
}

/** The chance that of two runs of `count` samples the `rank`th of one lies beyond the `bound`th of the other: at most `rank` - 1 before it. */
function chanceBeyond(rank: number, bound: number, count: number): number {
  // None before it: of 2n samples in order the first `bound` are all of the other run. Then one after the other.
  let chance = 1;
  for (let i = 0; i < bound; i++) chance *= (count - i) / (2 * count - i);
  let sum = 0;
  for (let before = 0; before < rank; before++) {
    sum += chance;
    chance *= ((bound + before) / (before + 1)) * ((count - before) / (2 * count - bound - before));
  }
  return sum;
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
