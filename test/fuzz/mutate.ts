// Seeded mutation of real inputs: bytes flipped, numbers replaced by those that break arithmetic, ranges cut, doubled,
// moved, or taken from another input. The same seed gives the same inputs everywhere.

/** A random sequence (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer below `end`, which is at least 1. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  /** One of some values. */
  of<T>(values: ArrayLike<T>): T {
    return values[this.below(values.length)]!;
  }
}

const NUMBERS = [
  0n,
  1n,
  2n,
  7n,
  8n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0xfffn,
  0x1000n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  1n << 32n,
  (1n << 52n) - 1n,
  1n << 52n,
  (1n << 53n) + 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];
const LETTERS = [
  "",
  "\n",
  "\r\n",
  " ",
  "-",
  ":",
  "0",
  "f",
  "X",
  "=",
  "\0",
  "é",
  "\x1b[2J",
  "ffffffffffffffff",
  "CPU#1\n",
  "CR3=",
];

const HEX = new TextEncoder().encode("0123456789abcdef-");

type Mutation = (bytes: Uint8Array, at: number, random: Random, other: Uint8Array) => Uint8Array;

const cut = (bytes: Uint8Array, from: number, to: number, insert: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const result = new Uint8Array(bytes.length - (to - from) + insert.length);
  result.set(bytes.subarray(0, from));
  result.set(insert, from);
  result.set(bytes.subarray(to), from + insert.length);
  return result;
};
const lengthFrom = (bytes: Uint8Array, at: number, random: Random) =>
  Math.min(bytes.length - at, random.of([1, 2, 3, 8, 64, 512, 4096, random.below(bytes.length + 1)]));

const MUTATIONS: readonly Mutation[] = [
  (bytes, at, random) => {
    bytes[at]! ^= 1 << random.below(8);
    return bytes;
  },
  (bytes, at, random) => {
    bytes[at] = random.below(256);
    return bytes;
  },
  (bytes, at, random) => {
    const size = random.of([1, 2, 4, 8]);
    const place = random.below(2) === 0 ? at : at - (at % size);
    for (let i = 0, value = random.of(NUMBERS); i < size && place + i < bytes.length; i++, value >>= 8n) {
      bytes[place + i] = Number(value & 0xffn);
    }
    return bytes;
  },
  (bytes, at, random) => {
    for (let i = 0, count = lengthFrom(bytes, at, random); i < count; i++) bytes[at + i] = random.below(256);
    return bytes;
  },
  (bytes, at) => bytes.slice(0, at),
  (bytes, at, random) => cut(bytes, at, at + lengthFrom(bytes, at, random)),
  (bytes, at, random) => {
    const from = random.below(bytes.length);
    return cut(bytes, at, at, bytes.slice(from, from + lengthFrom(bytes, from, random)));
  },
  (bytes, at, random, other) => {
    const from = random.below(other.length + 1);
    return cut(bytes, at, bytes.length, other.subarray(from));
  },
  // A digit for another digit, and a line left out: what stays valid text.
  (bytes, at, random) => {
    bytes[at] = random.of(HEX);
    return bytes;
  },
  (bytes, at, random) => {
    const from = bytes.lastIndexOf(10, at - 1) + 1;
    const newline = bytes.indexOf(10, at);
    const to = newline < 0 ? bytes.length : newline + 1;
    return random.below(2) === 0 ? cut(bytes, from, to) : cut(bytes, from, from, bytes.slice(from, to));
  },
  (bytes, at, random) => cut(bytes, at, at + random.below(2), new TextEncoder().encode(random.of(LETTERS))),
];

/**
 * One input made of a seed by one to six mutations.
 * @param structureEnd half of the changes fall before this offset
 */
export function mutate(
  seeds: readonly Uint8Array[],
  random: Random,
  structureEnd: (seed: Uint8Array) => number,
): Uint8Array {
  const seed = random.of(seeds);
  const hot = Math.max(1, structureEnd(seed));
  let bytes: Uint8Array = seed.slice();
  for (let left = 1 + random.below(6); left > 0 && bytes.length > 0; left--) {
    const at = random.below(random.below(2) === 0 ? Math.min(hot, bytes.length) : bytes.length);
    bytes = random.of(MUTATIONS)(bytes, at, random, random.of(seeds));
  }
  return bytes;
}
