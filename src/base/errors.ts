// Errors of the library. Every one is a StalewalkError with a code; most name a field, its value and what is allowed.

import { didYouMean } from "./suggest.js";

/** What went wrong, as a word that programs may rely on. */
export type ErrorCode =
  /** An option or an argument that cannot be. */
  | "invalid-option"
  /** A trace, or a mapping of its events, that cannot be read. */
  | "trace-format"
  | "mapping"
  /** A page-table image or a listing beside it. */
  | "core-format"
  | "listing-format"
  | "image"
  /** Recorded accesses of an MMU. */
  | "vector-format"
  /** Compressed data that are damaged. */
  | "gzip"
  /** A descriptor of an invalidation queue that hardware refuses. */
  | "descriptor"
  /** A queue of a sweep, its Redis, or a job of it that cannot be done. */
  | "queue"
  /** A file that the command was given. */
  | "input";

/** The base of all errors that this library throws on purpose. */
export class StalewalkError extends Error {
  /** For telling errors apart without `instanceof`. */
  override readonly name: string = "StalewalkError";

  constructor(
    /** What went wrong. */
    readonly code: ErrorCode,
    message: string,
    /** Path of the field or argument, e.g. `cpus[0].l1[0].ways`, where there is one. */
    readonly field?: string,
    /** What was given for it. */
    readonly value?: unknown,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An option that cannot be: names the field, the value and what is allowed. */
export class InvalidOptionError extends StalewalkError {
  /** For telling errors apart without `instanceof`. */
  override readonly name = "InvalidOptionError";
  /** Path of the field, e.g. `cpus[0].l1[0].ways`. */
  declare readonly field: string;

  constructor(
    field: string,
    value: unknown,
    /** What is allowed. */
    readonly expected: string,
  ) {
    super("invalid-option", `${field} is ${show(value)}; expected ${expected}`, field, value);
  }
}

/** A value as an error names it: short, on one line. */
function show(value: unknown): string {
  if (typeof value === "bigint") return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
  if (typeof value === "string") return cut(JSON.stringify(value));
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
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
  if (!allowed.includes(value as T)) throw new InvalidOptionError(field, value, oneOfText(value, allowed));
  return value as T;
}

/** "one of a, b", with the nearest of them if a name was nearly right. */
export function oneOfText(value: unknown, allowed: readonly (string | number)[]): string {
  const hint = typeof value === "string" ? didYouMean(value, allowed.map(String)) : "";
  return `one of ${allowed.join(", ")}${hint}`;
}

/** Checks a 64-bit address and returns it unsigned. @throws InvalidOptionError */
export function checkAddress(field: string, value: unknown): bigint {
  // Not by comparing with 2^63 and 2^64: those would be made anew for each check.
  if (typeof value === "bigint") {
    const unsigned = BigInt.asUintN(64, value);
    if (unsigned === value || BigInt.asIntN(64, value) === value) return unsigned;
  }
  throw new InvalidOptionError(field, value, "a 64-bit address as bigint");
}

/** Checks one half of a 64-bit address, with or without sign, and returns it. @internal @throws InvalidOptionError */
export function checkHalf(field: string, value: number): number {
  if ((value | 0) === value || value >>> 0 === value) return value;
  throw new InvalidOptionError(field, value, "a 32-bit integer: half of a virtual address");
}

/** Checks the physical address of a root table and returns its frame number. @internal @throws InvalidOptionError */
export function rootFrame(field: string, value: unknown): bigint {
  if (typeof value !== "bigint" || value < 0n || value >> 52n !== 0n || (value & 0xfffn) !== 0n) {
    throw new InvalidOptionError(
      field,
      value,
      "the physical address of a table as bigint: a multiple of 0x1000 below 2^52",
    );
  }
  return value >> 12n;
}
