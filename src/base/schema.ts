// Option objects and files, checked by one schema each: what is unknown is refused with the nearest name, what is wrong with its
// path, its value and what is allowed. The same schemas become the JSON Schema files of the package (scripts/json-schemas.mjs).

import * as v from "valibot";
import { InvalidOptionError, oneOfText } from "./errors.js";
import type { Seed } from "./seed.js";

/** A schema of a T. */
export type Schema<T> = v.GenericSchema<unknown, T>;

/** Any schema, whatever it is of. */
type Any = v.GenericSchema<unknown, unknown>;

/** Checks a value and returns it; of objects a copy, with defaults filled in. @throws InvalidOptionError */
export function parse<T>(schema: Schema<T>, value: unknown, field: string): T {
  checkShape(schema as Any, value, field);
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = (issue.path ?? []).map(({ key }) => key);
  throw new InvalidOptionError(nameOf(joinPath(field, path)), valueAt(value, path), issue.message);
}

/** Where a path leads, own properties only. */
function valueAt(value: unknown, path: readonly unknown[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key as string], value);
}

/** The whole of the options has no path of its own. */
function nameOf(path: string): string {
  return path === "" ? "options" : path;
}

function joinPath(field: string, path: readonly unknown[]): string {
  return path.reduce<string>((at, key) => at + step(at, key), field);
}

function step(at: string, key: unknown): string {
  if (typeof key === "number" || /^\d+$/.test(String(key))) return `[${key}]`;
  return at === "" ? String(key) : `.${String(key)}`;
}

const NOT_LOOKED_AT: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"]);

/**
 * Structure before values: objects are objects and no arrays, and have no field that their schema does not name. A misspelt
 * field is so reported before the one that is then missing.
 */
function checkShape(schema: Any, value: unknown, field: string): void {
  const known = schema as unknown as {
    type: string;
    entries?: Record<string, Any>;
    item?: Any;
    value?: Any;
    wrapped?: Any;
    options?: readonly Any[];
    message?: unknown;
  };
  const form = formOf(schema);
  if (form) {
    parse(form, value, field);
  } else if (known.wrapped) {
    if (value !== undefined) checkShape(known.wrapped, value, field);
  } else if (known.entries || known.type === "record") {
    if (!isObject(value)) {
      throw new InvalidOptionError(nameOf(field), value, known.message ? String(known.message) : "an object");
    }
    const { entries } = known;
    for (const key of Object.keys(value)) {
      const entry = entries && Object.hasOwn(entries, key) ? entries[key] : entries ? undefined : known.value;
      if (!entry) throw unknownField(field, key, value[key], Object.keys(entries ?? {}));
      checkShape(entry, value[key], joinPath(field, [key]));
      // valibot looks at no value of these names in a record, and hands it on unchecked.
      if (known.type === "record" && NOT_LOOKED_AT.has(key)) parse(entry, value[key], joinPath(field, [key]));
    }
    for (const [key, entry] of Object.entries(entries ?? {})) {
      if (!Object.hasOwn(value, key) && entry.type !== "exact_optional") {
        parse(entry, undefined, joinPath(field, [key]));
      }
    }
  } else if (known.type === "union" && known.options) {
    const kind = kindOf(value);
    const fitting = known.options.find((option) => kindOfSchema(option) === kind) ?? known.options[0];
    if (fitting) parse(fitting, value, field);
  } else if (known.item && Array.isArray(value)) {
    for (const [i, item] of value.entries()) checkShape(known.item, item, `${field}[${i}]`);
  }
}

/** What tells the schemas of a union apart: lists, objects, and the types of all else. */
function kindOf(value: unknown): string {
  return Array.isArray(value) ? "list" : isObject(value) ? "object" : typeof value;
}

function kindOfSchema(schema: Any): string {
  const { type } = schema;
  if (type === "array") return "list";
  if (/object|record/.test(type)) return "object";
  return type === "picklist" || type === "literal" ? "string" : type;
}

/** The error for a field that nobody reads. */
export function unknownField(
  field: string,
  key: string,
  value: unknown,
  allowed: readonly string[],
): InvalidOptionError {
  return new InvalidOptionError(joinPath(field, [key]), value, oneOfText(key, allowed));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// ---- what fields are made of; each message says what is allowed ----

/** A whole number. */
export function integer(least: number, most: number, allowed = `an integer from ${least} to ${most}`) {
  return v.pipe(v.number(allowed), v.integer(allowed), v.minValue(least, allowed), v.maxValue(most, allowed));
}

/** A finite number. */
export function number(least: number, most: number, allowed = `a number from ${least} to ${most}`) {
  return v.pipe(v.number(allowed), v.finite(allowed), v.minValue(least, allowed), v.maxValue(most, allowed));
}

/** true or false, and nothing that is only like it. */
export function boolean() {
  return v.boolean("true or false");
}

/** One of a few names. */
export function oneOf<const T extends string | number>(allowed: readonly T[]) {
  return v.picklist(allowed, ({ input }) => oneOfText(input, allowed));
}

/** Exactly this. */
export function exactly<const T extends string | number>(value: T, allowed = JSON.stringify(value)) {
  return v.literal(value, allowed);
}

/** A text, which may be empty. */
export function anyText(what = "a text") {
  return v.string(what);
}

/** A text of this form; the pattern has no flags. */
export function textLike(pattern: RegExp, what: string) {
  return v.pipe(v.string(what), v.regex(pattern, what));
}

/** A text that is not empty. */
export function text(what = "a text") {
  return v.pipe(v.string(what), v.minLength(1, what));
}

/** A 64-bit address, signed or unsigned. */
export function address() {
  const allowed = "a 64-bit address as bigint";
  return v.pipe(v.bigint(allowed), v.minValue(-(1n << 63n), allowed), v.maxValue((1n << 64n) - 1n, allowed));
}

/** The physical address of a page. */
export function physicalAddress() {
  const allowed = "a physical address as bigint: a multiple of 0x1000 below 2^52";
  return v.pipe(
    v.bigint(allowed),
    v.check((it) => it >= 0n && it < 1n << 52n && (it & 0xfffn) === 0n, allowed),
  );
}

/** A seed, 0 to 2^64 - 1. */
export function seed() {
  const allowed = "a seed: a whole number from 0 to 2^64 - 1, as number or bigint";
  return v.pipe(
    v.custom<Seed>((it) => typeof it === "bigint" || Number.isSafeInteger(it), allowed),
    v.check((it) => it >= 0 && it < 1n << 64n, allowed),
  );
}

/** A list. */
export function list<T extends Any>(item: T, what = "a list", least = 0, most = Number.MAX_SAFE_INTEGER) {
  return v.pipe(v.array(item, what), v.minLength(least, what), v.maxLength(most, what));
}

/** An object with these fields and no others. */
export function object<T extends v.ObjectEntries>(entries: T, what = "an object") {
  return v.strictObject(entries, what);
}

/** An object that is read from a file, which may name its JSON Schema for editors. */
export function fileObject<T extends v.ObjectEntries>(entries: T, what = "an object") {
  return v.strictObject({ ...entries, $schema: v.exactOptional(v.string("the address of a JSON Schema")) }, what);
}

/** A value of one of a few kinds, each with its schema: a list, an object, a text, a number. Others are held to the first. */
export function either<const T extends readonly Any[]>(...kinds: T) {
  return v.union(kinds);
}

/** An object whose fields have any names, and all values one schema. */
export function record<T extends Any>(value: T, what = "an object") {
  return v.record(v.string(), value, what);
}

/** An object with these fields, all of which may be missing, but not all at once. */
export function someOf<T extends v.ObjectEntries>(entries: T, what: string) {
  return v.pipe(v.strictObject(entries, what), v.minEntries(1, what));
}

/** A field that may be missing. */
export function optional<T extends Any>(schema: T) {
  return v.optional(schema);
}

/** A field that may be missing; undefined is a mistake there. */
export function omissible<T extends Any>(schema: T) {
  return v.exactOptional(schema);
}

/** A function of the caller's. */
export function callback() {
  return v.function("a function");
}

/** A field that somebody else checks. */
export function anything() {
  return v.unknown();
}

const forms = new WeakMap<object, Any>();

/** A field that is checked by this schema and kept as it is, where an object is more than its fields. */
export function kept<T extends Any>(schema: T) {
  const unchecked = v.unknown();
  forms.set(unchecked, schema);
  return unchecked as v.GenericSchema<unknown, unknown>;
}

/** The schema by which a field is checked that is kept as it is. */
export function formOf(schema: object): Any | undefined {
  return forms.get(schema);
}

/** An object of a class. */
export function instanceOf<T>(type: abstract new (...args: never[]) => T, what: string) {
  return v.custom<T>((it) => it instanceof type, what);
}
