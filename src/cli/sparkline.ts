// Counts over time as a line of bars of eight heights. Pure functions on numbers.

const BARS = "▁▂▃▄▅▆▇█";

/** Counts of bins added up to at most `columns` of them, each of equally many; the last may be of fewer. */
export function joined(counts: readonly number[], columns: number): { sums: number[]; each: number } {
  const each = Math.max(1, Math.ceil(counts.length / Math.max(1, columns)));
  const sums: number[] = [];
  for (let i = 0; i < counts.length; i += each) {
    sums.push(counts.slice(i, i + each).reduce((sum, count) => sum + count, 0));
  }
  return { sums, each };
}

/** A bar a count, the highest for the greatest. Nothing is a space, so that one event of many is seen. */
export function sparkline(sums: readonly number[]): string {
  const most = Math.max(...sums, 1);
  return sums.map((sum) => (sum <= 0 ? " " : (BARS[Math.ceil((sum / most) * BARS.length) - 1] as string))).join("");
}
