// Everything a trace may come from, as one stream of byte chunks; and what its first bytes say about it.

/** Where a trace may come from. A `ReadableStream` is cancelled and an iterator is ended when reading stops early. */
export type TraceSource =
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>;

/**
 * The chunks of a source.
 * @throws TypeError if it is none of {@link TraceSource}, or gives something else than bytes
 */
export async function* chunksOf(source: TraceSource, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    yield* slices(source instanceof Uint8Array ? source : new Uint8Array(source));
    return;
  }
  if (typeof Blob !== "undefined" && source instanceof Blob) {
    yield* chunksOf(source.stream() as ReadableStream<Uint8Array>, signal);
    return;
  }
  if (typeof ReadableStream !== "undefined" && source instanceof ReadableStream) {
    yield* readStream(source, signal);
    return;
  }
  const candidate = source as Partial<AsyncIterable<Uint8Array> & Iterable<Uint8Array>> | null | undefined;
  const iterator = candidate?.[Symbol.asyncIterator]?.() ?? candidate?.[Symbol.iterator]?.();
  if (!iterator || typeof source === "string") {
    const got = source === null ? "null" : typeof source;
    throw new TypeError(
      `trace source: ${got}, expected a Uint8Array, ArrayBuffer, Blob, ReadableStream or iterable of Uint8Array`,
    );
  }
  let ended = false;
  try {
    for (;;) {
      const result = await abortable(Promise.resolve(iterator.next()), signal);
      if (result.done) {
        ended = true;
        return;
      }
      yield bytesOf(result.value);
    }
  } finally {
    // Not awaited: an iterator that hangs in next() would hang in return() as well, and cancelling must not.
    if (!ended) Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

async function* readStream(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await abortable(reader.read(), signal);
      if (done) {
        ended = true;
        return;
      }
      yield bytesOf(value);
    }
  } finally {
    if (!ended) reader.cancel(signal?.reason).catch(() => {});
    else reader.releaseLock();
  }
}

/** A memory block in pieces, so that a long parse yields to the caller and can be cancelled. */
function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  const size = 1 << 20;
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(
    `trace source: a chunk of type ${typeof value}, expected Uint8Array (decode nothing: give the bytes)`,
  );
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) {
      promise.catch(() => {});
      abort();
      return;
    }
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

const BINARY: readonly [readonly number[], string, string][] = [
  [[0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63], "a trace.dat of trace-cmd", "text: run `trace-cmd report FILE`"],
  [[0x50, 0x45, 0x52, 0x46, 0x49, 0x4c, 0x45, 0x32], "a perf.data", "text: run `perf script -i FILE`"],
  [[0x28, 0xb5, 0x2f, 0xfd], "zstd-compressed", "text or gzip: run `zstd -dc FILE`"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz-compressed", "text or gzip: run `xz -dc FILE`"],
  [[0x42, 0x5a, 0x68], "bzip2-compressed", "text or gzip: run `bzip2 -dc FILE`"],
  [[0x50, 0x4b, 0x03, 0x04], "a zip archive", "text or gzip: unpack it"],
  [[0x7f, 0x45, 0x4c, 0x46], "an ELF file", "trace text; a memory image goes to the image reader"],
  [[0xff, 0xfe], "UTF-16 text", "text as the kernel wrote it (UTF-8)"],
];

/** How many bytes {@link wrongFile} looks at. */
export const MAGIC_BYTES = 8;

/** If the first bytes are those of a format that is not trace text: what it is, and what to do. */
export function wrongFile(head: Uint8Array): { what: string; expected: string } | undefined {
  const found = BINARY.find(([magic]) => magic.every((byte, i) => head[i] === byte));
  return found && { what: found[1], expected: found[2] };
}
