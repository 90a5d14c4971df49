// Checked access to the fields of a JSON object, so that a message names line, field, value and expectation.

import { type Place, VectorFormatError } from "./error.js";

const SHOWN = 80;

/** A value as a message shows it: JSON, cut short. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

function isHex(value: unknown): value is string {
  return typeof value === "string" && /^0x[0-9a-f]{1,16}$/.test(value);
}

/** The JSON object of a line. @throws VectorFormatError if the line is none */
export function fieldsOf(line: string, place: Place): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    const shown = JSON.stringify(line.slice(0, 60));
    throw new VectorFormatError(place.file, place.line, `${shown}: expected a JSON object`, error);
  }
  return new Fields(value, place);
}

/** A JSON object with checked fields. Every method throws {@link VectorFormatError}. */
export class Fields {
  readonly #values: Record<string, unknown>;
  readonly #place: Place;
  /** Path of the object in its line, e.g. `tables[2]`; empty for the line itself. */
  readonly #path: string;

  constructor(value: unknown, place: Place, path = "") {
    this.#place = place;
    this.#path = path;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.#error(`${path === "" ? "" : `${path} = `}${show(value)}: expected an object`);
    }
    this.#values = value as Record<string, unknown>;
  }

  #error(message: string): VectorFormatError {
    return new VectorFormatError(this.#place.file, this.#place.line, message);
  }

  /** Whether the field is there at all. */
  has(field: string): boolean {
    return Object.hasOwn(this.#values, field);
  }

  /** Refuses a field that is neither needed nor allowed, and a needed one that is not there. */
  exactly(needed: readonly string[], allowed: readonly string[] = []): void {
    for (const field of needed) if (!this.has(field)) throw this.wrong(field, "the field to be there");
    for (const field of Object.keys(this.#values)) {
      if (needed.includes(field) || allowed.includes(field)) continue;
      throw this.wrong(field, `no fields but ${[...needed, ...allowed].join(", ")}`);
    }
  }

  /** Whether the field is null. */
  isNull(field: string): boolean {
    return this.#values[field] === null;
  }

  /** Names of the fields, in order. */
  names(): string[] {
    return Object.keys(this.#values);
  }

  /** A list of different whole numbers in rising order. */
  integerList(field: string, least: number, most: number): number[] {
    const value = this.#values[field];
    const isGood = (it: unknown, i: number, all: unknown[]): boolean =>
      Number.isInteger(it) &&
      (it as number) >= least &&
      (it as number) <= most &&
      (i === 0 || (it as number) > (all[i - 1] as number));
    if (Array.isArray(value) && value.length > 0 && value.every(isGood)) return value as number[];
    throw this.wrong(field, `a rising list of integers from ${least} to ${most}`);
  }

  /** A list of `length` 64-bit numbers as hex strings. */
  hexList(field: string, length: number): bigint[] {
    const value = this.#values[field];
    if (!Array.isArray(value) || value.length !== length || !value.every(isHex)) {
      throw this.wrong(field, `a list of ${length} numbers of 0x and 1 to 16 lower-case hex digits`);
    }
    return value.map((it) => BigInt(it));
  }

  /** The error for a field that is not what was expected. */
  wrong(field: string, expected: string): VectorFormatError {
    const path = this.#path === "" ? field : `${this.#path}.${field}`;
    return this.#error(`${path} = ${show(this.#values[field])}: expected ${expected}`);
  }

  integer(field: string, least: number, most: number): number {
    const value = this.#values[field];
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
      throw this.wrong(field, `an integer from ${least} to ${most}`);
    }
    return value;
  }

  /** 0 or 1. */
  flag(field: string): boolean {
    return this.oneOf(field, [0, 1]) === 1;
  }

  boolean(field: string): boolean {
    return this.oneOf(field, [true, false]);
  }

  oneOf<const T>(field: string, choices: readonly T[]): T {
    const value = this.#values[field];
    for (const choice of choices) if (choice === value) return choice;
    throw this.wrong(field, choices.join(" or "));
  }

  /** A 64-bit number as a hex string. */
  hex(field: string): bigint {
    const value = this.#values[field];
    if (!isHex(value)) {
      throw this.wrong(field, "0x and 1 to 16 lower-case hex digits");
    }
    return BigInt(value);
  }

  object(field: string): Fields {
    return new Fields(this.#values[field], this.#place, field);
  }

  list(field: string, most: number): Fields[] {
    const value = this.#values[field];
    if (!Array.isArray(value) || value.length === 0 || value.length > most) {
      throw this.wrong(field, `a list of 1 to ${most} objects`);
    }
    return value.map((it, index) => new Fields(it, this.#place, `${field}[${index}]`));
  }
}
