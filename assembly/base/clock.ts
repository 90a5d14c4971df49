// What time it is in a program: the number of the operation that plays, and the time that the program has told (ns).

const CLOCK: usize = memory.data(16, 8);

// @ts-ignore: decorator
@inline
export function operationNumber(): u64 {
  return load<u64>(CLOCK);
}

// @ts-ignore: decorator
@inline
export function setOperationNumber(number: u64): void {
  store<u64>(CLOCK, number);
}

export function time(): u64 {
  return load<u64>(CLOCK, 8);
}

export function setTime(ns: u64): void {
  store<u64>(CLOCK, ns, 8);
}
