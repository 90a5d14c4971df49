// Operations in columns, as batch.ts holds events.
import {
  type ArgumentType,
  OPERATION_NAMES,
  type Operation,
  type OperationName,
  operationArguments,
} from "./operations.js";
import type { StringTable } from "./strings.js";

/** Most arguments an operation has. */
export const MAX_ARGUMENTS: number = Math.max(...OPERATION_NAMES.map((name) => operationArguments(name).length));

const ARGUMENTS: readonly (readonly (readonly [string, ArgumentType])[])[] = OPERATION_NAMES.map(operationArguments);

/** Operations in columns. As an `EventBatch`, it is valid until the next one is asked for; keep one with {@link copy}. */
export class OperationBatch {
  /** Number of operations; the arrays may be longer. */
  count = 0;
  /** Index in `OPERATION_NAMES`. */
  readonly kind: Uint8Array;
  /** Nanoseconds on the trace's clock, from {@link originSeconds} on. */
  readonly time: Float64Array;
  /** CPU that the event is from. */
  readonly cpu: Uint16Array;
  /** Thread id; 0 for the idle task. */
  readonly pid: Int32Array;
  /** Line number in the trace, from 1. */
  readonly line: Uint32Array;
  /** Index in {@link words} of the first argument. */
  readonly offset: Uint32Array;
  /** Argument i of operation o: low word at `offset[o] + 2 * i`, high word behind it; for texts the number in {@link strings}. */
  readonly words: Uint32Array;
  /** Seconds to add to the times; see `EventBatch.originSeconds`. */
  originSeconds = 0;
  /** What the text numbers mean. */
  readonly strings: StringTable;

  constructor(strings: StringTable, operations: number, words: number) {
    this.strings = strings;
    this.kind = new Uint8Array(operations);
    this.time = new Float64Array(operations);
    this.cpu = new Uint16Array(operations);
    this.pid = new Int32Array(operations);
    this.line = new Uint32Array(operations);
    this.offset = new Uint32Array(operations + 1);
    this.words = new Uint32Array(words);
  }

  /**
   * Name of operation `index`.
   * @throws RangeError if the batch has no such operation
   */
  name(index: number): OperationName {
    const name = index < this.count ? OPERATION_NAMES[this.kind[index]!] : undefined;
    if (name === undefined) throw new RangeError(`operation ${index} of a batch of ${this.count}`);
    return name;
  }

  /** Operation `index` as an object: typed by its `name`. For exploring; hot code reads {@link words}. */
  at(index: number): Operation {
    const name = this.name(index);
    const args: Record<string, bigint | number | string> = {};
    ARGUMENTS[this.kind[index]!]!.forEach(([argument, type], i) => {
      const word = this.offset[index]! + 2 * i;
      const low = this.words[word]!;
      const high = this.words[word + 1]!;
      if (type === "address") args[argument] = (BigInt(high) << 32n) | BigInt(low);
      else args[argument] = type === "count" ? (high | 0) * 4294967296 + low : this.strings.get(low);
    });
    const [time, cpu, pid, line] = [this.time[index]!, this.cpu[index]!, this.pid[index]!, this.line[index]!];
    return { name, time, cpu, pid, line, args } as Operation;
  }

  /** A batch of its own with the same operations. */
  copy(): OperationBatch {
    const { count } = this;
    const copy = new OperationBatch(this.strings, count, this.offset[count]!);
    copy.count = count;
    copy.originSeconds = this.originSeconds;
    for (const column of ["kind", "time", "cpu", "pid", "line"] as const) {
      copy[column].set(this[column].subarray(0, count) as never);
    }
    copy.offset.set(this.offset.subarray(0, count + 1));
    copy.words.set(this.words.subarray(0, this.offset[count]!));
    return copy;
  }
}
