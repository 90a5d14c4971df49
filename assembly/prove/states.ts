// What a proof does most: it finds what differs between the state at hand and the one that its cell began with, and takes moves back. This
// is a module of its own over the engine's memory, of which it knows nothing: no constants, no state, nothing allocated. Its host
// (src/verdicts/prove/lens.ts) says where everything stands; another state is the same memory so many bytes further on.

/** A range: its first byte, and the one after its last. */
const RANGE_SIZE: usize = 8;
const RANGE_END: usize = 4;
/** What is written of a word that differs: its number, counted from the begin of memory, and what it is now. */
const WORD_SIZE: usize = 8;
const WORD_VALUE: usize = 4;
const VECTOR: usize = 16;

/**
 * Compares `count` ranges from `ranges` on with the same `other` bytes further on, and writes each word that differs from `out` on;
 * where what it wrote ends. Ranges are made of whole words.
 */
export function differences(ranges: usize, count: u32, other: usize, out: usize): usize {
  for (let left = count; left != 0; left--, ranges += RANGE_SIZE) {
    let at = load<usize>(ranges);
    const end = load<usize>(ranges, RANGE_END);
    for (; at + 4 * VECTOR <= end; at += 4 * VECTOR) {
      const first = changed(at, other);
      const second = changed(at + VECTOR, other);
      const third = changed(at + 2 * VECTOR, other);
      const fourth = changed(at + 3 * VECTOR, other);
      if (!v128.any_true(v128.or(v128.or(first, second), v128.or(third, fourth)))) continue;
      if (v128.any_true(first)) out = vector(at, other, out);
      if (v128.any_true(second)) out = vector(at + VECTOR, other, out);
      if (v128.any_true(third)) out = vector(at + 2 * VECTOR, other, out);
      if (v128.any_true(fourth)) out = vector(at + 3 * VECTOR, other, out);
    }
    // Most ranges are short: what stands between two exceptions.
    for (; at + VECTOR <= end; at += VECTOR) if (v128.any_true(changed(at, other))) out = vector(at, other, out);
    for (; at < end; at += 4) out = difference(at, other, out);
  }
  return out;
}

// @ts-ignore: decorator
@inline
function changed(at: usize, other: usize): v128 {
  return v128.xor(v128.load(at), v128.load(at + other));
}

/** The four words of a vector. */
function vector(at: usize, other: usize, out: usize): usize {
  out = difference(at, other, out);
  out = difference(at + 4, other, out);
  out = difference(at + 8, other, out);
  return difference(at + 12, other, out);
}

// @ts-ignore: decorator
@inline
function difference(at: usize, other: usize, out: usize): usize {
  const word = load<u32>(at);
  if (word == load<u32>(at + other)) return out;
  store<u32>(out, <u32>(at >> 2));
  store<u32>(out, word, WORD_VALUE);
  return out + WORD_SIZE;
}

/** Copies `count` ranges, from so many bytes further on to so many. */
export function copyRanges(ranges: usize, count: u32, from: usize, to: usize): void {
  for (let left = count; left != 0; left--, ranges += RANGE_SIZE) {
    const at = load<usize>(ranges);
    memory.copy(at + to, at + from, load<usize>(ranges, RANGE_END) - at);
  }
}

/** Copies one range. */
export function copy(at: usize, bytes: usize, from: usize, to: usize): void {
  memory.copy(at + to, at + from, bytes);
}
