// One line after the other into a batch: prefix, event, fields. This is the hot path of the reader; what is no event of a
// known name goes to other-lines.ts. Positions are relative to the block at hand.
import type { EventBatch } from "./batch.js";
import { TraceClock } from "./clock.js";
import { Counts } from "./counts.js";
import { type DiagnosticKind, type DiagnosticList, excerpt } from "./diagnostics.js";
import type { EventTable } from "./event-table.js";
import { MAX_FIELDS } from "./events.js";
import { FieldParser } from "./fields.js";
import { OtherLines } from "./other-lines.js";
import { emptyPrefix, parsePrefix } from "./prefix.js";
import type { StringTable } from "./strings.js";
import { Templates } from "./templates.js";

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const HASH = 35;
const COLON = 58;
const decoder = new TextDecoder();
const utf8 = new TextDecoder("utf-8", { fatal: true });
/** After so many tries by form that read no line, there are so many lines with care between two. */
const MAX_VAIN = 32;
const PAUSE = 8;
const SIDE_BAND = new TextEncoder().encode("PERF_RECORD_");

/** Settings of a {@link LineParser}. */
export interface LineParserOptions {
  readonly table: EventTable;
  readonly strings: StringTable;
  /** Where events go until forms of lines are known. */
  readonly batch: EventBatch;
  readonly diagnostics: DiagnosticList;
  /** A step forward of more than this is a clock jump; nanoseconds. */
  readonly maxGap: number;
  /** Lines that are read before forms are learned; infinity: all. Whatever it is, the result is the same. */
  readonly learnAfter: number;
}

/** Parses lines, and counts what they hold. */
export class LineParser {
  readonly counts: Counts;
  readonly clock: TraceClock;
  #batch: EventBatch;
  readonly #table: EventTable;
  readonly #diagnostics: DiagnosticList;
  readonly #prefix = emptyPrefix();
  readonly #fields: FieldParser;
  readonly #others: OtherLines;
  #templates: Templates | undefined;
  /** How many lines to read with care before the next try by form. */
  #careful: number;
  /** Tries in a row that read no line. */
  #vain = 0;
  /** Where the latest block was left because the batch was full; -1 at its end. */
  #left = -1;

  constructor(options: LineParserOptions) {
    const { table, strings, batch, diagnostics, maxGap } = options;
    this.#batch = batch;
    this.#table = table;
    this.#diagnostics = diagnostics;
    this.counts = new Counts(table.types.length, diagnostics);
    this.clock = new TraceClock(maxGap);
    this.#fields = new FieldParser(strings);
    this.#fields.onExtra = (type, name) => this.counts.countExtra(`${type.name}.${name}`);
    this.#others = new OtherLines(this.counts, this.clock);
    this.#careful = options.learnAfter;
  }

  /** Where events go. It may be another one after every call of {@link parse}. */
  get batch(): EventBatch {
    return this.#batch;
  }

  /** Values printed as `(fault)`. */
  get faultValues(): number {
    return this.#fields.faults;
  }

  /**
   * Reads lines from `start` until the batch is full or `end` is reached.
   * @returns where it stopped: the beginning of a line, or `end`
   */
  parse(bytes: Uint8Array, start: number, end: number): number {
    const { counts } = this;
    if (start !== this.#left) this.#templates?.release();
    counts.blockOffset = counts.byteOffset - start;
    let pos = start;
    while (pos < end && this.#hasRoom()) {
      if (--this.#careful < 0) {
        pos = this.#byForm(bytes, pos, end);
        if (pos === end || !this.#hasRoom()) break;
      }
      counts.line++;
      pos = this.#line(bytes, pos);
    }
    this.#left = pos < end ? pos : -1;
    counts.byteOffset = counts.blockOffset + pos;
    return pos;
  }

  #hasRoom(): boolean {
    const { count, event, offset, words } = this.#batch;
    return count < event.length && offset[count]! <= words.length - 2 * MAX_FIELDS;
  }

  /** Counts a line that never became one (too long, torn) as damage. */
  reject(kind: DiagnosticKind, head: Uint8Array, message: string, expected: string): void {
    const { counts } = this;
    counts.line++;
    counts.damagedLines++;
    this.#diagnostics.add({
      kind,
      severity: "damage",
      line: counts.line,
      byteOffset: counts.byteOffset,
      text: excerpt(head, 0, head.length),
      message,
      expected,
    });
  }

  /** The end of the input. */
  finish(): void {
    this.#others.finish();
  }

  /** Reads lines like some before, as many as there are in a row; returns the index of the first that is not. */
  #byForm(bytes: Uint8Array, start: number, end: number): number {
    const templates = this.#templates ?? this.#open();
    if (templates === undefined) return start;
    const { counts } = this;
    const batch = this.#batch;
    const before = batch.count;
    const pos = templates.read(bytes, start, end, batch, this.clock, counts.line);
    const read = batch.count - before;
    for (let i = before; i < batch.count; i++) counts.known[batch.event[i]!]!++;
    counts.line += read;
    counts.events += read;
    counts.byForm += read;
    // In text that has no such lines, a try for each would cost more than it brings.
    this.#vain = read > 0 ? 0 : this.#vain + 1;
    this.#careful = this.#vain < MAX_VAIN ? 0 : PAUSE;
    return pos;
  }

  /** Begins to learn forms; the batch moves to where lines are read by them. */
  #open(): Templates | undefined {
    this.#templates = Templates.open();
    if (this.#templates) this.#batch = this.#batch.over(this.#templates.columns);
    else this.#careful = Number.POSITIVE_INFINITY;
    return this.#templates;
  }

  /** Reads the line at `start`; returns the index behind its newline. */
  #line(bytes: Uint8Array, start: number): number {
    const first = bytes[start]!;
    if (first === NEWLINE || (first === RETURN && bytes[start + 1] === NEWLINE)) {
      this.counts.blankLines++;
      return start + (first === NEWLINE ? 1 : 2);
    }
    const prefix = this.#prefix;
    const expected = parsePrefix(bytes, start, prefix);
    if (first === HASH) {
      return expected === "" ? this.#others.hidden(bytes, start) : this.#others.unprefixed(bytes, start, "");
    }
    if (expected !== "") return this.#others.unprefixed(bytes, start, expected);
    if (prefix.highBytes) this.#noteBytes(bytes, start);

    const table = this.#table;
    let p = prefix.body;
    let nameStart = p;
    let hash = 0;
    let c = bytes[p]!;
    while (c > SPACE && c !== COLON) {
      hash = (Math.imul(hash, 31) + c) | 0;
      c = bytes[++p]!;
    }
    if (prefix.separator === SPACE) {
      if (startsWith(bytes, nameStart, SIDE_BAND)) return this.#others.sideBand(bytes, start, prefix);
      if (c === SPACE && isDigits(bytes, nameStart, p)) {
        // perf script -F period: the number of events that the sample stands for comes before the name.
        while (bytes[p] === SPACE) p++;
        nameStart = p;
        hash = 0;
        c = bytes[p]!;
        while (c > SPACE && c !== COLON) {
          hash = (Math.imul(hash, 31) + c) | 0;
          c = bytes[++p]!;
        }
      }
    }
    let group = -1;
    if (c === COLON && p > nameStart && isNameByte(bytes[p + 1]!)) {
      // perf script: "group:name:"
      group = nameStart;
      nameStart = p + 1;
      hash = 0;
      c = bytes[++p]!;
      while (c > SPACE && c !== COLON) {
        hash = (Math.imul(hash, 31) + c) | 0;
        c = bytes[++p]!;
      }
    }
    if (c !== COLON || p === nameStart)
      return this.#others.unnamed(bytes, start, prefix, () => this.#take(bytes, start));
    const type = table.find(bytes, nameStart, p, hash);
    if (!type || (group >= 0 && !groupFits(bytes, group, nameStart - 1, type.system))) {
      return this.#unknown(bytes, start, group >= 0 ? group : nameStart, p);
    }
    do p++;
    while (bytes[p] === SPACE);
    return this.#event(type.id, bytes, start, p);
  }

  /** An event of a known name, whose fields begin at `pos`. */
  #event(id: number, bytes: Uint8Array, start: number, pos: number): number {
    const { counts } = this;
    const type = this.#table.types[id]!;
    const batch = this.#batch;
    const fields = this.#fields;
    const prefix = this.#prefix;
    const index = batch.count;
    const at = batch.offset[index]!;
    fields.mayAppend = prefix.separator === SPACE;
    const newline = fields.parse(type, bytes, pos, batch.words, at);
    if (newline < 0) {
      const end = bytes.indexOf(NEWLINE, start);
      counts.recognised = true;
      fields.highBytes = false;
      counts.damagedLine("bad-fields", bytes, start, end, `${type.name} with other fields`, fields.expected);
      return end + 1;
    }
    if (this.#templates?.missed === start && !fields.highBytes) {
      this.#templates.learn(type, fields, bytes, prefix.body, newline, batch.words, at);
    }
    if (fields.appended) this.#others.mayHavePlace();
    this.#store(id, bytes, start, newline, at + 2 * type.fields.length, fields.present);
    return newline + 1;
  }

  /** Puts the event, whose values are in the batch already, into its columns. */
  #store(id: number, bytes: Uint8Array, start: number, newline: number, words: number, present: number): void {
    const batch = this.#batch;
    const prefix = this.#prefix;
    const index = batch.count;
    const fields = this.#fields;
    if (fields.highBytes) {
      fields.highBytes = false;
      const message = "bytes above 127 in a symbol or name";
      this.counts.report("not-utf8", "damage", bytes, start, newline, message, "ASCII");
    }
    const time = this.#take(bytes, start);
    batch.event[index] = id;
    batch.time[index] = time;
    batch.cpu[index] = prefix.cpu;
    batch.pid[index] = prefix.pid;
    batch.line[index] = this.counts.line;
    batch.present[index] = present;
    batch.offset[index + 1] = words;
    batch.count = index + 1;
    this.counts.known[id]!++;
  }

  #unknown(bytes: Uint8Array, start: number, name: number, end: number): number {
    // "sys_openat(dfd: 3, …)": the first argument is no part of the name.
    const text = decoder.decode(bytes.subarray(name, end)).replace(/\(.*$/, "");
    if (text === "kernel_stack" || text === "user_stack") {
      this.counts.recognised = true;
      this.#others.stackEvent();
    } else {
      this.#take(bytes, start);
      this.counts.countUnknown(text);
      if (this.#prefix.separator === SPACE) this.#others.mayHavePlace();
    }
    return bytes.indexOf(NEWLINE, end) + 1;
  }

  /** Takes an event's prefix as good: format, clock, number of events. Returns its time. */
  #take(bytes: Uint8Array, start: number): number {
    const { counts, clock } = this;
    const time = clock.take(this.#prefix);
    if (counts.events++ === 0) this.#firstEvent();
    const { complaint } = clock;
    if (complaint) counts.report(complaint.kind, "damage", bytes, start, -1, complaint.message, complaint.expected);
    return time;
  }

  #firstEvent(): void {
    const { counts } = this;
    counts.recognised = true;
    const { header } = this.#others;
    if (this.#prefix.separator === SPACE) counts.format = "perf";
    else counts.format = header === "none" ? "trace_pipe" : header;
    this.#batch.originSeconds = this.clock.origin;
  }

  /** A task name may hold anything; only bytes that are no UTF-8 are worth a note. */
  #noteBytes(bytes: Uint8Array, start: number): void {
    try {
      utf8.decode(bytes.subarray(start, this.#prefix.body));
    } catch {
      const message = "a task name that is not UTF-8";
      this.counts.report("not-utf8", "note", bytes, start, -1, message, "nothing: the event is kept");
    }
  }
}

/** Letters and "_": what a name begins with. */
function isNameByte(c: number): boolean {
  return ((c | 32) >= 97 && (c | 32) <= 122) || c === 95;
}

function isDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! < 48 || bytes[i]! > 57) return false;
  return end > start;
}

function startsWith(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** True if the printed group may hold an event of this system; probes may be in any group. */
function groupFits(bytes: Uint8Array, start: number, end: number, system: string): boolean {
  if (system === "kprobes") return true;
  if (end - start !== system.length) return false;
  for (let i = 0; i < system.length; i++) if (bytes[start + i] !== system.charCodeAt(i)) return false;
  return true;
}
