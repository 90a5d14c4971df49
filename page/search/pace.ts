// How fast something goes, and when it will be done, in words.

/** What is known of work under way. */
export interface Pace {
  done: number;
  total: number;
  /** Milliseconds since it began. */
  elapsed: number;
}

/** `12 of 60 cells in 34 s, about 2 min left`; nothing of the rest before there is something to judge it by. */
export function paceText({ done, total, elapsed }: Pace, what: string): string {
  const so = `${done} of ${total} ${what} in ${spanText(elapsed)}`;
  if (done === 0 || done >= total) return so;
  return `${so}, about ${spanText((elapsed / done) * (total - done))} left`;
}

/** Milliseconds in the unit that reads best. */
export function spanText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
