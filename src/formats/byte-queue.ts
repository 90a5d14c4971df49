// A source of bytes as a queue: take exactly as many bytes as a format asks for, look ahead, give back. A chunk of the source is
// valid until the next is asked for: what is still held of it then is copied, and nothing else is.
import { type ByteStream, chunksOf } from "./bytes.js";

const EMPTY = new Uint8Array(0);
/** The reason of an end that nobody asks for: a reason that is not given costs an exception with its stack. */
const CLOSED = "closed";

/** Reads a source by byte counts, whatever its chunks are. */
export class ByteQueue {
  readonly #stop = new AbortController();
  readonly #chunks: AsyncGenerator<Uint8Array>;
  readonly #parts: Uint8Array[] = [];
  /** Whether the last of the parts is the source's, and not the queue's own. */
  #borrowed = false;
  #held = 0;
  #ended = false;
  #position = 0;

  /**
   * @param what name of the source in errors, e.g. `trace source`
   * @param signal makes the reading methods throw its reason
   */
  constructor(source: ByteStream, what: string, signal?: AbortSignal | undefined) {
    if (signal?.aborted) this.#stop.abort(signal.reason);
    else
      signal?.addEventListener("abort", () => this.#stop.abort(signal.reason), {
        once: true,
        signal: this.#stop.signal,
      });
    this.#chunks = chunksOf(source, what, this.#stop.signal);
  }

  /** Offset in the source of the next byte to be taken. */
  get position(): number {
    return this.#position;
  }

  /** The next `count` bytes; fewer only where the source ends. Valid as long as the caller likes. */
  async take(count: number): Promise<Uint8Array> {
    const bytes = copyOf(await this.peek(count));
    this.#drop(bytes.length);
    return bytes;
  }

  /** Fills `bytes` with what comes next; how many there were: fewer only where the source ends. */
  async fill(bytes: Uint8Array): Promise<number> {
    for (let filled = 0; ; ) {
      for (const part of this.#taken(bytes.length - filled)) {
        bytes.set(part, filled);
        filled += part.length;
      }
      if (filled === bytes.length || !(await this.#more())) return filled;
    }
  }

  /** As {@link take}, but the bytes stay. Valid until the next call. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#held < count && (await this.#more()));
    const first = this.#parts[0];
    if (first === undefined || count === 0) return EMPTY;
    if (first.length >= count) return first.subarray(0, count);
    const bytes = new Uint8Array(Math.min(count, this.#held));
    let at = 0;
    for (const part of this.#parts) {
      if (at === bytes.length) break;
      const used = part.subarray(0, bytes.length - at);
      bytes.set(used, at);
      at += used.length;
    }
    return bytes;
  }

  /** Whatever comes next, as it comes, without a copy; undefined at the end. Valid until the next call. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#parts.length === 0 && (await this.#more()));
    const [bytes] = this.#parts;
    if (bytes) this.#drop(bytes.length);
    return bytes;
  }

  /** Puts back bytes that were just taken; they are copied. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.unshift(copyOf(bytes));
    this.#borrowed &&= this.#parts.length > 1;
    this.#held += bytes.length;
    this.#position -= bytes.length;
  }

  /** Says that nothing more will be read; a source that stands still is left at once. */
  close(): void {
    this.#stop.abort(CLOSED);
    if (!this.#ended) this.#chunks.return(undefined).catch(() => {});
    this.#ended = true;
  }

  /** Asks the source for its next chunk; false at its end. */
  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    if (this.#borrowed) this.#parts.push(copyOf(this.#parts.pop()!));
    this.#borrowed = false;
    const { done, value } = await this.#chunks.next();
    this.#ended = done === true;
    if (done) return false;
    if (value.length > 0) {
      this.#parts.push(value);
      this.#borrowed = true;
      this.#held += value.length;
    }
    return true;
  }

  /** Takes up to `count` of the bytes that are held, part by part; each is valid until the next chunk is asked for. */
  *#taken(count: number): Generator<Uint8Array> {
    for (let left = count; left > 0; ) {
      const part = this.#parts[0]?.subarray(0, left);
      if (!part) return;
      this.#drop(part.length);
      left -= part.length;
      yield part;
    }
  }

  #drop(count: number): void {
    this.#position += count;
    this.#held -= count;
    for (let left = count; left > 0; ) {
      const first = this.#parts[0]!;
      if (first.length <= left) this.#parts.shift();
      else this.#parts[0] = first.subarray(left);
      left -= Math.min(left, first.length);
    }
    this.#borrowed &&= this.#parts.length > 0;
  }
}

/** Not by slice(), which is no copy of a Buffer. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
