// "Did you mean": the known name that a mistyped one is nearest to. Pure functions.

/** `; did you mean NAME?`, or nothing if no name is near. */
export function didYouMean(text: string, names: readonly string[]): string {
  const near = nearest(text, names);
  return near === undefined ? "" : `; did you mean ${near}?`;
}

/** The name with the fewest edits from `text`: at most a third of its letters, and not all of them. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  const typed = text.slice(0, 100).toLowerCase();
  for (const name of names) {
    const known = name.toLowerCase();
    // A name begun, or without its ending, is meant whatever the number of letters that lack.
    const begun = typed.length >= 3 && (known.startsWith(typed) || typed.startsWith(known));
    const edits = begun ? 0.5 : distance(typed, known);
    const most = Math.max(1, Math.floor(Math.max(typed.length, known.length) / 3));
    if (edits < least && edits <= most && edits < known.length) {
      best = name;
      least = edits;
    }
  }
  return best;
}

/** Edits from one text to another: a letter put in, left out, changed, or two neighbours exchanged. */
function distance(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const change = (last[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      let edits = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, change);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
        edits = Math.min(edits, (before[j - 2] ?? 0) + 1);
      }
      row.push(edits);
    }
    before = last;
    last = row;
  }
  return last[other.length] ?? 0;
}
