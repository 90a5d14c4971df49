// Two hashes of 64 bits each that share nothing but the words they are made of. States of a proof are told apart by both.

const rotated = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** The last mixing of 32 bits: every bit of the input reaches every bit of the output. */
function mixed(value: number): number {
  let it = value ^ (value >>> 16);
  it = Math.imul(it, 0x7feb352d);
  it ^= it >>> 15;
  it = Math.imul(it, 0x846ca68b);
  return it ^ (it >>> 16);
}

/** Words of both hashes together. */
export const HASH_WORDS = 4;

/**
 * Hashes the first `count` words into `out`: the first hash is words 0 and 1 from `at` on, the second words 2 and 3. Each step is a
 * permutation of a hash's 64 bits, so that words once different stay so but by chance.
 */
export function hashWords(words: Uint32Array, count: number, out: Uint32Array, at = 0): void {
  let a = 0x243f6a88;
  let b = 0x85a308d3;
  let c = 0x13198a2e;
  let d = 0x03707344;
  for (let i = 0; i < count; i++) {
    const word = words[i] as number;
    a = Math.imul(rotated(a ^ Math.imul(word, 0x9e3779b1), 15), 0x2c1b3c6d);
    b = Math.imul(rotated((b + a) | 0, 13), 0x297a2d39);
    c = Math.imul(rotated((c + Math.imul(word ^ 0x5bd1e995, 0xcc9e2d51)) | 0, 17), 0x1b873593);
    d = Math.imul(rotated(d ^ c, 11), 0xe6546b65);
  }
  a ^= count;
  c = (c + count) | 0;
  b = mixed((b + mixed(a)) | 0);
  d = mixed((d + mixed(c)) | 0);
  out[at] = mixed((a + b) | 0);
  out[at + 1] = b;
  out[at + 2] = mixed((c + d) | 0);
  out[at + 3] = d;
}

/**
 * How probable it is that two of so many different states have both hashes in common, so that one of them was not gone on from: at
 * most n^2 / 2 pairs, each with 2^-128.
 */
export const missProbability = (states: number): number => (states * states) / 2 / 2 ** 128;
