// The one reader of gzip (RFC 1952): header, DEFLATE body, CRC-32 and length, any number of members, zero padding at the
// end. A library inflates; the frame around it, its checks and what is said of damage are here. Damage is not the loss of
// what came before it: libraries drop what the failing call had decoded, so that part is read again in crumbs.
import type { ByteQueue } from "./byte-queue.js";
import { headerLength, MAX_HEADER } from "./gzip-header.js";
import type { Inflater, InflateStep, InflateStream } from "./inflate.js";

export { isGzip } from "./gzip-header.js";

/** Something wrong with a gzip file. */
export interface GzipDamage {
  /** What is wrong and what was expected. */
  readonly message: string;
  /** Offset in the compressed file, in bytes, up to which the data had been read. */
  readonly offset: number;
}

/** Bytes of a member that are kept to be read again at damage. A longer one may lose what its last piece decoded to. */
const KEPT_BYTES = 8 << 20;
/** How many bytes are pushed at a time where a piece that fails is read again and again, until the byte is found. */
const CRUMB_BYTES = [1024, 64, 4, 1];

/** Reads a gzip file once. After damage {@link text} ends and {@link damage} says why. */
export class GzipReader {
  /** Damage, if any was found so far: the text is not whole. */
  damage: GzipDamage | undefined;
  /** What lies behind the last member and is no padding, if anything does: the text is whole without it. */
  garbage: GzipDamage | undefined;

  readonly #queue: ByteQueue;
  readonly #inflater: Inflater;
  /** Where pieces of the file are put, used again for every member: what each piece leaves behind adds up in a long file. */
  readonly #buffers: Uint8Array[] = [];
  #member = 0;
  #crc = 0;
  #length = 0;

  /** @param queue the file; errors of its source pass through as they are. The caller closes it. */
  constructor(queue: ByteQueue, inflater: Inflater) {
    this.#queue = queue;
    this.#inflater = inflater;
  }

  /** Number of bytes of the file that were taken so far. */
  get position(): number {
    return this.#queue.position;
  }

  /** The decoded text in pieces, each valid until the next is asked for. Can be asked for once. */
  async *text(): AsyncGenerator<Uint8Array, void, undefined> {
    do {
      if (!(await this.#header())) return;
      yield* this.#body();
    } while (!this.damage && (await this.#trailer()) && (await this.#another()));
  }

  #fail(message: string, offset: number): false {
    this.damage = { message, offset };
    return false;
  }

  async #header(): Promise<boolean> {
    const start = this.position;
    for (let want = 512; ; want *= 2) {
      const head = await this.#queue.peek(want);
      // Nothing at all is an empty file: that is for the caller to say.
      if (head.length === 0 && this.#member === 0) return false;
      const length = headerLength(head);
      if (typeof length === "string") return this.#fail(length, start);
      if (length >= 0) {
        await this.#queue.take(length);
        break;
      }
      if (head.length < want)
        return this.#fail("the file ends inside a member header (cut file?)", start + head.length);
      if (want > MAX_HEADER) return this.#fail(`a header of more than ${MAX_HEADER} bytes`, start);
    }
    this.#member++;
    this.#crc = 0;
    this.#length = 0;
    return true;
  }

  async *#body(): AsyncGenerator<Uint8Array, void, undefined> {
    const stream = this.#inflater.open();
    const start = this.position;
    const kept: Uint8Array[] = [];
    let pushed = 0;
    try {
      for (let next: Promise<Pushed> | undefined = this.#push(stream, pushed++); next; ) {
        const { piece, step }: Pushed = await next;
        next = undefined;
        if (step === undefined) {
          this.#fail("the file ends inside compressed data (cut file?)", this.position);
          return;
        }
        const { unused, error } = step;
        if (pushed * this.#inflater.pieceBytes <= KEPT_BYTES) kept.push(piece);
        else kept.length = 0;
        if (unused !== undefined) this.#queue.unread(piece.subarray(piece.length - unused));
        else if (error === undefined) {
          // The library works on the next piece, perhaps in another thread, while the caller works on this one.
          next = this.#push(stream, pushed++);
          next.catch(() => {});
        }
        for (const text of step.pieces) {
          yield this.#count(text);
          stream.used(text);
        }
        if (error === undefined) continue;
        // Where the failing piece begins: all that is known of a member that was too long to be kept.
        let good = this.position - piece.length - start;
        if (kept.length > 0) for (const crumb of CRUMB_BYTES) good = yield* this.#again(kept, good, crumb);
        this.#fail(error, start + good);
      }
    } finally {
      stream.close();
    }
  }

  /** Pushes piece `index` of the member. Those that are not kept share a buffer: the library has done with one before the next. */
  async #push(stream: InflateStream, index: number): Promise<Pushed> {
    const { pieceBytes } = this.#inflater;
    const place = (index + 1) * pieceBytes <= KEPT_BYTES ? index : 0;
    this.#buffers[place] ??= new Uint8Array(pieceBytes);
    const buffer = this.#buffers[place];
    const piece = buffer.subarray(0, await this.#queue.fill(buffer));
    return { piece, step: piece.length > 0 ? await stream.push(piece) : undefined };
  }

  /**
   * Reads a member again up to its damage, and gives what was not given yet.
   * @param good number of its bytes that are known to be good
   * @param crumb how many bytes to push at a time from there on
   * @returns the number known then
   */
  async *#again(kept: readonly Uint8Array[], good: number, crumb: number): AsyncGenerator<Uint8Array, number> {
    const stream = this.#inflater.open();
    let given = this.#length;
    let read = 0;
    try {
      for (const bytes of crumbs(kept, good, crumb)) {
        const step = await stream.push(bytes);
        for (const text of step.pieces) {
          const { length } = text;
          if (given < length) yield this.#count(text.subarray(given));
          given = Math.max(0, given - length);
          stream.used(text);
        }
        if (step.error !== undefined) break;
        read += bytes.length;
      }
    } finally {
      stream.close();
    }
    return read;
  }

  #count(text: Uint8Array): Uint8Array {
    this.#crc = this.#inflater.crc32(this.#crc, text);
    this.#length += text.length;
    return text;
  }

  async #trailer(): Promise<boolean> {
    const at = this.position;
    const bytes = await this.#queue.take(8);
    if (bytes.length < 8) return this.#fail("the file ends before the CRC and length (cut file?)", this.position);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    const crc = view.getUint32(0, true);
    const length = view.getUint32(4, true);
    if (crc !== this.#crc) {
      const [want, got] = [hex(crc), hex(this.#crc)];
      return this.#fail(`member ${this.#member} says CRC ${want}, its data has ${got}: bytes were changed`, at);
    }
    // The length is kept modulo 2^32.
    if (length !== this.#length % 2 ** 32) {
      return this.#fail(`member ${this.#member} says ${length} bytes, its data has ${this.#length}`, at + 4);
    }
    return true;
  }

  /** Steps over zero padding; true if another member follows. */
  async #another(): Promise<boolean> {
    for (;;) {
      const bytes = await this.#queue.take(4096);
      if (bytes.length === 0) return false;
      const end = bytes.findIndex((byte) => byte !== 0);
      if (end < 0) continue;
      this.#queue.unread(bytes.subarray(end));
      const [first, second = 0x8b] = await this.#queue.peek(2);
      if (first === 0x1f && second === 0x8b) return true;
      const message = `${bytes.length - end} or more bytes after the end are no gzip member`;
      this.garbage = { message, offset: this.position };
      return false;
    }
  }
}

interface Pushed {
  readonly piece: Uint8Array;
  /** Undefined if there was nothing more to push. */
  readonly step: InflateStep | undefined;
}

/** The pieces as they are up to `whole` bytes, then in parts of `crumb`. */
function* crumbs(pieces: readonly Uint8Array[], whole: number, crumb: number): Generator<Uint8Array> {
  let left = whole;
  for (const piece of pieces) {
    const good = Math.min(left, piece.length);
    left -= good;
    if (good > 0) yield piece.subarray(0, good);
    for (let at = good; at < piece.length; at += crumb) yield piece.subarray(at, at + crumb);
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
