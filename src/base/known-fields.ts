// Fields of options that no schema checks whole: one that nobody reads is refused, with the nearest name.
import { InvalidOptionError } from "./errors.js";
import { isObject, unknownField } from "./schema.js";

/** Every field that options may have; the compiler sees to it that none is left out. */
export type FieldsOf<T> = { readonly [Name in keyof T]-?: true };

/** Fields of every long call. */
export const RUN_FIELDS = { onProgress: true, signal: true } as const;

/** @throws InvalidOptionError if the options are no object, or have a field of their own that is not known */
export function checkFields<T extends object>(options: T, known: FieldsOf<T>): void {
  if (!isObject(options)) throw new InvalidOptionError("options", options, "an object");
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, key)) throw unknownField("", key, value, Object.keys(known));
  }
}
