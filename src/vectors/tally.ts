// What came of a check, counted: the same for every form of vectors.

import type { Mismatch } from "./compare.js";

/** A vector that the engine does not agree with, and all that is wrong. */
export interface Difference<Vector, Part extends string> {
  /** Line of the file, from 1. */
  line: number;
  vector: Vector;
  mismatches: Mismatch<Part>[];
}

/** The outcome of a check. */
export interface Tally<Vector, Part extends string> {
  equal: boolean;
  /** Vectors played. */
  vectors: number;
  /** How many vectors were compared in each respect, and how many differ. */
  parts: { name: Part; compared: number; differences: number }[];
  /** Vectors that differ in any respect. */
  differing: number;
  /** The first of them. */
  first: Difference<Vector, Part>[];
}

/** A tally of nothing yet. */
export function emptyTally<Vector, Part extends string>(parts: readonly Part[]): Tally<Vector, Part> {
  const counts = parts.map((name) => ({ name, compared: 0, differences: 0 }));
  return { equal: true, vectors: 0, parts: counts, differing: 0, first: [] };
}

/** Counts one vector in; it is kept in full if it differs and fewer than `most` are kept. */
export function countIn<Vector, Part extends string>(
  tally: Tally<Vector, Part>,
  { line, vector, mismatches }: Difference<Vector, Part>,
  most: number,
): void {
  tally.vectors += 1;
  for (const part of tally.parts) {
    part.compared += 1;
    if (mismatches.some((it) => it.part === part.name)) part.differences += 1;
  }
  if (mismatches.length === 0) return;
  tally.equal = false;
  tally.differing += 1;
  if (tally.first.length < most) tally.first.push({ line, vector, mismatches });
}
