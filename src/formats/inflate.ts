// DEFLATE (RFC 1951) by a library: what the gzip reader asks of one, and fflate, which runs everywhere. Node's zlib is in
// node.ts. fflate checks neither CRC nor length: that is done around it, in gzip.ts.
import type { Inflate } from "fflate";
import { crc32 } from "./crc32.js";

/** What decoding one more piece came to. */
export interface InflateStep {
  /** What was decoded. */
  readonly pieces: readonly Uint8Array[];
  /** Number of bytes at the end of the input that lie behind the DEFLATE stream; undefined while it has not ended. */
  readonly unused: number | undefined;
  /** What is wrong with the data; nothing more can be pushed. */
  readonly error: string | undefined;
}

/** The decoder of one DEFLATE stream. */
export interface InflateStream {
  /** Decodes the next bytes, one or more; one call at a time. The bytes must stay as they are until it is done. */
  push(bytes: Uint8Array): InflateStep | Promise<InflateStep>;
  /** Takes back a piece that was decoded: nobody will look at it again. */
  used(piece: Uint8Array): void;
  /** Frees what the decoder holds. */
  close(): void;
}

/** A library that inflates. */
export interface Inflater {
  open(): InflateStream;
  /** Continues a CRC-32; 0 at the beginning. */
  crc32(crc: number, bytes: Uint8Array): number;
  /** How many bytes to push at a time: an error may lose what these bytes had decoded to. */
  readonly pieceBytes: number;
}

/** The part of fflate's state that says where a stream ended. Its public interface does not; so its version is pinned. */
interface FflateState {
  /** `f`: the last block has begun. `l`: the code of an unfinished block. `p`: bits of the first byte already used. */
  readonly s: { readonly f?: number; readonly l?: unknown; readonly p?: number };
  /** Input not used yet. */
  readonly p: Uint8Array;
}

/**
 * fflate: no built-ins, decodes in this thread. Of a stored block (at most 64 KiB) it gives nothing before it has the whole. It is
 * loaded when it is needed: files that Node opens have no need of it, and making its tables takes as long as a short trace.
 */
export const fflateInflater: Inflater = {
  pieceBytes: 1 << 14,
  crc32: (crc, bytes) => crc32(crc, bytes, 0, bytes.length),
  open() {
    let pieces: Uint8Array[] = [];
    let inflate: Inflate | undefined;
    return {
      async push(bytes) {
        pieces = [];
        inflate ??= new (await import("./fflate.js")).Inflate((piece) => {
          if (piece.length > 0) pieces.push(piece);
        });
        try {
          inflate.push(bytes);
        } catch (error) {
          return { pieces, unused: undefined, error: error instanceof Error ? error.message : String(error) };
        }
        const { s, p } = inflate as unknown as FflateState;
        const ended = s.f && !s.l;
        return { pieces, unused: ended ? p.length - (s.p ? 1 : 0) : undefined, error: undefined };
      },
      used() {},
      close() {},
    };
  },
};
