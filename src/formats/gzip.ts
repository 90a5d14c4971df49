// Inflates gzip data (RFC 1952) with the host's DecompressionStream; no Node built-ins.
// The inflated size is bounded: a few kilobytes of gzip can claim to hold gigabytes.

/** Default bound on an inflated size: 4 GiB, in bytes. */
export const DEFAULT_MAX_INFLATED_BYTES = 2 ** 32;

/** Thrown where gzip data are inflated: not gzip data, a damaged or cut stream, or more than the allowed bytes. */
export class GzipError extends Error {
  /** For telling errors apart without `instanceof`. */
  override readonly name = "GzipError";
  /** Name of the input as the caller gave it. */
  readonly file: string;

  constructor(file: string, message: string, cause?: unknown) {
    super(`${file}: ${message}`, cause === undefined ? undefined : { cause });
    this.file = file;
  }
}

/** Options of {@link gunzip}. */
export interface GunzipOptions {
  /** Name of the input for error messages. Default: `"input"`. */
  file?: string;
  /** Largest inflated size allowed, in bytes. Default: {@link DEFAULT_MAX_INFLATED_BYTES}. */
  maxBytes?: number;
}

/** True if the data starts with the two magic bytes of gzip (0x1f 0x8b). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Inflates gzip data.
 *
 * @param bytes the whole compressed input
 * @returns the inflated bytes
 * @throws GzipError if the data is no gzip, is damaged or cut short, or inflates to more than `maxBytes`
 */
export async function gunzip(bytes: Uint8Array, options: GunzipOptions = {}): Promise<Uint8Array> {
  const file = options.file ?? "input";
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_INFLATED_BYTES;
  if (!isGzip(bytes)) throw new GzipError(file, "not gzip data: expected the bytes 1f 8b at offset 0");
  const reader = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream("gzip"))
    .getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    let step: ReadableStreamReadResult<Uint8Array>;
    try {
      step = await reader.read();
    } catch (error) {
      const reason = error instanceof Error && error.message ? error.message : String(error);
      throw new GzipError(file, `damaged or cut gzip data after ${total} inflated bytes: ${reason}`, error);
    }
    if (step.done) break;
    total += step.value.length;
    if (total > maxBytes) {
      // The stream may refuse to be cancelled once it has failed on its own; the size is the error to report.
      await reader.cancel().catch(() => undefined);
      throw new GzipError(file, `inflates to more than ${maxBytes} bytes; raise maxBytes to allow it`);
    }
    chunks.push(step.value);
  }
  const result = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.length;
  }
  return result;
}
