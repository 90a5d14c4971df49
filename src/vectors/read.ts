// Files of walk vectors as a stream: gzip or plain, line by line, with a bound on the length of a line.
// No Node built-ins: the chunks may come from a file, a fetch or a block of memory.

import { isGzip } from "../formats/gzip.js";
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
export function readWalkVectors(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ReadOptions = {},
): AsyncGenerator<NumberedVector> {
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
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
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
async function* linesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  file: string,
  maxLine: number,
): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let done = 0;
  let rest = "";
  const bound = (text: string, line: number): void => {
    if (text.length <= maxLine) return;
    const shown = JSON.stringify(text.slice(0, 60));
    throw new VectorFormatError(file, line, `${shown}: a line of more than ${maxLine} characters; expected a vector`);
  };
  const state = { source: undefined as unknown };
  const source = noting(chunks, state);
  try {
    for await (const chunk of inflated(source)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const [i, text] of lines.entries()) bound(text, done + i + 1);
      bound(rest, done + lines.length + 1);
      yield lines;
      done += lines.length;
    }
  } catch (error) {
    if (state.source !== undefined) throw state.source;
    if (error instanceof VectorFormatError) throw error;
    const why = error instanceof Error && error.message !== "" ? error.message : String(error);
    throw new VectorFormatError(file, 0, `damaged or cut gzip data after line ${done}: ${why}`, error);
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}

/** Passes chunks on and notes an error of their source, to tell it from damage of the data. */
async function* noting(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  state: { source: unknown },
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    state.source = error;
    throw error;
  }
}

/** The chunks, inflated if they begin as gzip data does. */
async function* inflated(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = join(head, next.value);
  }
  if (!isGzip(head)) {
    if (head.length > 0) yield head;
    yield* chunks;
    return;
  }
  const whole = (async function* () {
    yield head;
    yield* chunks;
  })();
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const next = await whole.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value as Uint8Array<ArrayBuffer>);
    },
    async cancel() {
      await whole.return(undefined);
    },
  });
  const reader = compressed.pipeThrough(new DecompressionStream("gzip")).getReader();
  let ended = false;
  try {
    for (;;) {
      const step = await reader.read();
      if (step.done) break;
      yield step.value;
    }
    ended = true;
  } finally {
    // The reader stopped early, or the stream has failed and refuses to be cancelled: nothing more to do either way.
    if (!ended) await reader.cancel().catch(() => undefined);
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
