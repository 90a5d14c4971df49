// Which processor's walk vectors a file holds: its first line says, for all of them. RISC-V's have a `mode` (sv39, sv48, sv57).

import { type NumberedLine, type NumberedVector, parseLines, type ReadOptions, readVectorLines } from "./read.js";
import { parseRiscvVector, type RiscvVector } from "./riscv/vector.js";
import { parseWalkVector, type WalkVector } from "./vector.js";

/** The vectors of a file, and whose they are. */
export type VectorFile =
  | { form: "x86-64"; vectors: AsyncGenerator<NumberedVector<WalkVector>> }
  | { form: "riscv"; vectors: AsyncGenerator<NumberedVector<RiscvVector>> };

/**
 * Opens a file of vectors of either form; see {@link readWalkVectors}.
 * @throws VectorFormatError if it cannot be read as far as its first line
 */
export async function openVectors(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<VectorFile> {
  const lines = readVectorLines(chunks, options);
  const first = await lines.next();
  const all = first.done ? lines : withFirst(first.value, lines);
  if (!first.done && isRiscv(first.value.text)) {
    return { form: "riscv", vectors: parseLines(all, parseRiscvVector, options) };
  }
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

/** A line that is no JSON object is left to a reader, which says so. */
function isRiscv(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && Object.hasOwn(value, "mode");
  } catch {
    return false;
  }
}
