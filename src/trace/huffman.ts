// Huffman codes of DEFLATE (RFC 1951 section 3.2.2) as two-level look-up tables.

/** Damage in the compressed data: what was wrong, in words that fit after "gzip data:". */
export class InflateError extends Error {
  override name = "InflateError";
}

/** Bits of the first-level look-up; longer codes go through `sub` tables behind it. */
export const FAST_BITS = 10;
/** Longest code. */
export const MAX_BITS = 15;

/** One Huffman code: `table[next FAST_BITS bits]` is symbol << 4 | length, or a negative offset of a sub-table. */
export interface Code {
  table: Int32Array;
}

/** Builds the look-up table of a code; `what` names it in errors. A code of one symbol may be incomplete (RFC 1951 3.2.7). */
export function buildCode(lengths: Uint8Array, count: number, what: string): Code {
  const perLength = new Uint16Array(MAX_BITS + 1);
  for (let i = 0; i < count; i++) perLength[lengths[i]!]!++;
  const used = count - perLength[0]!;
  let left = 1;
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    left = left * 2 - perLength[bits]!;
    if (left < 0) throw new InflateError(`the ${what} code has more codes of ${bits} bits than fit`);
  }
  if (left > 0 && (used > 1 || (used === 1 && perLength[1] !== 1))) {
    throw new InflateError(`the ${what} code is incomplete`);
  }
  const next = new Uint16Array(MAX_BITS + 2);
  for (let bits = 1; bits <= MAX_BITS; bits++) next[bits + 1] = (next[bits]! + perLength[bits]!) << 1;
  const fast = 1 << FAST_BITS;
  const rest = 1 << (MAX_BITS - FAST_BITS);
  const table = new Int32Array(fast + rest * fast);
  let free = fast;
  for (let symbol = 0; symbol < count; symbol++) {
    const bits = lengths[symbol]!;
    if (bits === 0) continue;
    let reversed = 0;
    for (let code = next[bits]!++, i = 0; i < bits; i++, code >>>= 1) reversed = (reversed << 1) | (code & 1);
    const entry = (symbol << 4) | bits;
    if (bits <= FAST_BITS) {
      for (let at = reversed; at < fast; at += 1 << bits) table[at] = entry;
    } else {
      const low = reversed & (fast - 1);
      if (table[low] === 0) {
        table[low] = -free;
        free += rest;
      }
      const base = -table[low]!;
      for (let at = reversed >>> FAST_BITS; at < rest; at += 1 << (bits - FAST_BITS)) table[base + at] = entry;
    }
  }
  return { table: table.slice(0, free) };
}

let fixed: { literal: Code; distance: Code } | undefined;

/** The codes of blocks of type 1 (RFC 1951 section 3.2.6); built at the first use. */
export function fixedCodes(): { literal: Code; distance: Code } {
  if (!fixed) {
    const lengths = new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
    const distance = buildCode(new Uint8Array(32).fill(5), 32, "distance");
    fixed = { literal: buildCode(lengths, 288, "literal"), distance };
  }
  return fixed;
}
