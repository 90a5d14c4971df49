// Equality of what the engine and the model show. Without vitest, so that a build's mutants can be compared in one process; and by
// hand, since it is most of what an agreement test does: plain values are compared several times as fast as by node:util.

import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";

/** @throws AssertionError with both values, which the reporter shows side by side */
export function agree(actual: unknown, expected: unknown, where: string): void {
  if (same(actual, expected)) return;
  throw new AssertionError({
    actual,
    expected,
    operator: "deepStrictEqual",
    message: `${where}: engine and model differ`,
  });
}

/** What isDeepStrictEqual says. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) && Array.isArray(b)) return sameArrays(a, b);
  const prototype = Object.getPrototypeOf(a);
  if (prototype !== Object.prototype || Object.getPrototypeOf(b) !== prototype) return isDeepStrictEqual(a, b);
  return sameFields(a as Record<string, unknown>, b as Record<string, unknown>);
}

function sameArrays(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
  return true;
}

function sameFields(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  for (const name of names) if (!(Object.hasOwn(b, name) && same(a[name], b[name]))) return false;
  return true;
}
