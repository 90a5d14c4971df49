// gzip framing (RFC 1952): header, DEFLATE body, CRC-32 and length, any number of members, zero padding at the end.
// A decoder takes chunks and gives chunks; damage is an event in the stream of output, not the loss of what came before.
import { crc32 } from "./crc32.js";
import { InflateError } from "./huffman.js";
import { Inflate } from "./inflate.js";

/** Damage found in a gzip file. */
export interface GzipDamage {
  /** What is wrong and what was expected. */
  readonly message: string;
  /** Offset in the compressed file, in bytes, up to which the data had been read. */
  readonly offset: number;
}

/** True if `bytes` begin like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

const FLAG_HCRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;
/** Longest header accepted, in bytes: the file name and comment in it have no length field of their own. */
const MAX_HEADER = 1 << 17;

/** A gzip decoder that is fed chunk by chunk. After damage it produces nothing more and {@link damage} says why. */
export class Gunzip {
  /** What is wrong with the file, if anything was found so far. */
  damage: GzipDamage | undefined;

  readonly #inflate = new Inflate();
  #pending: Uint8Array = new Uint8Array(0);
  /** Offset in the file of `#pending[0]`. */
  #base = 0;
  #state: "header" | "body" | "trailer" | "padding" = "header";
  #members = 0;
  #crc = 0;
  #length = 0;

  /**
   * Decodes as much as `chunk` allows.
   * @param chunk the next bytes of the file
   * @param last true if nothing follows
   * @returns pieces of the decoded text; each is valid only until the next one is asked for
   */
  *decode(chunk: Uint8Array, last: boolean): Generator<Uint8Array, void, undefined> {
    if (this.damage) return;
    const input = join(this.#pending, chunk);
    let at = 0;
    for (;;) {
      if (this.#state === "header") {
        const next = this.#header(input, at, last);
        if (next < 0) break;
        at = next;
        this.#state = "body";
      } else if (this.#state === "body") {
        const inflate = this.#inflate;
        inflate.setInput(input, at, last);
        let stop: "input" | "output" | "end" = "output";
        while (stop === "output") {
          try {
            stop = inflate.run();
          } catch (error) {
            if (!(error instanceof InflateError)) throw error;
            yield* this.#piece();
            this.#fail(error.message, Math.min(inflate.position, input.length));
            return;
          }
          yield* this.#piece();
        }
        if (stop === "end") this.#state = "trailer";
        at = inflate.position;
        if (stop === "input") break;
      } else if (this.#state === "trailer") {
        if (input.length - at < 8) {
          if (last) this.#fail("the file ends before the CRC and length (cut file?)", input.length);
          break;
        }
        if (!this.#trailer(input, at)) return;
        at += 8;
        this.#state = "padding";
      } else {
        while (at < input.length && input[at] === 0) at++;
        if (at === input.length) break;
        if (input[at] !== 0x1f) {
          this.#fail(`${input.length - at} or more bytes after the end are no gzip member`, at);
          return;
        }
        this.#state = "header";
      }
    }
    this.#base += at;
    this.#pending = input.slice(at);
  }

  #fail(message: string, at: number): void {
    this.damage = { message: `gzip data: ${message}`, offset: this.#base + at };
  }

  *#piece(): Generator<Uint8Array, void, undefined> {
    const { output, outputStart, outputEnd } = this.#inflate;
    if (outputEnd === outputStart) return;
    this.#crc = crc32(this.#crc, output, outputStart, outputEnd);
    this.#length = (this.#length + (outputEnd - outputStart)) >>> 0;
    yield output.subarray(outputStart, outputEnd);
  }

  /** Reads a member header; the index behind it, or -1 if more input is needed or damage was found. */
  #header(input: Uint8Array, start: number, last: boolean): number {
    const end = headerEnd(input, start);
    if (typeof end === "string") {
      this.#fail(end, start);
      return -1;
    }
    if (end < 0) {
      if (last) this.#fail("the file ends inside a member header (cut file?)", input.length);
      else if (input.length - start > MAX_HEADER) this.#fail(`a header of more than ${MAX_HEADER} bytes`, start);
      return -1;
    }
    this.#members++;
    this.#crc = 0;
    this.#length = 0;
    this.#inflate.reset();
    return end;
  }

  #trailer(input: Uint8Array, at: number): boolean {
    const view = new DataView(input.buffer, input.byteOffset + at, 8);
    const crc = view.getUint32(0, true);
    const length = view.getUint32(4, true);
    if (crc !== this.#crc) {
      const [want, got] = [hex(crc), hex(this.#crc)];
      this.#fail(`member ${this.#members} says CRC ${want}, its data has ${got}: bytes were changed`, at);
    } else if (length !== this.#length) {
      this.#fail(`member ${this.#members} says ${length} bytes, its data has ${this.#length}`, at + 4);
    }
    return this.damage === undefined;
  }
}

/** End of the member header at `at`; -1 if the input ends inside it; a text if it is no header. */
function headerEnd(input: Uint8Array, at: number): number | string {
  if (input.length - at < 10) return -1;
  if (input[at] !== 0x1f || input[at + 1] !== 0x8b) return "expected the magic bytes 1f 8b";
  if (input[at + 2] !== 8) return `compression method ${input[at + 2]}, expected 8 (deflate)`;
  const flags = input[at + 3]!;
  if (flags & 0xe0) return `reserved header flags 0x${(flags & 0xe0).toString(16)} are set`;
  let end = at + 10;
  if (flags & FLAG_EXTRA) {
    if (input.length < end + 2) return -1;
    end += 2 + input[end]! + input[end + 1]! * 256;
  }
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if (!(flags & flag)) continue;
    const zero = end < input.length ? input.indexOf(0, end) : -1;
    if (zero < 0) return -1;
    end = zero + 1;
  }
  if (flags & FLAG_HCRC) {
    if (input.length < end + 2) return -1;
    const want = input[end]! | (input[end + 1]! << 8);
    if ((crc32(0, input, at, end) & 0xffff) !== want) return "the CRC of the member header is wrong";
    end += 2;
  }
  return end > input.length ? -1 : end;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
