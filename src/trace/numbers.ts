// 64-bit numbers from text into pairs of 32-bit words, without a BigInt and without a string.
// Accepted: 0x and 1 to 16 hexadecimal digits; decimal up to 2^64 - 1; a minus sign before decimal (two's complement).

const HEX = new Uint8Array(256).fill(255);
for (let i = 0; i < 10; i++) HEX[48 + i] = i;
for (let i = 0; i < 6; i++) {
  HEX[97 + i] = 10 + i;
  HEX[65 + i] = 10 + i;
}

/**
 * Reads a number at `pos` into `out[at]` (low word) and `out[at + 1]` (high word).
 * @returns the index behind the number, or -1 if there is none or it does not fit into 64 bits
 */
export function parseNumber(bytes: Uint8Array, pos: number, out: Uint32Array, at: number): number {
  const first = bytes[pos]!;
  if (first === 48 && bytes[pos + 1] === 120) return parseHex(bytes, pos + 2, out, at);
  return parseDecimal(bytes, pos, out, at);
}

/** As {@link parseNumber}, hexadecimal digits without 0x. */
export function parseHex(bytes: Uint8Array, pos: number, out: Uint32Array, at: number): number {
  let low = 0;
  let high = 0;
  let p = pos;
  let digit = HEX[bytes[p]!]!;
  const half = p + 8;
  while (digit < 16 && p < half) {
    low = (low << 4) | digit;
    digit = HEX[bytes[++p]!]!;
  }
  if (digit < 16) {
    // More than eight digits: what was read is the high part, each further digit moves four bits over.
    const full = pos + 16;
    while (digit < 16) {
      if (p === full) return -1;
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | digit;
      digit = HEX[bytes[++p]!]!;
    }
  }
  if (p === pos) return -1;
  out[at] = low;
  out[at + 1] = high;
  return p;
}

function parseDecimal(bytes: Uint8Array, pos: number, out: Uint32Array, at: number): number {
  const negative = bytes[pos] === 45;
  const start = negative ? pos + 1 : pos;
  let p = start;
  let value = 0;
  let digit = bytes[p]! - 48;
  while (digit >= 0 && digit <= 9 && p - start < 15) {
    value = value * 10 + digit;
    digit = bytes[++p]! - 48;
  }
  if (p === start) return -1;
  let low = value >>> 0;
  let high = (value - low) / 4294967296;
  while (digit >= 0 && digit <= 9) {
    const wide = low * 10 + digit;
    low = wide >>> 0;
    high = high * 10 + (wide - low) / 4294967296;
    if (high > 4294967295) return -1;
    digit = bytes[++p]! - 48;
  }
  if (negative) {
    if (high > 0x80000000 || (high === 0x80000000 && low !== 0)) return -1;
    high = low === 0 ? -high : ~high;
    low = -low;
  }
  out[at] = low;
  out[at + 1] = high;
  return p;
}
