// Events in columns: one entry per event in each array, field values packed behind each other as 32-bit word pairs.
import { batchEvents, batchWords } from "./abi.js";
import type { EventTable, EventType } from "./event-table.js";
import type { StringTable } from "./strings.js";

/** A field's value: a number for `number` and `hex` fields, text for the others; undefined if the line had no such field. */
export type FieldValue = bigint | string | undefined;

/** The arrays of a batch; {@link EventBatch} says what they hold. */
export type EventColumns = Pick<EventBatch, "event" | "time" | "cpu" | "pid" | "line" | "offset" | "present" | "words">;

/** Names of the columns with one entry per event. */
const COLUMNS = ["event", "time", "cpu", "pid", "line", "present"] as const;

/**
 * Up to 4096 events in columns. The reader reuses its arrays: a batch is valid until the next one is asked for; keep
 * one with {@link copy}.
 */
export class EventBatch {
  /** Number of events; the arrays may be longer. */
  count = 0;
  /** Index of the event in {@link table}`.types`. */
  readonly event: Uint16Array;
  /** Nanoseconds on the trace's clock, from {@link originSeconds} on; ticks for trace clocks that count. */
  readonly time: Float64Array;
  /** CPU that wrote the event. */
  readonly cpu: Uint16Array;
  /** Thread id; 0 for the idle task. */
  readonly pid: Int32Array;
  /** Line number, from 1. */
  readonly line: Uint32Array;
  /** Index in {@link words} of the event's first field. */
  readonly offset: Uint32Array;
  /** Bit i is set if the line had field i. */
  readonly present: Uint32Array;
  /** Field i of event e: low word at `offset[e] + 2 * i`, high word behind it. For text: the number in {@link strings}. */
  readonly words: Uint32Array;
  /** Seconds (10^9 ticks) to add to {@link time}; 0 unless the clock is so far on that its steps would not fit a number. */
  originSeconds = 0;
  /** What the event numbers mean. */
  readonly table: EventTable;
  /** What the text numbers mean. */
  readonly strings: StringTable;

  constructor(table: EventTable, strings: StringTable, events = batchEvents, words = batchWords) {
    this.table = table;
    this.strings = strings;
    this.event = new Uint16Array(events);
    this.time = new Float64Array(events);
    this.cpu = new Uint16Array(events);
    this.pid = new Int32Array(events);
    this.line = new Uint32Array(events);
    this.offset = new Uint32Array(events + 1);
    this.present = new Uint32Array(events);
    this.words = new Uint32Array(words);
  }

  /**
   * Definition of event `index`.
   * @throws RangeError if the batch has no such event
   */
  type(index: number): EventType {
    const type = index < this.count ? this.table.types[this.event[index]!] : undefined;
    if (!type) throw new RangeError(`event ${index} of a batch of ${this.count}`);
    return type;
  }

  /** Value of the field called `name` of event `index`. For exploring; hot code reads {@link words}. */
  field(index: number, name: string): FieldValue {
    const type = this.type(index);
    const i = type.fields.findIndex((f) => f.name === name);
    if (i < 0 || !(this.present[index]! & (1 << i))) return undefined;
    const at = this.offset[index]! + 2 * i;
    const low = this.words[at]!;
    const kind = type.fields[i]!.type;
    if (kind !== "number" && kind !== "hex") return this.strings.get(low);
    return (BigInt(this.words[at + 1]!) << 32n) | BigInt(low);
  }

  /** All fields of event `index` by name. */
  fields(index: number): Record<string, FieldValue> {
    return Object.fromEntries(this.type(index).fields.map((f) => [f.name, this.field(index, f.name)]));
  }

  /** A batch of its own with the same events. */
  copy(): EventBatch {
    return this.#fill(new EventBatch(this.table, this.strings, this.count, this.offset[this.count]!));
  }

  /** A batch with the same events in columns of somebody else. @internal */
  over(columns: EventColumns): EventBatch {
    return this.#fill(Object.assign(new EventBatch(this.table, this.strings, 0, 0), columns));
  }

  #fill(other: EventBatch): EventBatch {
    const { count } = this;
    other.count = count;
    other.originSeconds = this.originSeconds;
    for (const column of COLUMNS) other[column].set(this[column].subarray(0, count) as never);
    other.offset.set(this.offset.subarray(0, count + 1));
    other.words.set(this.words.subarray(0, this.offset[count]!));
    return other;
  }
}
