// Records of programs as they are packed: 16 bytes each (layout: assembly/base/record.ts), in a buffer that grows.

import { checkAddress, checkInteger, InvalidOptionError } from "../base/errors.js";
import { operation as field } from "../engine/abi.js";
import { writeNumber, writeWord } from "../engine/structures.js";
import { everyCpu, Operation, type OperationName, operationBytes, operationName } from "./operations.js";
import { parameterName, parameters } from "./parameters.js";

const MAX_ARGUMENT = 0xffff_ffff;

/** What a {@link ProgramBuilder} puts records into. */
export class RecordBuffer {
  private buffer = new ArrayBuffer(64 * operationBytes);
  private view = new DataView(this.buffer);
  private length = 0;

  /** Records so far. */
  get count(): number {
    return this.length;
  }

  /** @internal */
  protected put(operation: number, type: number, requester: number, argument: number, address: bigint): this {
    const name = operationName(operation) as OperationName;
    checkInteger(parameterName(name, "who"), requester, 0, everyCpu);
    const most = parameters[name].most ?? MAX_ARGUMENT;
    checkInteger(parameterName(name, "argument"), argument, 0, most);
    return this.write(operation, type, requester, argument, checkAddress(parameterName(name, "address"), address));
  }

  /** The second record of an operation. @internal */
  protected second(name: OperationName, word: bigint): this {
    return this.write(Operation.nothing, 0, 0, 0, checkAddress(parameterName(name, "second"), word));
  }

  private write(operation: number, type: number, requester: number, argument: number, address: bigint): this {
    if ((this.length + 1) * operationBytes > this.buffer.byteLength) {
      const larger = new ArrayBuffer(this.buffer.byteLength * 2);
      new Uint8Array(larger).set(new Uint8Array(this.buffer));
      this.buffer = larger;
      this.view = new DataView(larger);
    }
    const at = this.length++ * operationBytes;
    writeNumber(this.view, field.code, operation, at);
    writeNumber(this.view, field.type, type, at);
    writeNumber(this.view, field.requester, requester, at);
    writeNumber(this.view, field.argument, argument, at);
    writeWord(this.view, field.address, address, at);
    return this;
  }

  /**
   * The program, packed; in the first bytes of `into`, if that is given (`machine.programMemory()`, say).
   * @throws InvalidOptionError if `into` is too short
   */
  build(into?: Uint8Array): Uint8Array {
    const bytes = this.length * operationBytes;
    if (!into) return new Uint8Array(this.buffer.slice(0, bytes));
    if (into.length < bytes) throw new InvalidOptionError("into.length", into.length, `at least ${bytes} bytes`);
    into.set(new Uint8Array(this.buffer, 0, bytes));
    return into.subarray(0, bytes);
  }
}
