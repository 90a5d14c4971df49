// What the engine finds wrong with a record of a program, in words.

import { InvalidOptionError } from "../base/errors.js";
import { allPagesMask, pcids, programFaults } from "../engine/abi.js";

/** What is wrong with an operation: which part of it, and what it should be. */
const FAULTS: Readonly<Record<Exclude<(typeof programFaults)[number], "fine">, readonly [string, string]>> = {
  badCode: ["code", "one of Operation"],
  badRequester: [
    "requester",
    "the number of a CPU, PASID or device of this machine, of the kind that the operation needs",
  ],
  badType: ["type", "an access code, or 0 to 3 for INVPCID"],
  badArgument: ["argument", `a PCID from 0 to ${pcids - 1}, or an address mask from 0 to ${allPagesMask}`],
  noSecondRecord: ["second record", "a record with the new value of the entry"],
};

/** The error for a record of a program, by its number, that the engine refuses for a fault, by its number. @internal */
export function unplayable(number: number, words: BigUint64Array, fault: number): InvalidOptionError {
  const [field, expected] = FAULTS[programFaults[fault] as keyof typeof FAULTS];
  const record = [...words].map((word) => word.toString(16).padStart(16, "0")).join(" ");
  return new InvalidOptionError(`operation ${number} (${record}): its ${field}`, "not playable here", expected);
}
