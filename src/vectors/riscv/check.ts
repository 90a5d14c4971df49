// Checking the walker behind RISC-V's format against a stream of walk vectors.

import { type RunOptions, Turns } from "../../base/progress.js";
import type { WasmModule } from "../../engine/wasm-module.js";
import type { NumberedVector } from "../read.js";
import { countIn, type Difference, emptyTally, type Tally } from "../tally.js";
import { compareRiscvVector, RISCV_PARTS, type RiscvPart } from "./compare.js";
import { RiscvStage } from "./stage.js";
import type { RiscvDeviation, RiscvMode, RiscvResult, RiscvVector } from "./vector.js";

/** A RISC-V vector that the engine does not agree with, and all that is wrong. */
export type RiscvDifference = Difference<RiscvVector, RiscvPart>;

/** What came of a check. */
export interface RiscvCheck extends Tally<RiscvVector, RiscvPart> {
  /** By expected result. */
  results: Record<RiscvResult["kind"], number>;
  /** By paging mode. */
  modes: Record<RiscvMode, number>;
  /** Lines where the specification's result stands in for the emulator's. */
  deviations: Record<RiscvDeviation, number>;
}

/** Options of {@link checkRiscvVectors}. */
export interface RiscvCheckOptions extends RunOptions {
  /** The engine as scripts/build-riscv.mjs builds it. */
  module: WasmModule;
  /** Differences kept in full. Default 10. */
  maxDifferences?: number;
}

/** What a vector is at most: translated, probed and explained, and by a hart with caches, cold and warm. */
const OPERATIONS_OF_A_VECTOR = 8;

/**
 * Plays every vector on the engine's walker and compares outcome, physical address, page size, cause and all entries, what
 * `probe` and `explain` say before, and what a hart with caches says, cold and warm.
 * @throws what the stream of vectors throws
 */
export async function checkRiscvVectors(
  vectors: AsyncIterable<NumberedVector<RiscvVector>> | Iterable<NumberedVector<RiscvVector>>,
  { module, maxDifferences = 10, onProgress, signal }: RiscvCheckOptions,
): Promise<RiscvCheck> {
  const stage = new RiscvStage(module);
  const check: RiscvCheck = {
    ...emptyTally<RiscvVector, RiscvPart>(RISCV_PARTS),
    results: { ok: 0, "page-fault": 0, "access-fault": 0 },
    modes: { sv39: 0, sv48: 0, sv57: 0 },
    deviations: { "pbmt-3": 0, "napot-fault-ad": 0, "entry-access-fault": 0 },
  };
  const turns = new Turns(signal);
  for await (const { line, vector } of vectors) {
    const scene = stage.set(vector);
    const mismatches = compareRiscvVector(vector, stage, scene);
    stage.clear(vector, scene);
    countIn(check, { line, vector, mismatches }, maxDifferences);
    check.results[vector.expected.kind] += 1;
    check.modes[vector.mode] += 1;
    if (vector.deviation) check.deviations[vector.deviation] += 1;
    onProgress?.({ done: check.vectors, total: undefined, unit: "vectors" });
    if (turns.after(OPERATIONS_OF_A_VECTOR)) await turns.give();
  }
  return check;
}
