// Results of the operations of a program, packed as the engine gives them (assembly/base/refusals.ts) and as the API tells them.

import { refusals } from "../engine/abi.js";
import { type Outcome, unpackOutcome } from "../paging/outcome.js";
import { type OperationName, operationBytes, operationName, twoRecords } from "./operations.js";

/** Why an operation was refused (docs/rules.md section 10): what stood in its way first. */
export type Refusal = Exclude<(typeof refusals)[number], "done">;

/** What came of one operation of a program. */
export interface OperationResult {
  /** Which operation. */
  operation: OperationName;
  /** False if the kernel refused it; what it did before it came to the obstacle stays. A fault of an access is no refusal. */
  done: boolean;
  /** Why it was refused. */
  refusal?: Refusal;
  /** Of an access: what came of the translation. */
  outcome?: Outcome;
  /** Of `reuse` and `giveBack`: the frame. */
  frame?: number;
}

const REFUSED = 1n << 63n;

/**
 * Why an operation was refused, from its packed result; undefined if it was done, and for outcomes. Costs a comparison, for
 * programs of millions.
 * @example
 * ```ts
 * import { createMachine, ProgramBuilder, refusalOf } from "stalewalk";
 *
 * const machine = await createMachine({ kernel: {} });
 * const program = new ProgramBuilder().mmCreate(0).mmDestroy(1);
 * console.log([...machine.play(program.build())].map(refusalOf)); // [ undefined, 'no-such-mm' ]
 * ```
 */
export function refusalOf(packed: bigint): Refusal | undefined {
  const reason = BigInt.asUintN(64, packed) - REFUSED;
  // An outcome that is a fault has a reason of its own in the bits above.
  if (reason <= 0n || reason >= BigInt(refusals.length)) return undefined;
  return refusals[Number(reason)] as Refusal;
}

/** The results of a program's operations, in order; an operation of two records has one. @internal */
export function operationResults(program: Uint8Array, results: BigUint64Array): OperationResult[] {
  const told: OperationResult[] = [];
  for (let record = 0; record < results.length; record++) {
    const code = program[record * operationBytes] as number;
    told.push(resultOf(operationName(code) as OperationName, results[record] as bigint));
    if (code in twoRecords) record++;
  }
  return told;
}

function resultOf(operation: OperationName, packed: bigint): OperationResult {
  if (operation === "access") return { operation, done: true, outcome: unpackOutcome(packed) };
  const refusal = refusalOf(packed);
  if (refusal) return { operation, done: false, refusal };
  if (operation === "reuse" || operation === "giveBack") return { operation, done: true, frame: Number(packed) };
  return { operation, done: true };
}
