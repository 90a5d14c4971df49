// How descriptors are described: named fields at bit positions of 64-bit words, one table for encoding and decoding.

import { InvalidOptionError, StalewalkError } from "../base/errors.js";

/** A part of a field: word, lowest bit, number of bits. Fields of several parts are given low part first. */
export type Part = readonly [word: number, low: number, bits: number];

/** A field: a number, a flag, one of a few names (index or value by name), or an address of which the lowest bits are not stored. */
export type FieldLayout =
  | { readonly name: string; readonly kind: "flag" | "word"; readonly parts: readonly Part[] }
  | {
      readonly name: string;
      readonly kind: "number";
      readonly parts: readonly Part[];
      /** 0 is the same as not given, and is read as that. */
      readonly optional?: true;
    }
  | {
      readonly name: string;
      readonly kind: "name";
      readonly parts: readonly Part[];
      readonly names: Readonly<Record<string, number>>;
    }
  | { readonly name: string; readonly kind: "address"; readonly parts: readonly Part[]; readonly shift: number };

/** A kind of descriptor: what its type is called, the code in the type field, its fields. */
export interface DescriptorLayout {
  readonly type: string;
  readonly code: number;
  readonly fields: readonly FieldLayout[];
}

/**
 * How hardware reports a descriptor that it refuses, and stops its queue: VT-d sets IQE in its fault status (VT-d 6.5.2.11),
 * AMD logs an ILLEGAL_COMMAND_ERROR (AMD IOMMU 2.5.6).
 */
export type QueueStatus = "IQE" | "ILLEGAL_COMMAND_ERROR";

/** Words of a descriptor that hardware refuses: which field or bits, what they are, what is allowed. */
export class DescriptorError extends StalewalkError {
  /** For telling errors apart without `instanceof`. */
  override readonly name = "DescriptorError";
  /** Field, or `iotlb: reserved bits of qw0`. */
  declare readonly field: string;
  /** Its value. */
  declare readonly value: bigint;

  constructor(
    field: string,
    value: bigint,
    /** What is allowed there. */
    readonly expected: string,
    /** How hardware reports it. */
    readonly status: QueueStatus,
  ) {
    super("descriptor", `${field} is 0x${value.toString(16)}; expected ${expected}`, field, value);
  }
}

const mask = (bits: number): bigint => (1n << BigInt(bits)) - 1n;
const width = (field: FieldLayout): number => field.parts.reduce((sum, [, , bits]) => sum + bits, 0);

/** Puts the fields of `value` into `words`. @throws InvalidOptionError naming the field */
export function encodeFields(
  layout: DescriptorLayout,
  value: Readonly<Record<string, unknown>>,
  words: bigint[],
): void {
  const names = layout.fields.map((field) => field.name);
  for (const key of Object.keys(value)) {
    if (key !== "type" && !names.includes(key)) {
      throw new InvalidOptionError(`${layout.type}.${key}`, value[key], `one of ${["type", ...names].join(", ")}`);
    }
  }
  for (const field of layout.fields) {
    let left = rawValue(field, value[field.name], `${layout.type}.${field.name}`);
    for (const [word, low, bits] of field.parts) {
      words[word] = words[word]! | ((left & mask(bits)) << BigInt(low));
      left >>= BigInt(bits);
    }
  }
}

function rawValue(field: FieldLayout, value: unknown, path: string): bigint {
  const most = mask(width(field));
  switch (field.kind) {
    case "flag":
      if (typeof value !== "boolean") throw new InvalidOptionError(path, value, "true or false");
      return value ? 1n : 0n;
    case "name": {
      const code = typeof value === "string" && Object.hasOwn(field.names, value) ? field.names[value] : undefined;
      if (code === undefined)
        throw new InvalidOptionError(path, value, `one of ${Object.keys(field.names).join(", ")}`);
      return BigInt(code);
    }
    case "number":
      if (field.optional && value === undefined) return 0n;
      if (!Number.isSafeInteger(value) || (value as number) < 0 || BigInt(value as number) > most) {
        throw new InvalidOptionError(path, value, `an integer from 0 to ${most}`);
      }
      return BigInt(value as number);
    case "word":
      if (typeof value !== "bigint" || value < 0n || value > most) {
        throw new InvalidOptionError(path, value, `a bigint from 0 to 0x${most.toString(16)}`);
      }
      return value;
    case "address": {
      const shift = BigInt(field.shift);
      if (typeof value !== "bigint" || value < 0n || value >> shift > most || (value & mask(field.shift)) !== 0n) {
        throw new InvalidOptionError(
          path,
          value,
          `a bigint below 2^${width(field) + field.shift}, a multiple of ${1 << field.shift}`,
        );
      }
      return value >> shift;
    }
  }
}

/**
 * Reads the fields out of `words`. `known`: bits of each word that are no field but checked by the caller (the type).
 * @throws DescriptorError
 */
export function decodeFields(
  layout: DescriptorLayout,
  words: readonly bigint[],
  known: readonly bigint[],
  status: QueueStatus,
): Record<string, unknown> {
  const used = words.map((_, i) => known[i] ?? 0n);
  const result: Record<string, unknown> = { type: layout.type };
  for (const field of layout.fields) {
    let raw = 0n;
    let at = 0n;
    for (const [word, low, bits] of field.parts) {
      used[word] = used[word]! | (mask(bits) << BigInt(low));
      raw |= (((words[word] ?? 0n) >> BigInt(low)) & mask(bits)) << at;
      at += BigInt(bits);
    }
    const isLeftOut = field.kind === "number" && field.optional && raw === 0n;
    if (!isLeftOut) result[field.name] = fieldValue(field, raw, layout.type, status);
  }
  words.forEach((word, i) => {
    const reserved = word & ~used[i]!;
    if (reserved !== 0n) throw new DescriptorError(`${layout.type}: reserved bits of qw${i}`, reserved, "0", status);
  });
  return result;
}

function fieldValue(field: FieldLayout, raw: bigint, type: string, status: QueueStatus): unknown {
  switch (field.kind) {
    case "flag":
      return raw === 1n;
    case "name": {
      const found = Object.entries(field.names).find(([, code]) => BigInt(code) === raw);
      if (found) return found[0];
      const allowed = Object.entries(field.names).map(([name, code]) => `${code} (${name})`);
      throw new DescriptorError(`${type}.${field.name}`, raw, allowed.join(", "), status);
    }
    case "number":
      return Number(raw);
    case "word":
      return raw;
    case "address":
      return raw << BigInt(field.shift);
  }
}
