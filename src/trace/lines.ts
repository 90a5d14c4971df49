// Chunks of bytes in, blocks of whole lines out. A block ends with a newline, which is the sentinel that lets the field
// parsers run without bounds checks. Only a line that straddles chunks is copied; its length is bounded.

const NEWLINE = 10;

/** Receives lines from a {@link LineSplitter}. */
export interface LineSink {
  /** Whole lines: `bytes[end - 1]` is a newline. The bytes are valid during the call only. */
  lines(bytes: Uint8Array, start: number, end: number): Iterable<unknown>;
  /** A line longer than the limit, of which `head` is the beginning; `length` bytes of it are skipped, then {@link skipped}. */
  tooLong(head: Uint8Array, length: number): void;
  /** Further bytes of a line that was too long. */
  skipped(length: number): void;
  /** The last line of the input, without a newline. */
  torn(line: Uint8Array): void;
}

/** Splits a stream into blocks of lines. */
export class LineSplitter {
  readonly #sink: LineSink;
  readonly #maxLine: number;
  #carry: Uint8Array = new Uint8Array(1024);
  #carried = 0;
  /** Inside a line that was reported as too long: everything up to its newline is skipped. */
  #skipping = false;

  /** @param maxLine longest line accepted, in bytes without the newline */
  constructor(sink: LineSink, maxLine: number) {
    this.#sink = sink;
    this.#maxLine = maxLine;
  }

  /** Takes the next bytes; yields whatever the sink yields for the blocks in them. */
  *push(chunk: Uint8Array): Generator<unknown, void, undefined> {
    let start = 0;
    if (this.#skipping) {
      const newline = chunk.indexOf(NEWLINE);
      this.#sink.skipped(newline < 0 ? chunk.length : newline + 1);
      if (newline < 0) return;
      this.#skipping = false;
      start = newline + 1;
    }
    if (this.#carried > 0) {
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline < 0 ? chunk.length : newline + 1;
      const room = this.#maxLine + 1 - this.#carried;
      if (end - start > room || (newline < 0 && end - start === room)) {
        this.#keep(chunk.subarray(start, start + room));
        this.#tooLong(this.#carry, this.#carried + end - start - room);
        this.#carried = 0;
        this.#skipping = newline < 0;
      } else {
        this.#keep(chunk.subarray(start, end));
        if (newline < 0) return;
        const length = this.#carried;
        this.#carried = 0;
        yield* this.#sink.lines(this.#carry, 0, length);
      }
      start = end;
    }
    const last = chunk.lastIndexOf(NEWLINE);
    if (last >= start) {
      yield* this.#block(chunk, start, last + 1);
      start = last + 1;
    }
    if (start >= chunk.length) return;
    if (chunk.length - start > this.#maxLine) {
      this.#tooLong(chunk.subarray(start), chunk.length - start);
      this.#skipping = true;
    } else {
      this.#keep(chunk.subarray(start));
    }
  }

  /** Says that the input is over. */
  finish(): void {
    if (this.#carried > 0) this.#sink.torn(this.#carry.subarray(0, this.#carried));
    this.#carried = 0;
  }

  /** Whole lines inside one chunk; a line over the limit is cut out, as if it had straddled chunks. */
  *#block(chunk: Uint8Array, from: number, end: number): Generator<unknown, void, undefined> {
    let start = from;
    // Looking for a long line costs a probe per maxLine bytes: no window of that size may be without a newline.
    for (let at = start; at + this.#maxLine < end; ) {
      const newline = chunk.lastIndexOf(NEWLINE, at + this.#maxLine);
      if (newline >= at) {
        at = newline + 1;
        continue;
      }
      if (at > start) yield* this.#sink.lines(chunk, start, at);
      const next = chunk.indexOf(NEWLINE, at) + 1;
      this.#tooLong(chunk.subarray(at, next), next - at);
      start = next;
      at = next;
    }
    if (start < end) yield* this.#sink.lines(chunk, start, end);
  }

  #tooLong(line: Uint8Array, length: number): void {
    this.#sink.tooLong(line.subarray(0, 256), length);
  }

  #keep(bytes: Uint8Array): void {
    const need = this.#carried + bytes.length;
    if (need > this.#carry.length) {
      const grown = new Uint8Array(Math.max(need, this.#carry.length * 2));
      grown.set(this.#carry.subarray(0, this.#carried));
      this.#carry = grown;
    }
    this.#carry.set(bytes, this.#carried);
    this.#carried = need;
  }
}
