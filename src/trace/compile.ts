// Events to operations, by the rules of a mapping. Rules are resolved once into field numbers and words; per event there
// is no look-up by name. Nothing is dropped without being counted: see CompileSummary.
import { checkFields } from "../base/known-fields.js";
import { batchEvents } from "./abi.js";
import type { EventBatch } from "./batch.js";
import type { EventTable, EventType } from "./event-table.js";
import { MAX_FIELDS } from "./events.js";
import type { Condition, LastEvent, Rule } from "./mapping.js";
import { DEFAULT_MAPPING, type Mapping } from "./mapping-check.js";
import { MAX_ARGUMENTS, OperationBatch } from "./operation-batch.js";
import { OPERATION_NAMES, type OperationName, operationArguments, operationNumber } from "./operations.js";
import { TraceReader } from "./reader.js";
import type { TraceSource } from "./source.js";
import type { StringTable } from "./strings.js";
import type { TraceSummary } from "./summary.js";
import { TRACE_FIELDS, type TraceOptions } from "./trace-options.js";

/** Options of {@link compileTrace}. */
export interface CompileOptions extends Omit<TraceOptions, "events"> {
  /** What events mean; see `joinMapping`. Default: the built-in mapping. */
  readonly mapping?: Mapping;
}

/** Figures about a compiled trace. Every event read is in exactly one of `operations`, `ignored`, `unmapped`, `trace.unknown`. */
export interface CompileSummary {
  /** Figures of the text; mind its `damaged`. */
  readonly trace: TraceSummary;
  /** Operations by name. */
  readonly operations: ReadonlyMap<OperationName, number>;
  /** Events that a rule says to ignore, by event name. */
  readonly ignored: ReadonlyMap<string, number>;
  /** Known events that no rule took, by event name. */
  readonly unmapped: ReadonlyMap<string, number>;
}

/** Threads whose latest event is remembered for `last` conditions. */
const MAX_THREADS = 1 << 16;

type Test = (words: Uint32Array, at: number, present: number) => boolean;

interface CompiledRule {
  /** Index in OPERATION_NAMES, or -1 for `ignore`. */
  readonly operation: number;
  /** Per argument: the field's number, or -1 for a fixed value. */
  readonly fields: Int8Array;
  /** Per argument: low and high word of the fixed value. */
  readonly fixed: Uint32Array;
  readonly tests: readonly Test[];
  readonly last: Last | undefined;
}

/** A condition on an earlier event. */
interface Last {
  readonly memory: Memory;
  readonly tests: readonly Test[];
  /** Pairs of fields, of this event and of the earlier one, that must be equal. */
  readonly same: readonly (readonly [number, number])[];
}

/** The latest event of one name, per thread. */
class Memory {
  readonly #threads = new Map<number, Uint32Array>();

  store(pid: number, batch: EventBatch, index: number, fields: number): void {
    let kept = this.#threads.get(pid);
    if (!kept) {
      if (this.#threads.size >= MAX_THREADS) this.#threads.delete(this.#threads.keys().next().value!);
      kept = new Uint32Array(1 + 2 * MAX_FIELDS);
      this.#threads.set(pid, kept);
    }
    const at = batch.offset[index]!;
    kept[0] = batch.present[index]!;
    for (let i = 0; i < 2 * fields; i++) kept[1 + i] = batch.words[at + i]!;
  }

  /** What the thread did is over. */
  forget(pid: number): void {
    this.#threads.delete(pid);
  }

  /** Whether the thread has an event in mind that fits, beside the event whose words are at `at`. */
  holds(pid: number, last: Last, words: Uint32Array, at: number, present: number): boolean {
    const kept = this.#threads.get(pid);
    if (kept === undefined || !last.tests.every((test) => test(kept, 1, kept[0]!))) return false;
    return last.same.every(
      ([mine, other]) =>
        ((present >>> mine) & (kept[0]! >>> other) & 1) === 1 &&
        words[at + 2 * mine] === kept[1 + 2 * other] &&
        words[at + 2 * mine + 1] === kept[2 + 2 * other],
    );
  }
}

/** Iterates a trace once as operations. {@link summary} may be read at any time. */
export class TraceCompiler implements AsyncIterable<OperationBatch> {
  readonly #reader: TraceReader;
  readonly #rules: (readonly CompiledRule[])[] = [];
  /** By the number of an event: memories that keep it, and memories that end with it. */
  readonly #kept: (Memory[] | undefined)[] = [];
  readonly #ended: (Memory[] | undefined)[] = [];
  /** By event and ends, so that rules that mean the same share one. */
  readonly #memories = new Map<string, Memory>();
  readonly #operations = new Float64Array(OPERATION_NAMES.length);
  readonly #ignored: Float64Array;
  readonly #unmapped: Float64Array;
  readonly #batch: OperationBatch;

  /** @throws RangeError as `parseTrace` does, and if a rule names an event, field or argument that does not exist */
  constructor(source: TraceSource, options: CompileOptions = {}) {
    const { events: _, ...known } = TRACE_FIELDS;
    checkFields<CompileOptions>(options, { ...known, mapping: true });
    const { mapping = DEFAULT_MAPPING, ...rest } = options;
    this.#reader = new TraceReader(source, { ...rest, events: mapping.events });
    const { table, strings } = this.#reader;
    this.#ignored = new Float64Array(table.types.length);
    this.#unmapped = new Float64Array(table.types.length);
    this.#batch = new OperationBatch(strings, batchEvents, batchEvents * 2 * MAX_ARGUMENTS);
    const byEvent = new Map<string, Rule[]>();
    for (const rule of mapping.rules) byEvent.set(rule.event, [...(byEvent.get(rule.event) ?? []), rule]);
    for (const [name, rules] of byEvent) {
      const type = eventType(table, name);
      this.#rules[type.id] = rules.map((rule) => this.#compile(rule, type, strings));
    }
  }

  /** Texts that batches refer to by number. */
  get strings(): StringTable {
    return this.#reader.strings;
  }

  /** What was found so far: a snapshot. */
  get summary(): CompileSummary {
    const { types } = this.#reader.table;
    const named = (counts: Float64Array) =>
      new Map(types.filter((t) => counts[t.id]! > 0).map((t) => [t.name, counts[t.id]!]));
    const operations = new Map<OperationName, number>();
    OPERATION_NAMES.forEach((name, i) => {
      if (this.#operations[i]! > 0) operations.set(name, this.#operations[i]!);
    });
    return {
      trace: this.#reader.summary,
      operations,
      ignored: named(this.#ignored),
      unmapped: named(this.#unmapped),
    };
  }

  /**
   * The batches. Can be asked for once.
   * @throws TraceFormatError as `parseTrace` does
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<OperationBatch, void, undefined> {
    for await (const events of this.#reader) {
      this.#translate(events);
      if (this.#batch.count > 0) yield this.#batch;
    }
  }

  #translate(events: EventBatch): void {
    const out = this.#batch;
    out.count = 0;
    out.originSeconds = events.originSeconds;
    let n = 0;
    let word = 0;
    for (let i = 0; i < events.count; i++) {
      const id = events.event[i]!;
      const rule = this.#match(events, i, id);
      this.#remember(events, i, id);
      if (!rule) {
        this.#unmapped[id]!++;
        continue;
      }
      if (rule.operation < 0) {
        this.#ignored[id]!++;
        continue;
      }
      this.#operations[rule.operation]!++;
      const at = events.offset[i]!;
      const { fields, fixed } = rule;
      out.kind[n] = rule.operation;
      out.time[n] = events.time[i]!;
      out.cpu[n] = events.cpu[i]!;
      out.pid[n] = events.pid[i]!;
      out.line[n] = events.line[i]!;
      out.offset[n] = word;
      for (let a = 0; a < fields.length; a++) {
        const field = fields[a]!;
        out.words[word++] = field < 0 ? fixed[2 * a]! : events.words[at + 2 * field]!;
        out.words[word++] = field < 0 ? fixed[2 * a + 1]! : events.words[at + 2 * field + 1]!;
      }
      out.offset[++n] = word;
    }
    out.count = n;
  }

  #remember(events: EventBatch, index: number, id: number): void {
    const pid = events.pid[index]!;
    const ended = this.#ended[id];
    if (ended) for (const memory of ended) memory.forget(pid);
    const kept = this.#kept[id];
    if (kept) for (const memory of kept) memory.store(pid, events, index, this.#reader.table.types[id]!.fields.length);
  }

  #match(events: EventBatch, index: number, id: number): CompiledRule | undefined {
    const rules = this.#rules[id];
    if (!rules) return undefined;
    const at = events.offset[index]!;
    const present = events.present[index]!;
    for (const rule of rules) {
      if (rule.tests.length > 0 && !rule.tests.every((test) => test(events.words, at, present))) continue;
      const { last } = rule;
      if (last && !last.memory.holds(events.pid[index]!, last, events.words, at, present)) continue;
      return rule;
    }
    return undefined;
  }

  #compile(rule: Rule, type: EventType, strings: StringTable): CompiledRule {
    const operation = rule.operation === "ignore" ? -1 : operationNumber(rule.operation);
    const list = rule.operation === "ignore" ? [] : operationArguments(rule.operation);
    for (const name of Object.keys(rule.args ?? {})) {
      if (!list.some(([argument]) => argument === name)) {
        throw new RangeError(`mapping of ${type.name}: ${rule.operation} has no argument ${name}`);
      }
    }
    const fields = new Int8Array(list.length).fill(-1);
    const fixed = new Uint32Array(2 * list.length);
    list.forEach(([argument, argumentType], i) => {
      const source = rule.args?.[argument];
      if (source === undefined || typeof source === "string") {
        const field = type.fields.findIndex((f) => f.name === (source ?? argument));
        const text = field >= 0 && isText(type, field);
        if (field >= 0 && text === (argumentType === "text")) fields[i] = field;
        else if (source !== undefined)
          throw new RangeError(`mapping of ${type.name}: no ${argumentType} field ${source}`);
      } else if ("text" in source) {
        fixed[2 * i] = strings.add(source.text);
      } else {
        fixed[2 * i] = source.value;
        fixed[2 * i + 1] = Math.floor(source.value / 4294967296);
      }
    });
    const last = rule.last && this.#last(rule.last, type, strings);
    return { operation, fields, fixed, tests: makeTests(rule.when ?? {}, type, strings), last };
  }

  #last(last: LastEvent, type: EventType, strings: StringTable): Last {
    const { table } = this.#reader;
    const other = eventType(table, last.event);
    const until = last.until ?? [];
    const key = [last.event, ...until].join(" ");
    let memory = this.#memories.get(key);
    if (!memory) {
      memory = new Memory();
      this.#memories.set(key, memory);
      this.#kept[other.id] = [...(this.#kept[other.id] ?? []), memory];
      for (const name of until) {
        const { id } = eventType(table, name);
        this.#ended[id] = [...(this.#ended[id] ?? []), memory];
      }
    }
    const same = (last.same ?? []).map((name) => [fieldOf(type, name), fieldOf(other, name)] as const);
    return { memory, tests: makeTests(last.when, other, strings), same };
  }
}

function eventType(table: EventTable, name: string): EventType {
  const type = table.byName(name);
  if (!type) throw new RangeError(`mapping: no event is called ${name}`);
  return type;
}

function fieldOf(type: EventType, name: string): number {
  const field = type.fields.findIndex((f) => f.name === name);
  if (field < 0) throw new RangeError(`mapping of ${type.name}: no field ${name}`);
  return field;
}

function isText(type: EventType, field: number): boolean {
  const kind = type.fields[field]!.type;
  return kind !== "number" && kind !== "hex";
}

function makeTests(when: Readonly<Record<string, Condition>>, type: EventType, strings: StringTable): Test[] {
  return Object.entries(when).map(([name, condition]) => {
    const field = fieldOf(type, name);
    const bit = 1 << field;
    const word = 2 * field;
    if (typeof condition === "object" && "function" in condition) {
      const isOne = functionTest([condition.function].flat(), strings);
      return (words, at, present) => (present & bit) !== 0 && isOne(words[at + word]!);
    }
    const negate = typeof condition === "object";
    const value = typeof condition === "object" ? condition.not : condition;
    const low = typeof value === "string" ? strings.add(value) : value >>> 0;
    const high = typeof value === "string" ? 0 : Math.floor(value / 4294967296) >>> 0;
    return (words, at, present) =>
      (present & bit) !== 0 && (words[at + word] === low && words[at + word + 1] === high) !== negate;
  });
}

/**
 * Whether symbol number `id` is one of the functions, offset and module apart; remembered per symbol. What compilers add to
 * the name of a copy (`.isra.0`, `.part.0`, `.constprop.0`, `.llvm.123`) is not looked at, unless it is asked for.
 */
function functionTest(functions: readonly string[], strings: StringTable): (id: number) => boolean {
  const known: (boolean | undefined)[] = [];
  return (id) => {
    const name = strings.get(id).replace(/[+ ].*$/, "");
    known[id] ??= functions.includes(name) || functions.includes(name.replace(/\..*$/, ""));
    return known[id];
  };
}

/**
 * Reads a trace (see `parseTrace`) as operations: what the kernel did, in order, packed.
 * @throws RangeError if an option or the mapping is wrong
 * @example
 * ```ts
 * import { compileTrace } from "stalewalk/trace";
 * import { openTrace } from "stalewalk/trace/node";
 *
 * let flushed = 0n;
 * for await (const batch of compileTrace(openTrace("kernel.trace.txt")))
 *   for (let i = 0; i < batch.count; i++) {
 *     const operation = batch.at(i);
 *     if (operation.name === "flush-kernel-range") flushed += operation.args.end - operation.args.start;
 *   }
 * console.log(flushed); // 4095n
 * ```
 */
export function compileTrace(source: TraceSource, options: CompileOptions = {}): TraceCompiler {
  return new TraceCompiler(source, options);
}
