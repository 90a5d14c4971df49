// Medians and spreads. Means are useless on a shared machine: one interruption moves them.

/** A median with how far the middle half of the rounds lies apart. */
export interface Estimate {
  median: number;
  /** Half the interquartile range over the median; 0 for one value. A few rounds only: a hint, not a confidence. */
  spread: number;
}

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

/** Median and spread of the rounds of a case. */
export function summarise(values: readonly number[]): Estimate {
  const middle = median(values);
  const half = (quantile(values, 0.75) - quantile(values, 0.25)) / 2;
  return { median: middle, spread: middle === 0 ? 0 : half / middle };
}
