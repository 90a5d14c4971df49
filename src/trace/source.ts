// Everything a trace may come from, as one stream of byte chunks; and what its first bytes say about it.
import { ByteQueue } from "../formats/byte-queue.js";
import { type ByteStream, inflaterOf } from "../formats/bytes.js";
import { type GzipDamage, GzipReader, isGzip } from "../formats/gzip.js";
import { compressedFormat, startsWith } from "../formats/magic.js";
import { withText } from "./gzip.js";

/** Where a trace may come from. A `ReadableStream` is cancelled and an iterator is ended when reading stops early. */
export type TraceSource = ByteStream;

/** How many bytes of a compressed file one chunk stands for, at most. */
const STEP = new Uint8Array(1 << 20);

/**
 * The chunks of a source. Those of a gzip file come with their text, for `Gunzip`: the first holds the file's first bytes,
 * of the further ones only the length is true.
 * @throws TypeError if it is none of {@link TraceSource}, or gives something else than bytes
 */
export async function* chunksOf(source: TraceSource, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const queue = new ByteQueue(source, "trace source", signal);
  try {
    const head = await queue.peek(MAGIC_BYTES);
    if (!isGzip(head)) {
      for (let chunk = await queue.next(); chunk; chunk = await queue.next()) yield chunk;
      return;
    }
    const reader = new GzipReader(queue, inflaterOf(source));
    // The parser looks at so many bytes before it takes anything; a file of fewer is all header, and cut.
    if (head.length < MAGIC_BYTES) for await (const _ of reader.text());
    yield withText(head, { text: undefined, damage: named(reader.damage) });
    if (reader.damage) return;
    let told = head.length;
    const step = () => {
      const from = Math.min(told, reader.position);
      told = Math.min(Math.max(told, reader.position), from + STEP.length);
      return STEP.subarray(0, told - from);
    };
    for await (const text of reader.text()) yield withText(step(), { text, damage: undefined });
    yield withText(step(), { text: undefined, damage: named(reader.damage), garbage: named(reader.garbage) });
  } finally {
    queue.close();
  }
}

/** Bytes of a source, if it is one that knows. */
export function sizeOf(source: TraceSource): number | undefined {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return source.byteLength;
  return typeof Blob !== "undefined" && source instanceof Blob ? source.size : undefined;
}

function named(damage: GzipDamage | undefined): GzipDamage | undefined {
  return damage && { ...damage, message: `gzip data: ${damage.message}` };
}

const UTF16 = ["UTF-16 text", "text as the kernel wrote it (UTF-8)"] as const;
const BINARY: readonly [readonly number[], string, string][] = [
  [[0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63], "a trace.dat of trace-cmd", "text: run `trace-cmd report FILE`"],
  [[0x50, 0x45, 0x52, 0x46, 0x49, 0x4c, 0x45, 0x32], "a perf.data", "text: run `perf script -i FILE`"],
  [[0x7f, 0x45, 0x4c, 0x46], "an ELF file", "trace text; a memory image goes to the image reader"],
  [[0xff, 0xfe], ...UTF16],
  [[0xfe, 0xff], ...UTF16],
];

/** How many bytes {@link wrongFile} looks at. */
export const MAGIC_BYTES = 8;

/** If the first bytes are those of a format that is not trace text: what it is, and what to do. */
export function wrongFile(head: Uint8Array): { what: string; expected: string } | undefined {
  const found = BINARY.find(([magic]) => startsWith(head, magic));
  if (found) return { what: found[1], expected: found[2] };
  // Without a mark of its own: every other byte is zero.
  const zeros = [0, 1].map((first) => [0, 2, 4, 6].filter((at) => head[first + at] === 0).length);
  if (zeros.includes(4) && zeros.includes(0)) return { what: UTF16[0], expected: UTF16[1] };
  const packed = compressedFormat(head.subarray(0, MAGIC_BYTES));
  return packed && { what: packed.what, expected: `text or gzip: run \`${packed.command}\`` };
}
