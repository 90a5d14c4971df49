// Stopping in the middle of an operation. The engine knows no stop there. What it can do is trap, which leaves its memory as it stands:
// so a record is interleaved that traps. Afterwards the instance can be looked at; it is in the middle of something.

import { operation, operationCodes, walkStateAt } from "../engine/abi.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import { operationBytes } from "./operations.js";

/** A record at which this engine traps: a step of a walk whose number would have it stand behind the end of memory. @internal */
export function stopRecord({ exports }: Engine): Uint8Array {
  const record = new Uint8Array(operationBytes);
  record[operation.code.at] = operationCodes.walkStep;
  const walk = Math.ceil(exports.memory.buffer.byteLength / walkStateAt.size);
  new DataView(record.buffer).setUint32(operation.argument.at, walk, true);
  return record;
}

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
