// One line after the other into a batch: prefix, event, fields; and everything else a trace file holds. This is the hot
// path of the reader. Positions are relative to the block at hand; `#blockOffset` maps them to the text.
import type { EventBatch } from "./batch.js";
import { type Diagnostic, type DiagnosticKind, type DiagnosticList, excerpt } from "./diagnostics.js";
import type { EventTable } from "./event-table.js";
import { MAX_FIELDS } from "./events.js";
import { FieldParser } from "./fields.js";
import { complaintOf, type Mark, recogniseMark } from "./marks.js";
import { emptyPrefix, parsePrefix } from "./prefix.js";
import type { StringTable } from "./strings.js";
import type { TraceFormat } from "./summary.js";

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const HASH = 35;
const COLON = 58;
/** Seconds up to which nanoseconds since zero are exact in a number. */
const EXACT_SECONDS = 8_000_000;
const MAX_NAMES = 1000;
const decoder = new TextDecoder();

/** Settings of a {@link LineParser}. */
export interface LineParserOptions {
  readonly table: EventTable;
  readonly strings: StringTable;
  readonly batch: EventBatch;
  readonly diagnostics: DiagnosticList;
  /** A step forward of more than this is a clock jump; nanoseconds. */
  readonly maxGap: number;
}

/** The state behind a summary, and the parser that fills it. */
export class LineParser {
  line = 0;
  /** Offset in the text of what was handed over last, in bytes. */
  byteOffset = 0;
  events = 0;
  blankLines = 0;
  stackLines = 0;
  damagedLines = 0;
  /** Counts of known events, by their number. */
  readonly counts: Float64Array;
  readonly unknown = new Map<string, number>();
  readonly extraFields = new Map<string, number>();
  lostCounted = 0;
  lostUncounted = 0;
  entriesInBuffer: number | undefined;
  entriesWritten: number | undefined;
  /** Headers of tracefs `trace` ("# tracer: ...") minus their lines with the number of entries: 0 in a whole file. */
  openHeaders = 0;
  cpus: number | undefined;
  format: TraceFormat = "unknown";
  firstTime: number | undefined;
  lastTime: number | undefined;
  originSeconds = 0;
  ticks = false;
  /** True once a header or an event was seen. */
  recognised = false;

  readonly #options: LineParserOptions;
  readonly #prefix = emptyPrefix();
  readonly #fields: FieldParser;
  #blockOffset = 0;
  #header: "none" | "trace" | "trace-cmd" = "none";
  #clock = -1;

  constructor(options: LineParserOptions) {
    this.#options = options;
    this.counts = new Float64Array(options.table.types.length);
    this.#fields = new FieldParser(options.strings);
    this.#fields.onExtra = (type, name) => bump(this.extraFields, `${type.name}.${name}`);
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
    const { batch } = this.#options;
    const capacity = batch.event.length;
    const wordLimit = batch.words.length - 2 * MAX_FIELDS;
    this.#blockOffset = this.byteOffset - start;
    let pos = start;
    while (pos < end && batch.count < capacity && batch.offset[batch.count]! <= wordLimit) {
      this.line++;
      pos = this.#line(bytes, pos);
    }
    this.byteOffset = this.#blockOffset + pos;
    return pos;
  }

  /** Counts a line that never became one (too long, torn) as damage. */
  reject(kind: DiagnosticKind, head: Uint8Array, message: string, expected: string): void {
    this.line++;
    this.damagedLines++;
    this.#options.diagnostics.add({
      kind,
      severity: "damage",
      line: this.line,
      byteOffset: this.byteOffset,
      text: excerpt(head, 0, head.length),
      message,
      expected,
    });
  }

  /** Reads the line at `start`; returns the index behind its newline. */
  #line(bytes: Uint8Array, start: number): number {
    const first = bytes[start]!;
    if (first === NEWLINE || (first === RETURN && bytes[start + 1] === NEWLINE)) {
      this.blankLines++;
      return start + (first === NEWLINE ? 1 : 2);
    }
    const prefix = this.#prefix;
    if (first === HASH) {
      if (parsePrefix(bytes, start, prefix) !== "") return this.#markLine(bytes, start, "");
      return this.#hidden(bytes, start);
    }
    const expected = parsePrefix(bytes, start, prefix);
    if (expected !== "") return this.#markLine(bytes, start, expected);
    if (prefix.highBytes) this.#noteBytes(bytes, start);

    let p = prefix.body;
    const { table, batch } = this.#options;
    let nameStart = p;
    let hash = 0;
    let c = bytes[p]!;
    while (c > SPACE && c !== COLON) {
      hash = (Math.imul(hash, 31) + c) | 0;
      c = bytes[++p]!;
    }
    let group = -1;
    if (c === COLON && isNameByte(bytes[p + 1]!)) {
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
    if (c !== COLON || p === nameStart) return this.#unnamed(bytes, start);
    const type = table.find(bytes, nameStart, p, hash);
    if (!type || (group >= 0 && !groupFits(bytes, group, nameStart - 1, type.system))) {
      this.#accept(bytes, start);
      this.#countUnknown(decoder.decode(bytes.subarray(group >= 0 ? group : nameStart, p)));
      return bytes.indexOf(NEWLINE, p) + 1;
    }
    do p++;
    while (bytes[p] === SPACE);
    const index = batch.count;
    const at = batch.offset[index]!;
    const newline = this.#fields.parse(type, bytes, p, batch.words, at);
    if (newline < 0) {
      const end = bytes.indexOf(NEWLINE, start);
      this.recognised = true;
      this.damagedLines++;
      this.#report("bad-fields", "damage", bytes, start, end, `${type.name} with other fields`, this.#fields.expected);
      return end + 1;
    }
    if (this.#fields.highBytes) {
      this.#fields.highBytes = false;
      this.#report("not-utf8", "damage", bytes, start, newline, "bytes above 127 in a symbol or name", "ASCII");
    }
    const time = this.#accept(bytes, start);
    batch.event[index] = type.id;
    batch.time[index] = time;
    batch.cpu[index] = prefix.cpu;
    batch.pid[index] = prefix.pid;
    batch.line[index] = this.line;
    batch.present[index] = this.#fields.present;
    batch.offset[index + 1] = at + 2 * type.fields.length;
    batch.count = index + 1;
    this.counts[type.id]!++;
    return newline + 1;
  }

  /** Takes an event's prefix as good: format, clock, number of events. Returns its time. */
  #accept(bytes: Uint8Array, start: number): number {
    const { seconds, nanoseconds, fractionDigits } = this.#prefix;
    if (this.events === 0) this.#firstEvent();
    this.events++;
    const time = this.ticks ? seconds : (seconds - this.originSeconds) * 1e9 + nanoseconds;
    if ((fractionDigits === 0) !== this.ticks) {
      this.#report(
        "clock-jump",
        "damage",
        bytes,
        start,
        -1,
        "the unit of time changes",
        this.ticks ? "ticks" : "seconds",
      );
    } else if (this.#clock >= 0) {
      if (time < this.#clock) {
        const by = this.ticks ? `${this.#clock - time} ticks` : `${(this.#clock - time) / 1e9} s`;
        this.#report("clock-back", "damage", bytes, start, -1, `time runs back by ${by}`, "lines in order of time");
      } else if (!this.ticks && time - this.#clock > this.#options.maxGap) {
        const gap = (time - this.#clock) / 1e9;
        const limit = this.#options.maxGap / 1e9;
        this.#report("clock-jump", "damage", bytes, start, -1, `time jumps ahead by ${gap} s`, `at most ${limit} s`);
      }
    }
    this.#clock = time;
    if (this.firstTime === undefined || time < this.firstTime) this.firstTime = time;
    if (this.lastTime === undefined || time > this.lastTime) this.lastTime = time;
    return time;
  }

  #firstEvent(): void {
    const { separator, fractionDigits, seconds } = this.#prefix;
    this.recognised = true;
    if (separator === SPACE) this.format = "perf";
    else if (this.#header === "none") this.format = "trace_pipe";
    else this.format = this.#header;
    this.ticks = fractionDigits === 0;
    if (!this.ticks && seconds > EXACT_SECONDS) this.originSeconds = seconds;
    this.#options.batch.originSeconds = this.originSeconds;
  }

  /** An event line whose event has no "name:": function tracer, stack traces, perf's own records. */
  #unnamed(bytes: Uint8Array, start: number): number {
    const end = bytes.indexOf(NEWLINE, start);
    const body = decoder.decode(bytes.subarray(this.#prefix.body, end)).trimEnd();
    const lost = /^PERF_RECORD_LOST(?:_SAMPLES)? lost (\d{1,15})$/.exec(body);
    if (lost) {
      this.#mark({ kind: "lost", cpu: this.#prefix.cpu, events: Number(lost[1]) }, bytes, start, end);
      return end + 1;
    }
    const name = body.startsWith("<stack trace>") ? "<stack trace>" : / <-/.test(body) ? "(function)" : undefined;
    if (name === undefined) {
      this.damagedLines++;
      this.#report("bad-prefix", "damage", bytes, start, end, "an event without a name", "name: after the time");
      return end + 1;
    }
    this.#accept(bytes, start);
    this.#countUnknown(name);
    return end + 1;
  }

  /** No comment has a task, a CPU and a time: the first byte of this event is damaged. */
  #hidden(bytes: Uint8Array, start: number): number {
    const end = bytes.indexOf(NEWLINE, start);
    this.damagedLines++;
    this.#report("bad-prefix", "damage", bytes, start, end, "an event that begins like a comment", "a task name");
    return end + 1;
  }

  #countUnknown(name: string): void {
    bump(this.unknown, this.unknown.has(name) || this.unknown.size < MAX_NAMES ? name : "(others)");
  }

  #markLine(bytes: Uint8Array, start: number, expected: string): number {
    const end = bytes.indexOf(NEWLINE, start);
    const text = end - start > 1024 ? undefined : decoder.decode(bytes.subarray(start, end)).replace(/\r$/, "");
    const mark = text === undefined ? undefined : text.trim() === "" ? ("blank" as const) : recogniseMark(text);
    if (mark === "blank") this.blankLines++;
    else if (mark) this.#mark(mark, bytes, start, end);
    else {
      this.damagedLines++;
      this.#report("bad-prefix", "damage", bytes, start, end, "no trace line", expected || "a comment");
    }
    return end + 1;
  }

  #mark(mark: Mark, bytes: Uint8Array, start: number, end: number): void {
    if (mark.kind === "stack") this.stackLines++;
    if (mark.kind === "header" || mark.kind === "trace-cmd") {
      // A header in the middle: several traces in one file; each has its own clock.
      this.recognised = true;
      this.#header = mark.kind === "header" ? "trace" : mark.kind;
      if (mark.kind === "header") this.openHeaders++;
      this.#clock = -1;
    }
    if (mark.kind === "trace-cmd") this.cpus = mark.cpus ?? this.cpus;
    if (mark.kind === "entries") {
      this.openHeaders--;
      this.entriesInBuffer = (this.entriesInBuffer ?? 0) + mark.inBuffer;
      this.entriesWritten = (this.entriesWritten ?? 0) + mark.written;
      this.cpus = mark.cpus;
    }
    const complaint = complaintOf(mark);
    if (!complaint) return;
    const { kind, message, expected, lost } = complaint;
    if (lost === undefined) this.lostUncounted += kind === "lost-events" ? 1 : 0;
    else this.lostCounted += lost;
    if (kind === "wrong-file") {
      this.#options.diagnostics.fatal(this.#diagnostic(kind, "damage", bytes, start, end, message, expected));
    }
    this.#report(kind, "damage", bytes, start, end, message, expected);
  }

  /** A task name may hold anything; only bytes that are no UTF-8 are worth a note. */
  #noteBytes(bytes: Uint8Array, start: number): void {
    const name = bytes.subarray(start, this.#prefix.body);
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(name);
    } catch {
      this.#report("not-utf8", "note", bytes, start, -1, "a task name that is not UTF-8", "nothing: the event is kept");
    }
  }

  #report(
    kind: DiagnosticKind,
    severity: Diagnostic["severity"],
    bytes: Uint8Array,
    start: number,
    end: number,
    message: string,
    expected: string,
  ): void {
    this.#options.diagnostics.add(this.#diagnostic(kind, severity, bytes, start, end, message, expected));
  }

  #diagnostic(
    kind: DiagnosticKind,
    severity: Diagnostic["severity"],
    bytes: Uint8Array,
    start: number,
    end: number,
    message: string,
    expected: string,
  ): Diagnostic {
    const stop = end < 0 ? bytes.indexOf(NEWLINE, start) : end;
    const byteOffset = this.#blockOffset + start;
    return { kind, severity, line: this.line, byteOffset, text: excerpt(bytes, start, stop), message, expected };
  }
}

function bump(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

/** Letters and "_": what a name begins with. */
function isNameByte(c: number): boolean {
  return ((c | 32) >= 97 && (c | 32) <= 122) || c === 95;
}

/** True if the printed group may hold an event of this system; probes may be in any group. */
function groupFits(bytes: Uint8Array, start: number, end: number, system: string): boolean {
  if (system === "kprobes") return true;
  if (end - start !== system.length) return false;
  for (let i = 0; i < system.length; i++) if (bytes[start + i] !== system.charCodeAt(i)) return false;
  return true;
}
