// The header of a gzip member (RFC 1952 section 2.3).
import { crc32 } from "./crc32.js";

const FLAG_HCRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;

/** Longest header accepted, in bytes: the file name and comment in it have no length field of their own. */
export const MAX_HEADER = 1 << 17;

/** True if `bytes` begin like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Length of the member header that `input` begins with; -1 if the input ends inside it; a text if it is no header. */
export function headerLength(input: Uint8Array): number | string {
  if (input.length < 10) return -1;
  if (!isGzip(input)) return "expected the magic bytes 1f 8b";
  if (input[2] !== 8) return `compression method ${input[2]}, expected 8 (deflate)`;
  const flags = input[3]!;
  if (flags & 0xe0) return `reserved header flags 0x${(flags & 0xe0).toString(16)} are set`;
  let end = 10;
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
    if ((crc32(0, input, 0, end) & 0xffff) !== want) return "the CRC of the member header is wrong";
    end += 2;
  }
  return end > input.length ? -1 : end;
}
