// Whose vectors a file holds: its first line says, for all of them. RISC-V's have a `mode` (sv39, sv48, sv57), those of VT-d a
// `haw`, sequences of requests `steps`; all others are an x86-64 processor's.

import { type NumberedLine, type NumberedVector, parseLines, type ReadOptions, readVectorLines } from "./read.js";
import { parseRiscvVector, type RiscvVector } from "./riscv/vector.js";
import { parseWalkVector, type WalkVector } from "./vector.js";
import { parseVtdSequence, type VtdSequence } from "./vtd/sequence.js";
import { parseVtdVector, type VtdVector } from "./vtd/vector.js";

/** The vectors of a file, and whose they are. */
export type VectorFile =
  | { form: "x86-64"; vectors: AsyncGenerator<NumberedVector<WalkVector>> }
  | { form: "riscv"; vectors: AsyncGenerator<NumberedVector<RiscvVector>> }
  | { form: "vtd"; vectors: AsyncGenerator<NumberedVector<VtdVector>> }
  | { form: "vtd-sequences"; vectors: AsyncGenerator<NumberedVector<VtdSequence>> };

/**
 * Opens a file of vectors of any form; see {@link readWalkVectors}.
 * @throws VectorFormatError if it cannot be read as far as its first line
 */
export async function openVectors(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<VectorFile> {
  const lines = readVectorLines(chunks, options);
  const first = await lines.next();
  const all = first.done ? lines : withFirst(first.value, lines);
  const has = first.done ? () => false : fieldsIn(first.value.text);
  if (has("mode")) return { form: "riscv", vectors: parseLines(all, parseRiscvVector, options) };
  if (has("haw")) return { form: "vtd", vectors: parseLines(all, parseVtdVector, options) };
  if (has("steps")) return { form: "vtd-sequences", vectors: parseLines(all, parseVtdSequence, options) };
  return { form: "x86-64", vectors: parseLines(all, parseWalkVector, options) };
}

async function* withFirst(first: NumberedLine, rest: AsyncGenerator<NumberedLine>): AsyncGenerator<NumberedLine> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

/** Which fields a line has. A line that is no JSON object has none, and is left to a reader, which says so. */
function fieldsIn(text: string): (field: string) => boolean {
  try {
    const value: unknown = JSON.parse(text);
    return (field) => typeof value === "object" && value !== null && Object.hasOwn(value, field);
  } catch {
    return () => false;
  }
}
