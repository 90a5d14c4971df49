// The nearest of the names that are allowed, for errors that say "did you mean".

/** Most edits (insertions, deletions, replacements, neighbours swapped) between a slip and what was meant. */
const MAX_EDITS = 2;

/** The allowed name nearest to what was given, if one is near enough; the first of several. */
export function nearest(given: string, allowed: readonly string[]): string | undefined {
  // A short name is two edits from too many others.
  let best = Math.min(MAX_EDITS, Math.floor(given.length / 3)) + 1;
  let found: string | undefined;
  for (const name of allowed) {
    if (Math.abs(name.length - given.length) >= best) continue;
    const edits = distance(given.toLowerCase(), name.toLowerCase());
    if (edits >= best) continue;
    best = edits;
    found = name;
  }
  return found;
}

/** Optimal string alignment distance (Damerau 1964, without edits of edits). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] as number) + 1);
      }
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[b.length] as number;
}
