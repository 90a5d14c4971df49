// Everything that bytes may come from, as one stream of chunks. No Node built-ins.
import { fflateInflater, type Inflater } from "./inflate.js";

/** Where bytes may come from. A `ReadableStream` is cancelled and an iterator is ended when reading stops early. */
export type ByteStream =
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>;

/** Under this key a source of bytes may carry the inflater of its host: files opened by Node bring zlib. */
export const INFLATER: unique symbol = Symbol("inflater");

/**
 * Under this key a source may give its bytes in a buffer that it fills again and again: a chunk is valid until the next is asked
 * for. Whoever iterates the source as usual gets chunks to keep.
 */
export const LENT: unique symbol = Symbol("lent chunks");

interface Lending {
  [LENT](): AsyncIterator<Uint8Array>;
}

/** The inflater that a source brings, else the one that runs everywhere. */
export function inflaterOf(source: ByteStream): Inflater {
  return (source as { readonly [INFLATER]?: Inflater } | null | undefined)?.[INFLATER] ?? fflateInflater;
}

/**
 * The chunks of a source, each valid until the next is asked for.
 * @param what name of the source in errors, e.g. `trace source`
 * @throws TypeError if it is none of {@link ByteStream}, or gives something else than bytes
 */
export async function* chunksOf(
  source: ByteStream,
  what: string,
  signal?: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    yield* slices(source instanceof Uint8Array ? source : new Uint8Array(source));
    return;
  }
  if (typeof Blob !== "undefined" && source instanceof Blob) {
    yield* chunksOf(source.stream() as ReadableStream<Uint8Array>, what, signal);
    return;
  }
  if (typeof ReadableStream !== "undefined" && source instanceof ReadableStream) {
    yield* readStream(source, what, signal);
    return;
  }
  const candidate = source as Partial<AsyncIterable<Uint8Array> & Iterable<Uint8Array> & Lending> | null | undefined;
  const iterator = candidate?.[LENT]?.() ?? candidate?.[Symbol.asyncIterator]?.() ?? candidate?.[Symbol.iterator]?.();
  if (!iterator || typeof source === "string") {
    const got = source === null ? "null" : typeof source;
    throw new TypeError(
      `${what}: ${got}, expected a Uint8Array, ArrayBuffer, Blob, ReadableStream or iterable of Uint8Array`,
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
      yield bytesOf(result.value, what);
    }
  } finally {
    // Not awaited: an iterator that hangs in next() would hang in return() as well, and cancelling must not.
    if (!ended) Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

async function* readStream(
  stream: ReadableStream<Uint8Array>,
  what: string,
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
      yield bytesOf(value, what);
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

function bytesOf(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`${what}: a chunk of type ${typeof value}, expected Uint8Array (decode nothing: give the bytes)`);
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
