// Errors of the library: which field, which value, what is allowed.

/** An option that cannot be: names the field, the value and what is allowed. */
export class InvalidOptionError extends RangeError {
  /** For telling errors apart without `instanceof`. */
  override readonly name = "InvalidOptionError";

  constructor(
    /** Path of the field, e.g. `cpus[0].l1[0].ways`. */
    readonly field: string,
    /** What was given. */
    readonly value: unknown,
    /** What is allowed. */
    readonly expected: string,
  ) {
    super(`${field} is ${show(value)}; expected ${expected}`);
  }
}

function show(value: unknown): string {
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Checks an integer option. @throws InvalidOptionError */
export function checkInteger(field: string, value: unknown, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw new InvalidOptionError(field, value, `an integer from ${least} to ${most}`);
  }
  return value;
}

/** Checks an option that is one of a few values. @throws InvalidOptionError */
export function checkOneOf<T extends string | number>(field: string, value: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) throw new InvalidOptionError(field, value, `one of ${allowed.join(", ")}`);
  return value as T;
}

/** Checks a 64-bit address and returns it unsigned. @throws InvalidOptionError */
export function checkAddress(field: string, value: unknown): bigint {
  if (typeof value !== "bigint" || value < -(1n << 63n) || value >= 1n << 64n) {
    throw new InvalidOptionError(field, value, "a 64-bit address as bigint");
  }
  return BigInt.asUintN(64, value);
}

/** Checks the physical address of a root table and returns its frame number; bits 0..11 and 52..63 do not matter. @internal */
export function rootFrame(field: string, value: unknown): bigint {
  return (checkAddress(field, value) & 0x000f_ffff_ffff_f000n) >> 12n;
}
