// How much the tests try. STALEWALK_TESTS says it: "quick" (npm run test:quick), "full" (npm test, the default), "rest" (npm run
// test:rest: the files that `npm test` leaves out, with its amounts) or "nightly" (npm run test:nightly). Only amounts differ: random
// programs, runs of a property, damaged files. What a test checks is the same in all.

const EFFORTS = ["quick", "full", "rest", "nightly"] as const;
export type Effort = (typeof EFFORTS)[number];

export const EFFORT: Effort = effortOf(process.env["STALEWALK_TESTS"]);

/** The amount for this run. */
export function amount<T = number>(amounts: Record<Exclude<Effort, "rest">, T>): T {
  return amounts[EFFORT === "rest" ? "full" : EFFORT];
}

/** Runs of a property that deserves so many: a tenth in a quick run, a quarter in `npm test`, ten times as many at night. */
export function runs(deserved: number): number {
  return amount({ quick: Math.ceil(deserved / 10), full: Math.ceil(deserved / 4), nightly: 10 * deserved });
}

/** Random operations that an agreement test compares: STALEWALK_OPERATIONS, or an amount that suits the run. */
export const OPERATIONS = operationsOf(process.env["STALEWALK_OPERATIONS"]);

/**
 * After how many operations an agreement test compares all that can be seen; results are compared after each. A long run takes that
 * time from seven programs in eight: counters add up and contents stay, so that hardly a difference is gone before the next time.
 */
export const PACES: readonly number[] = OPERATIONS > 100_000 ? [1, 16, 16, 16, 16, 16, 16, 16] : [1];

function effortOf(given: string | undefined): Effort {
  const effort = EFFORTS.find((it) => it === (given ?? "full"));
  if (effort === undefined) throw new Error(`STALEWALK_TESTS is "${given}"; expected ${EFFORTS.join(", ")}`);
  return effort;
}

function operationsOf(given: string | undefined): number {
  if (given === undefined) return amount({ quick: 5_000, full: 10_000, nightly: 1_000_000 });
  const operations = Number(given);
  if (!Number.isSafeInteger(operations) || operations < 1) {
    throw new Error(`STALEWALK_OPERATIONS is "${given}"; expected a number from 1 up`);
  }
  return operations;
}
