// A source of bytes, decompressed if it begins like gzip, for readers that take all or nothing. The size is bounded: a few
// kilobytes of gzip can claim to hold gigabytes.
import { StalewalkError } from "../base/errors.js";
import { ByteQueue } from "./byte-queue.js";
import { type ByteStream, inflaterOf } from "./bytes.js";
import { type GzipDamage, GzipReader, isGzip } from "./gzip.js";

/** Default bound on an inflated size: 4 GiB, in bytes. */
export const DEFAULT_MAX_INFLATED_BYTES = 2 ** 32;

/** Thrown while gzip data is read: damaged or cut gzip data, or more than the allowed bytes. */
export class GzipError extends StalewalkError {
  /** Which error it is. */
  override readonly name = "GzipError";
  /** Name of the input as the caller gave it. */
  readonly file: string;
  /** The damage and its offset in the compressed file; undefined if the data is only too large. */
  readonly damage: GzipDamage | undefined;

  constructor(file: string, message: string, damage?: GzipDamage) {
    super("gzip", `${file}: ${message}`);
    this.file = file;
    this.damage = damage;
  }
}

/** Options of {@link unpack}. */
export interface UnpackOptions {
  /** Name of the input for error messages. Default: `"input"`. */
  file?: string;
  /** Largest inflated size allowed, in bytes. Default: {@link DEFAULT_MAX_INFLATED_BYTES}. */
  maxBytes?: number;
  /** Told what lies behind the gzip data and was left out, as a sentence. */
  onGarbage?: (warning: string) => void;
}

/**
 * The bytes of a source: inflated if they begin like gzip, else as they are. Errors of the source pass through.
 *
 * @throws GzipError if gzip data is damaged or cut short, or inflates to more than `maxBytes`
 */
export async function* unpack(source: ByteStream, options: UnpackOptions = {}): AsyncGenerator<Uint8Array> {
  const { file = "input", maxBytes = DEFAULT_MAX_INFLATED_BYTES, onGarbage } = options;
  const queue = new ByteQueue(source, file);
  try {
    if (!isGzip(await queue.peek(2))) {
      for (let chunk = await queue.next(); chunk; chunk = await queue.next()) yield chunk;
      return;
    }
    const reader = new GzipReader(queue, inflaterOf(source));
    let total = 0;
    for await (const text of reader.text()) {
      total += text.length;
      if (total > maxBytes) {
        throw new GzipError(file, `inflates to more than ${maxBytes} bytes; raise maxBytes to allow it`);
      }
      yield text;
    }
    const { damage, garbage } = reader;
    if (damage) {
      throw new GzipError(
        file,
        `damaged or cut gzip data after ${total} inflated bytes: ${describeDamage(damage)}`,
        damage,
      );
    }
    if (garbage) onGarbage?.(`${describeDamage(garbage)}; they are left out`);
  } finally {
    queue.close();
  }
}

/** Damage as a part of a sentence. */
export function describeDamage({ message, offset }: GzipDamage): string {
  return `at offset ${offset}: ${message}`;
}
