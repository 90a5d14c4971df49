// The walk vectors of the tests: the recorded ones, if this checkout has them, and the excerpt that is always there.

import { fileURLToPath } from "node:url";
import { openFile } from "../../src/formats/node.js";
import { type NumberedVector, readWalkVectors, type WalkVector } from "../../src/vectors/index.js";
import { sharedData } from "./shared-data.js";

/** All 30,000 recorded vectors; undefined without the recorded data. */
export const recordedVectors = sharedData("walks/walk-vectors.jsonl.gz");

/** The excerpt in this repository. */
export const vectorFixture = fileURLToPath(new URL("../fixtures/walks/walk-vectors.jsonl.gz", import.meta.url));

/** The vectors of a file. */
export function vectorsOf(path: string): AsyncGenerator<NumberedVector> {
  return readWalkVectors(openFile(path), { file: path });
}

/** One good line, of a reserved-bit fault that deviates from the manual. */
export const GOOD_LINE = JSON.stringify({
  ...{ id: 0, levels: 4, cr0wp: 0, smep: 1, smap: 1, pke: 1, pkru: 1, nxe: 0, ac: 0, pge: 1, cpl: 3 },
  ...{ access: "r", implicit: 0, va: "0x10534bb48000", cr3: "0x6342a149", maxphyaddr: 40 },
  tables: [{ pa: "0x6342a000", index: 32, before: "0x800000005a71a027", after: "0x800000005a71a027" }],
  result: { ok: false, vector: 14, errorCode: 12 },
  deviation: "rsvd-without-p",
  sdm: { ok: false, vector: 14, errorCode: 13 },
});

/** A vector with some fields replaced: for telling a checker what is not so. */
export function falsified(vector: WalkVector, change: Partial<WalkVector>): WalkVector {
  return { ...vector, ...change };
}
