// Node only: inflating with zlib, which works in a thread of its own, and files as sources that bring it.
import { open } from "node:fs/promises";
import * as zlib from "node:zlib";
import { type ByteStream, INFLATER, LENT } from "./bytes.js";
import { crc32 } from "./crc32.js";
import type { Inflater, InflateStep } from "./inflate.js";

/** Size of zlib's output buffers: what is decoded is handed over when one is full, and lost by an error before. */
const OUTPUT_BYTES = 1 << 20;
/** How many bytes of a file are read at once. */
const INPUT_BYTES = 1 << 18;

/** Node's zlib. */
export const zlibInflater: Inflater = {
  pieceBytes: 1 << 14,
  // Native since Node 20.15.
  crc32: zlib.crc32 ? (crc, bytes) => zlib.crc32(bytes, crc) : (crc, bytes) => crc32(crc, bytes, 0, bytes.length),
  open() {
    let pieces: Uint8Array[] = [];
    let pushed = 0;
    const buffers = new Buffers();
    let settle: ((error: string | undefined) => void) | undefined;
    // Raw, so that the frame's checks are the same everywhere: zlib's own drop the last buffer where they fail.
    const inflate = zlib.createInflateRaw({ chunkSize: OUTPUT_BYTES });
    inflate.on("data", (piece: Uint8Array) => {
      buffers.lend(piece);
      pieces.push(piece);
    });
    inflate.on("error", (error) => settle?.(error.message));
    return {
      push(bytes) {
        pieces = [];
        pushed += bytes.length;
        return new Promise<InflateStep>((resolve) => {
          settle = (error) => {
            settle = undefined;
            const unused = pushed - inflate.bytesWritten;
            resolve({ pieces, unused: error === undefined && unused > 0 ? unused : undefined, error });
          };
          inflate.write(bytes, () => settle?.(undefined));
        });
      },
      used: (piece) => buffers.takeBack(piece),
      close() {
        inflate.destroy();
        // In the middle of a piece it may still be writing.
        if (settle === undefined) buffers.end();
      },
    };
  },
};

let closed: MessagePort | undefined;

/** A closed port: memory that is transferred there is let go of at once. */
function nowhere(): MessagePort {
  if (closed) return closed;
  closed = new MessageChannel().port1;
  closed.close();
  return closed;
}

/**
 * zlib's output buffers: a megabyte each, a new one when one is full. Left to the collector of garbage, which looks at what the
 * heap holds and not at what hangs on it, those of a long file pile up to 64 MB. So a buffer goes when zlib fills the next one
 * and all its pieces were used.
 */
class Buffers {
  /** How many pieces of a buffer are in use. */
  readonly #lent = new Map<ArrayBufferLike, number>();
  #filling: ArrayBufferLike | undefined;

  lend({ buffer }: Uint8Array): void {
    const before = this.#filling;
    this.#filling = buffer;
    this.#lent.set(buffer, (this.#lent.get(buffer) ?? 0) + 1);
    if (before && before !== buffer) this.#free(before);
  }

  takeBack({ buffer }: Uint8Array): void {
    this.#lent.set(buffer, this.#lent.get(buffer)! - 1);
    if (buffer !== this.#filling) this.#free(buffer);
  }

  /** zlib is idle, and has filled its last buffer. */
  end(): void {
    const last = this.#filling;
    this.#filling = undefined;
    if (last) this.#free(last);
  }

  #free(buffer: ArrayBufferLike): void {
    if (this.#lent.get(buffer) !== 0) return;
    this.#lent.delete(buffer);
    nowhere().postMessage(undefined, [buffer as ArrayBuffer]);
  }
}

/** Gives a source of bytes the inflater of Node. */
export function withZlib<T extends ByteStream & object>(source: T): T {
  return Object.assign(source, { [INFLATER]: zlibInflater });
}

/**
 * The bytes of a file as a stream that Node's zlib inflates, if it is read by this library; "-" is standard input.
 * Errors of the file system (no such file, a directory) come out of the iteration as Node's own, with code and path.
 */
export function openFile(path: string): AsyncIterable<Uint8Array> {
  if (path === "-") return withZlib(process.stdin);
  return withZlib({
    [LENT]: () => chunksOfFile(path, new Uint8Array(INPUT_BYTES)),
    [Symbol.asyncIterator]: () => chunksOfFile(path),
  });
}

/** @param lent where every chunk is put, one after the other; without it each has memory of its own */
async function* chunksOfFile(path: string, lent?: Uint8Array): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    for (;;) {
      const buffer = lent ?? new Uint8Array(INPUT_BYTES);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    // Node does not say it where a file can be opened but not read: a folder.
    throw Object.assign(error as Error, { path });
  } finally {
    await file.close();
  }
}
