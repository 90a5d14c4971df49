// A seeded sequence of 64-bit numbers (SplitMix64, Steele, Lea and Flood 2014), the same on every machine.

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

// ---- the generator: goes on from call to call ----
let state: u64 = 0;

export function seed(value: u64): void {
  state = value;
}

// @ts-ignore: decorator
@inline
export function next(): u64 {
  state += STEP;
  return finished(state);
}

/** The first number of the sequence that begins with this seed. */
export function mixed(value: u64): u64 {
  return finished(value + STEP);
}

// @ts-ignore: decorator
@inline
function finished(value: u64): u64 {
  let z = value;
  z = (z ^ (z >> 30)) * 0xbf58_476d_1ce4_e5b9;
  z = (z ^ (z >> 27)) * 0x94d0_49bb_1331_11eb;
  return z ^ (z >> 31);
}

/** A number below `bound` (at most 2^32), by multiplication. */
// @ts-ignore: decorator
@inline
export function below(bound: u32): u32 {
  assert(bound != 0, "there is no number below 0");
  return <u32>(((next() >> 32) * <u64>bound) >> 32);
}
