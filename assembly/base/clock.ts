// What time it is in a program: the number of the operation that plays, and the time that the program has told (ns).

// ---- the clock ----
const NUMBER: usize = 0;
const TIME: usize = NUMBER + sizeof<u64>();
export const CLOCK_SIZE: i32 = <i32>TIME + sizeof<u64>();
export const CLOCK: usize = memory.data(CLOCK_SIZE, sizeof<u64>());

/** Number of the operation that plays, or comes next. */
// @ts-ignore: decorator
@inline
export function operationNumber(): u64 {
  return load<u64>(CLOCK, NUMBER);
}

/** Says which number the next operation has. */
// @ts-ignore: decorator
@inline
export function setOperationNumber(number: u64): void {
  store<u64>(CLOCK, number, NUMBER);
}

export function time(): u64 {
  return load<u64>(CLOCK, TIME);
}

export function setTime(ns: u64): void {
  store<u64>(CLOCK, ns, TIME);
}
