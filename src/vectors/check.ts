// Checking the engine's walker against a stream of walk vectors.

import type { EngineOptions } from "../engine/instance.js";
import { compareVector, type Mismatch, VECTOR_PARTS, type VectorPart } from "./compare.js";
import type { NumberedVector } from "./read.js";
import { Stage } from "./stage.js";
import type { VectorDeviation, WalkVector } from "./vector.js";

/** A vector that the engine does not agree with, and all that is wrong. */
export interface VectorDifference {
  /** Line of the file, from 1. */
  line: number;
  vector: WalkVector;
  mismatches: Mismatch[];
}

/** What came of a check. */
export interface VectorCheck {
  equal: boolean;
  /** Vectors played. */
  vectors: number;
  /** By expected result. */
  results: { ok: number; fault: number; "non-canonical": number };
  /** By paging levels. */
  levels: { 4: number; 5: number };
  /** Lines where the SDM's result stands in for the emulator's. */
  deviations: Record<VectorDeviation, number>;
  /** How many vectors were compared in each respect, and how many differ. */
  parts: { name: VectorPart; compared: number; differences: number }[];
  /** Vectors that differ in any respect. */
  differing: number;
  /** The first of them. */
  first: VectorDifference[];
}

/** Options of {@link checkVectors}. */
export interface VectorCheckOptions extends EngineOptions {
  /** Differences kept in full. Default 10. */
  maxDifferences?: number;
  /** Called after each vector with how many there were so far. */
  onProgress?: (done: number) => void;
}

/**
 * Plays every vector on the engine's walker and compares outcome, physical address, page size, error code and all
 * entries, and what `probe` and `explain` say before.
 * @throws what the stream of vectors throws
 */
export async function checkVectors(
  vectors: AsyncIterable<NumberedVector> | Iterable<NumberedVector>,
  { maxDifferences = 10, onProgress, ...engine }: VectorCheckOptions = {},
): Promise<VectorCheck> {
  const stage = new Stage(engine);
  const check: VectorCheck = {
    equal: true,
    vectors: 0,
    results: { ok: 0, fault: 0, "non-canonical": 0 },
    levels: { 4: 0, 5: 0 },
    deviations: { "rsvd-without-p": 0, "implicit-smap-ac": 0 },
    parts: VECTOR_PARTS.map((name) => ({ name, compared: 0, differences: 0 })),
    differing: 0,
    first: [],
  };
  for await (const { line, vector } of vectors) {
    const scene = await stage.set(vector);
    const mismatches = compareVector(vector, scene);
    stage.clear(vector, scene);
    check.vectors += 1;
    check.results[vector.expected.kind] += 1;
    check.levels[vector.levels] += 1;
    if (vector.deviation) check.deviations[vector.deviation] += 1;
    for (const part of check.parts) {
      part.compared += 1;
      if (mismatches.some((it) => it.part === part.name)) part.differences += 1;
    }
    if (mismatches.length > 0) {
      check.equal = false;
      check.differing += 1;
      if (check.first.length < maxDifferences) check.first.push({ line, vector, mismatches });
    }
    onProgress?.(check.vectors);
  }
  return check;
}
