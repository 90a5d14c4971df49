// The bytes of a stream, for reading at any offset. Memory that is all zero, or that repeats, is kept once: a core of a
// gigabyte in a few megabytes of gzip is mostly that.
import type { ByteSource } from "./source.js";

const BLOCK = 1 << 16;
const ZEROS = new Uint8Array(BLOCK);

/** Collects a stream; {@link read} works at any time on what came so far. */
export class BlockStore implements ByteSource {
  /** Bytes that came so far. */
  size = 0;
  /** Bytes from here on are counted but not kept. */
  limit = Number.POSITIVE_INFINITY;

  readonly #blocks: Uint8Array[] = [];
  /** The block that is being filled. */
  #open = new Uint8Array(BLOCK);

  /** Takes the next bytes of the stream. */
  append(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && this.size < this.limit) {
      const filled = this.size % BLOCK;
      const part = bytes.subarray(at, at + BLOCK - filled);
      this.#open.set(part, filled);
      this.size += part.length;
      at += part.length;
      if (this.size % BLOCK === 0) this.#close();
    }
    this.size += bytes.length - at;
  }

  read(offset: number, length: number): Uint8Array {
    const first = Math.floor(offset / BLOCK);
    const from = offset % BLOCK;
    if (from + length <= BLOCK) return this.#block(first).subarray(from, from + length);
    const result = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const place = offset + at;
      const part = this.#block(Math.floor(place / BLOCK)).subarray(place % BLOCK, (place % BLOCK) + length - at);
      result.set(part, at);
      at += part.length;
    }
    return result;
  }

  #block(index: number): Uint8Array {
    return this.#blocks[index] ?? this.#open;
  }

  #close(): void {
    const block = this.#open;
    const same = [ZEROS, this.#blocks.at(-1)].find((other) => other && equal(block, other));
    this.#blocks.push(same ?? block);
    if (!same) this.#open = new Uint8Array(BLOCK);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  const [left, right] = [a, b].map((bytes) => new Int32Array(bytes.buffer, bytes.byteOffset, BLOCK / 4));
  return left!.every((word, i) => word === right![i]);
}
