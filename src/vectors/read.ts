// Files of walk vectors as a stream: gzip or plain, line by line, with a bound on the length of a line.
// No Node built-ins: the chunks may come from a file, a fetch or a block of memory.

import type { ByteStream } from "../formats/bytes.js";
import { describeDamage, GzipError, unpack } from "../formats/unpack.js";
import { type Place, VectorFormatError } from "./error.js";
import { parseWalkVector, type WalkVector } from "./vector.js";

/** Default bound on a line, in characters. A vector has about 600. */
export const DEFAULT_MAX_LINE = 65536;

/** How a file of vectors is read. */
export interface ReadOptions {
  /** Name of the input for error messages. Default `input`. */
  file?: string;
  /** Longest line accepted, in characters. Default {@link DEFAULT_MAX_LINE}. */
  maxLine?: number;
}

/** A line of a file, counted from 1. */
export interface NumberedLine {
  line: number;
  text: string;
}

/** A vector and the line it stands in, from 1. */
export interface NumberedVector<Vector = WalkVector> {
  line: number;
  vector: Vector;
}

/**
 * All x86-64 vectors of a file, in order.
 * @param chunks the bytes of the file, gzip or plain text; errors of the source pass through as they are
 * @throws VectorFormatError naming file, line, value and expectation; also if there is no vector at all
 */
export function readWalkVectors(chunks: ByteStream, options: ReadOptions = {}): AsyncGenerator<NumberedVector> {
  return parseLines(readVectorLines(chunks, options), parseWalkVector, options);
}

/** Reads each line with `parse`. */
export async function* parseLines<Vector>(
  lines: AsyncIterable<NumberedLine>,
  parse: (text: string, place: Place) => Vector,
  { file = "input" }: ReadOptions = {},
): AsyncGenerator<NumberedVector<Vector>> {
  for await (const { line, text } of lines) yield { line, vector: parse(text, { file, line }) };
}

/**
 * All lines of a file of vectors, in order.
 * @throws VectorFormatError if a line is too long, if the data are damaged, or if there is no line at all
 */
export async function* readVectorLines(
  chunks: ByteStream,
  { file = "input", maxLine = DEFAULT_MAX_LINE }: ReadOptions = {},
): AsyncGenerator<NumberedLine> {
  let line = 0;
  for await (const lines of linesOf(chunks, file, maxLine)) {
    for (const text of lines) {
      line += 1;
      yield { line, text };
    }
  }
  if (line === 0) throw new VectorFormatError(file, 0, "no vectors; expected one JSON object a line");
}

/** Whole lines, as many as a chunk completes at a time. */
async function* linesOf(chunks: ByteStream, file: string, maxLine: number): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let done = 0;
  let rest = "";
  const bound = (text: string, line: number): void => {
    if (text.length <= maxLine) return;
    const shown = JSON.stringify(text.slice(0, 60));
    throw new VectorFormatError(file, line, `${shown}: a line of more than ${maxLine} characters; expected a vector`);
  };
  try {
    for await (const chunk of unpack(chunks, { file, maxBytes: Number.POSITIVE_INFINITY })) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const [i, text] of lines.entries()) bound(text, done + i + 1);
      bound(rest, done + lines.length + 1);
      yield lines;
      done += lines.length;
    }
  } catch (error) {
    if (!(error instanceof GzipError) || !error.damage) throw error;
    const why = describeDamage(error.damage);
    throw new VectorFormatError(file, 0, `damaged or cut gzip data after line ${done}: ${why}`, error);
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}
