// The result of one comparison between a walker and something recorded: counted, and the first differences in full.

/** One difference, in full. */
export interface Difference {
  /** What the walker has, as text; undefined if it has nothing there. */
  walker: string | undefined;
  /** What the listing has, as text; undefined if it has nothing there. */
  listing: string | undefined;
  /** Line of the listing, from 1, if there is one. */
  line?: number;
}

/** The result of one comparison. */
export interface CheckPart {
  /** What was compared. */
  name: "info tlb" | "info mem" | "probes" | "info registers" | "record";
  /** Number of things compared, of both sides together where they differ. */
  compared: number;
  /** Number of differences. */
  differences: number;
  /** The first differences. */
  first: Difference[];
}

/** A text to compare with, and its name for messages. */
export interface NamedText {
  /** Name for messages. */
  file: string;
  /** The text itself. */
  text: string;
}

/** Collects differences, keeping the first `limit` in full. */
export function startPart(name: CheckPart["name"], limit: number) {
  const part: CheckPart = { name, compared: 0, differences: 0, first: [] };
  return {
    part,
    differ(difference: () => Difference) {
      part.differences++;
      if (part.first.length < limit) part.first.push(difference());
    },
  };
}
