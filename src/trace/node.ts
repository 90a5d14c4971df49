// Node only: a trace file as a stream of chunks.
import { createReadStream } from "node:fs";

/**
 * Opens a trace file, plain or gzip, for `parseTrace`; "-" is standard input.
 * Errors of the file system (no such file, a directory) come out of the iteration as Node's own, with code and path.
 */
export function openTrace(path: string): AsyncIterable<Uint8Array> {
  return path === "-" ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 });
}
