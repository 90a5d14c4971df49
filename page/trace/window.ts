// The part of the time that is shown, as numbers: panning and zooming between 1 µs and the whole. No drawing here.

/** Part of the time, ns from the first event. */
export interface Span {
  from: number;
  to: number;
}

/** Shortest part that is shown, ns. */
export const SHORTEST = 1000;

/** A span of at least {@link SHORTEST} within 0 and `end`. */
export function clamp({ from, to }: Span, end: number): Span {
  const whole = Math.max(end, SHORTEST);
  const length = Math.min(whole, Math.max(SHORTEST, to - from));
  const start = Math.min(Math.max(0, from), whole - length);
  return { from: start, to: start + length };
}

/** Zooms by a factor (below 1: closer), around a time that stays where it is. */
export function zoom({ from, to }: Span, factor: number, around: number, end: number): Span {
  const length = Math.min(Math.max(end, SHORTEST), Math.max(SHORTEST, (to - from) * factor));
  const share = to > from ? (around - from) / (to - from) : 0.5;
  const start = around - share * length;
  return clamp({ from: start, to: start + length }, end);
}

/** Moves by a share of what is shown. */
export function pan({ from, to }: Span, share: number, end: number): Span {
  const by = (to - from) * share;
  return clamp({ from: from + by, to: to + by }, end);
}

/** Some room on both sides of two times, so that what lies at the edge is seen. */
export function around(first: number, last: number, end: number): Span {
  const room = Math.max((last - first) * 0.3, SHORTEST * 2);
  return clamp({ from: first - room, to: last + room }, end);
}
