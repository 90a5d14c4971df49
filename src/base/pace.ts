// How long work takes, in words: the same on a terminal and in the page.

/** What is known of work under way. */
export interface Pace {
  readonly done: number;
  readonly total: number;
  /** Milliseconds since it began. */
  readonly elapsed: number;
}

/** The time that is left at the pace so far: `34 s left`; undefined while nothing tells the pace, and at the end. */
export function timeLeft({ done, total, elapsed }: Pace): string | undefined {
  return done > 0 && done < total ? `${spanText((elapsed / done) * (total - done))} left` : undefined;
}

/** Milliseconds in the unit that reads best. */
export function spanText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  return seconds < 6000 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}
