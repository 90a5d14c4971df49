// Equality of what the engine and the model show. Without vitest, so that a build's mutants can be compared in one process.

import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";

/** @throws AssertionError with both values, which the reporter shows side by side */
export function agree(actual: unknown, expected: unknown, where: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new AssertionError({
    actual,
    expected,
    operator: "deepStrictEqual",
    message: `${where}: engine and model differ`,
  });
}
