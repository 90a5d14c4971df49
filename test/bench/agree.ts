// Comparing contestants on one case, in this process: what a round does between processes.
import type { BenchCase } from "../../bench/cases.js";
import { operationsIn } from "../../bench/cases.js";
import { type Check, compareChecks } from "../../bench/check.js";
import type { Contestant } from "../../bench/contestants/contestant.js";
import type { NativeCase } from "../../bench/contestants/native.js";
import { checkCase, playsOfCheck } from "../../bench/table-case.js";
import { javascriptField, ramField } from "../../bench/table-tasks.js";

/** The JavaScript contestants; stalewalk comes first. */
export const contestants: readonly Contestant[] = Object.values(javascriptField).map(([contestant]) => contestant);

/** The frame store, and tables in guest RAM. */
export const guestRam: readonly Contestant[] = Object.values(ramField).map(([contestant]) => contestant);

/** Compares all with the first of them on the whole program. @throws MismatchError */
export async function verifyCase(
  benchCase: BenchCase,
  natives: readonly (readonly [string, NativeCase])[],
  field: readonly Contestant[] = contestants,
): Promise<Check> {
  const where = `${benchCase.world.set.name}: ${benchCase.name}`;
  const [first, ...others] = field as [Contestant, ...Contestant[]];
  const check = checkCase(first, benchCase);
  const plays = playsOfCheck(operationsIn(benchCase.program));
  for (const [name, native] of natives) compareChecks(where, [first.name, check], [name, await native.check(plays)]);
  for (const other of others) compareChecks(where, [first.name, check], [other.name, checkCase(other, benchCase)]);
  return check;
}
