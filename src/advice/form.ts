// Advice as `advise --json` writes it: the schema of the file, which becomes the package's `schemas/advice.json`, and its check.

import {
  boolean,
  fileObject,
  integer,
  list,
  number,
  object,
  omissible,
  oneOf,
  parse,
  type Schema,
  text,
} from "../base/schema.js";
import { SUPERVISOR_ENTRIES } from "../hardware/iommu-config.js";
import { namedPolicySchema } from "../kernel/policy.js";
import { kernelVersions } from "../kernel/versions.js";
import { scenarioNames } from "../verdicts/index.js";
import type { Advice } from "./advise.js";

const count = () => integer(0, Number.MAX_SAFE_INTEGER, "a whole number from 0");

const openCellSchema = object({
  scenario: oneOf(scenarioNames),
  hardware: object({
    cacheSupervisorLeaves: boolean(),
    supervisorEntries: oneOf(SUPERVISOR_ENTRIES),
    pagingStructureCaches: boolean(),
    deviceTlb: boolean(),
    pageRequests: boolean(),
  }),
  state: oneOf(["race", "hazard", "unsettled"]),
});

const cureSchema = () =>
  object({
    changes: list(text(), "a list of changes in words"),
    policy: namedPolicySchema,
    kernel: oneOf(kernelVersions),
    cells: object({ safe: count(), race: count(), hazard: count(), unsettled: count() }),
    open: list(openCellSchema, "a list of cells"),
    complete: boolean(),
    completeButForRaces: boolean(),
    costNs: number(0, 1e300, "a number from 0"),
    front: boolean(),
  });

/** The schema of an {@link Advice} as JSON. @internal */
export const adviceSchema = fileObject(
  {
    kernel: oneOf(kernelVersions),
    cures: list(cureSchema(), "a list of cures, at least one", 1),
    smallest: omissible(cureSchema()),
    cheapest: omissible(cureSchema()),
    smallestButForRaces: omissible(cureSchema()),
    hangsOnDrain: list(openCellSchema, "a list of cells"),
    assumptions: list(text(), "a list of texts"),
    proved: object({ cells: count(), states: count(), transitions: count() }),
  },
  "advice",
);

/**
 * Checks the contents of a file that `advise --json` has written.
 * @throws InvalidOptionError naming the field
 * @example
 * ```ts
 * import { checkAdvice } from "stalewalk/advice";
 *
 * const proved = { cells: 0, states: 0, transitions: 0 };
 * try {
 *   checkAdvice({ kernel: "7.3", cures: [], hangsOnDrain: [], assumptions: [], proved });
 * } catch (error) {
 *   console.log((error as Error).message); // advice.cures is an empty list; expected a list of cures, at least one
 * }
 * ```
 */
export function checkAdvice(value: unknown, field = "advice"): Advice {
  return parse(adviceSchema as Schema<unknown>, value, field) as Advice;
}
