// A gzip-compressed trace, as the parser sees it. The file is decoded in source.ts, beside this thread where the host can;
// a chunk comes to the parser with the text that it completes, and this hands the text over in step.
import type { GzipDamage } from "../formats/gzip.js";

export { isGzip } from "../formats/gzip.js";

/** What belongs to a chunk of the compressed file. */
export interface DecodedChunk {
  readonly text: Uint8Array | undefined;
  readonly damage: GzipDamage | undefined;
  /** What stands behind the last member: nothing is lost by it. */
  readonly garbage?: GzipDamage | undefined;
}

const decoded = new WeakMap<Uint8Array, DecodedChunk>();

/** Notes what a chunk was decoded to, and returns the chunk. */
export function withText(chunk: Uint8Array, content: DecodedChunk): Uint8Array {
  decoded.set(chunk, content);
  return chunk;
}

/** Gives the text of chunks that come from `chunksOf` of source.ts. */
export class Gunzip {
  /** What is wrong with the file, if anything was found so far. */
  damage: GzipDamage | undefined;
  /** What stands behind its last member and is no gzip. */
  garbage: GzipDamage | undefined;

  /** The text that this chunk completes. */
  *decode(chunk: Uint8Array, _last: boolean): Generator<Uint8Array, void, undefined> {
    const content = decoded.get(chunk);
    if (content?.text) yield content.text;
    this.damage ??= content?.damage;
    this.garbage ??= content?.garbage;
  }
}
