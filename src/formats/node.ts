// Node only: inflating with zlib, which works in a thread of its own, and files as sources that bring it.
import { createReadStream } from "node:fs";
import * as zlib from "node:zlib";
import { type ByteStream, INFLATER } from "./bytes.js";
import { crc32 } from "./crc32.js";
import type { Inflater, InflateStep } from "./inflate.js";

/** Size of zlib's output buffers: what is decoded is handed over when one is full, and lost by an error before. */
const OUTPUT_BYTES = 1 << 20;

/** Node's zlib. */
export const zlibInflater: Inflater = {
  pieceBytes: 1 << 14,
  // Native since Node 20.15.
  crc32: zlib.crc32 ? (crc, bytes) => zlib.crc32(bytes, crc) : (crc, bytes) => crc32(crc, bytes, 0, bytes.length),
  open() {
    let pieces: Uint8Array[] = [];
    let pushed = 0;
    let settle: ((error: string | undefined) => void) | undefined;
    // Raw, so that the frame's checks are the same everywhere: zlib's own drop the last buffer where they fail.
    const inflate = zlib.createInflateRaw({ chunkSize: OUTPUT_BYTES });
    inflate.on("data", (piece: Uint8Array) => pieces.push(piece));
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
      close: () => inflate.destroy(),
    };
  },
};

/** Gives a source of bytes the inflater of Node. */
export function withZlib<T extends ByteStream & object>(source: T): T {
  return Object.assign(source, { [INFLATER]: zlibInflater });
}

/**
 * The bytes of a file as a stream that Node's zlib inflates, if it is read by this library; "-" is standard input.
 * Errors of the file system (no such file, a directory) come out of the iteration as Node's own, with code and path.
 */
export function openFile(path: string): AsyncIterable<Uint8Array> {
  return withZlib(path === "-" ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 }));
}
