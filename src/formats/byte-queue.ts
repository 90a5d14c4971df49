// A source of bytes as a queue: take exactly as many bytes as a format asks for, look ahead, give back.
import { type ByteStream, chunksOf } from "./bytes.js";

const EMPTY = new Uint8Array(0);
/** The reason of an end that nobody asks for: a reason that is not given costs an exception with its stack. */
const CLOSED = "closed";

/** Reads a source by byte counts, whatever its chunks are. */
export class ByteQueue {
  readonly #stop = new AbortController();
  readonly #chunks: AsyncGenerator<Uint8Array>;
  readonly #parts: Uint8Array[] = [];
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
    const bytes = await this.peek(count);
    this.#drop(bytes.length);
    return bytes;
  }

  /** As {@link take}, but the bytes stay. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#held < count) {
      const chunk = await this.#pull();
      if (chunk === undefined) break;
      if (chunk.length === 0) continue;
      // A copy: a source may reuse its buffer for the next chunk.
      this.#parts.push(chunk.slice());
      this.#held += chunk.length;
    }
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
    const bytes = this.#parts.shift();
    if (bytes) this.#held -= bytes.length;
    const next = bytes ?? (await this.#pull());
    this.#position += next?.length ?? 0;
    return next;
  }

  /** Puts back bytes that were just taken. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.unshift(bytes);
    this.#held += bytes.length;
    this.#position -= bytes.length;
  }

  /** Says that nothing more will be read; a source that stands still is left at once. */
  close(): void {
    this.#stop.abort(CLOSED);
    if (!this.#ended) this.#chunks.return(undefined).catch(() => {});
    this.#ended = true;
  }

  async #pull(): Promise<Uint8Array | undefined> {
    if (this.#ended) return undefined;
    const { done, value } = await this.#chunks.next();
    if (!done) return value;
    this.#ended = true;
    return undefined;
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
  }
}
