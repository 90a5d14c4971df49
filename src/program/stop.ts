// Stopping in the middle of an operation. The engine knows no stop there. What it can do is trap, which leaves its memory as it stands:
// so a record is interleaved that traps. Afterwards the instance can be looked at; it is in the middle of something.

import { operation, stopCode } from "../engine/abi.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import { operationBytes } from "./operations.js";

/** A record at which the engine traps. Not by an access behind the end of memory: the host's signal takes four times as long. @internal */
export const stopRecord: Uint8Array = new Uint8Array(operationBytes).fill(
  stopCode,
  operation.code.at,
  operation.code.at + 1,
);

/**
 * Plays records; whether they came to a {@link stopRecord}. Nobody reads where it was, and in V8 it takes longer to find that out than
 * to play a short program.
 * @internal
 */
export function playsToStop({ exports }: Engine, program: Pointer, count: number): boolean {
  const host = Error as { stackTraceLimit?: number };
  const { stackTraceLimit } = host;
  host.stackTraceLimit = 0;
  try {
    exports.play(program, count, 0);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return true;
    throw error;
  } finally {
    if (stackTraceLimit !== undefined) host.stackTraceLimit = stackTraceLimit;
  }
  return false;
}
