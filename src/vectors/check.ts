// Checking the engine's walker against a stream of walk vectors.

import { type RunOptions, Turns } from "../base/progress.js";
import type { EngineOptions } from "../engine/instance.js";
import { compareVector, VECTOR_PARTS, type VectorPart } from "./compare.js";
import type { NumberedVector } from "./read.js";
import { Stage } from "./stage.js";
import { countIn, type Difference, emptyTally, type Tally } from "./tally.js";
import type { VectorDeviation, WalkVector } from "./vector.js";

/** A vector that the engine does not agree with, and all that is wrong. */
export type VectorDifference = Difference<WalkVector, VectorPart>;

/** What came of a check. */
export interface VectorCheck extends Tally<WalkVector, VectorPart> {
  /** By expected result. */
  results: { ok: number; fault: number; "non-canonical": number };
  /** By paging levels. */
  levels: { 4: number; 5: number };
  /** Lines where the SDM's result stands in for the emulator's. */
  deviations: Record<VectorDeviation, number>;
}

/** Options of {@link checkVectors}. */
export interface VectorCheckOptions extends EngineOptions, RunOptions {
  /** Differences kept in full. Default 10. */
  maxDifferences?: number;
}

/** A vector is translated, probed and explained. */
const OPERATIONS_OF_A_VECTOR = 3;

/**
 * Plays every vector on the engine's walker and compares outcome, physical address, page size, error code and all
 * entries, and what `probe` and `explain` say before.
 * @throws what the stream of vectors throws
 */
export async function checkVectors(
  vectors: AsyncIterable<NumberedVector> | Iterable<NumberedVector>,
  { maxDifferences = 10, onProgress, signal, ...engine }: VectorCheckOptions = {},
): Promise<VectorCheck> {
  const stage = new Stage(engine);
  const check: VectorCheck = {
    ...emptyTally<WalkVector, VectorPart>(VECTOR_PARTS),
    results: { ok: 0, fault: 0, "non-canonical": 0 },
    levels: { 4: 0, 5: 0 },
    deviations: { "rsvd-without-p": 0, "implicit-smap-ac": 0 },
  };
  const turns = new Turns(signal);
  for await (const { line, vector } of vectors) {
    const scene = await stage.set(vector);
    const mismatches = compareVector(vector, scene);
    stage.clear(vector, scene);
    countIn(check, { line, vector, mismatches }, maxDifferences);
    check.results[vector.expected.kind] += 1;
    check.levels[vector.levels] += 1;
    if (vector.deviation) check.deviations[vector.deviation] += 1;
    onProgress?.({ done: check.vectors, total: undefined, unit: "vectors" });
    if (turns.after(OPERATIONS_OF_A_VECTOR)) await turns.give();
  }
  return check;
}
