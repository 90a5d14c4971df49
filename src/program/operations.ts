// The operations of a program by name and code, and how long their records are (layout: assembly/base/record.ts).

import { InvalidOptionError } from "../base/errors.js";
import { everyCpu, operationCodes, operationSize, operationsOfTwoRecords } from "../engine/abi.js";

/** Bytes of an operation. */
export const operationBytes = operationSize;

/** In place of a CPU's requester number: every CPU, in order. */
export { everyCpu };

/** Operation codes. */
export const Operation = operationCodes;

/** Name of an operation, as in {@link Operation}. */
export type OperationName = keyof typeof Operation;

/** Operations that take a second record. @internal */
export const twoRecords = operationsOfTwoRecords;

const NAMES = new Map(Object.entries(Operation).map(([name, code]) => [code as number, name as OperationName]));

/** The name of an operation's code; undefined if there is none. @internal */
export function operationName(code: number): OperationName | undefined {
  return NAMES.get(code);
}

/** Whole operations in a packed program. @internal @throws InvalidOptionError */
export function countOperations(program: Uint8Array): number {
  if (program.byteLength % operationBytes !== 0) {
    throw new InvalidOptionError("program.byteLength", program.byteLength, `a multiple of ${operationBytes}`);
  }
  return program.byteLength / operationBytes;
}
