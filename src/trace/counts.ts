// What a reader counts while it reads, and how it reports: the state behind a summary, shared by the parsers of lines.
import { type Diagnostic, type DiagnosticKind, type DiagnosticList, excerpt } from "./diagnostics.js";
import type { TraceFormat } from "./summary.js";

const NEWLINE = 10;
const MAX_NAMES = 1000;
/** Damaged lines that are kept, to tell at the end what the text may be if none of it could be read. */
const SAMPLES = 8;
const SAMPLE_BYTES = 400;
const decoder = new TextDecoder();

/** Counts, and findings with their place. */
export class Counts {
  line = 0;
  /** Offset in the text of what was handed over last, in bytes. */
  byteOffset = 0;
  /** Offset in the text of index 0 of the block at hand. */
  blockOffset = 0;
  events = 0;
  /** Lines that were read by a form that was learned, of {@link events}. */
  byForm = 0;
  blankLines = 0;
  stackLines = 0;
  /** Of {@link stackLines}, those that the kernel counts as entries of its buffer: "<stack trace>". */
  stackEntries = 0;
  sideBandLines = 0;
  damagedLines = 0;
  /** Counts of known events, by their number. */
  readonly known: Float64Array;
  readonly unknown = new Map<string, number>();
  readonly extraFields = new Map<string, number>();
  lostCounted = 0;
  lostUncounted = 0;
  entriesInBuffer: number | undefined;
  entriesWritten: number | undefined;
  /** Headers of tracefs `trace` ("# tracer: ...") minus their lines with the number of entries: 0 in a whole file. */
  openHeaders = 0;
  /** Entries before the latest header. */
  entriesAtHeader = 0;
  /** Entries of sections whose header has no number of entries: option verbose leaves it out. */
  uncountedEntries = 0;
  cpus: number | undefined;
  /** Version of the traced kernel, from the first line that tells it. */
  kernel: string | undefined;
  format: TraceFormat = "unknown";
  /** True once a header or an event was seen. */
  recognised = false;
  /** Beginnings of the first damaged lines. */
  readonly samples: string[] = [];

  readonly #diagnostics: DiagnosticList;

  constructor(types: number, diagnostics: DiagnosticList) {
    this.known = new Float64Array(types);
    this.#diagnostics = diagnostics;
  }

  /** What the kernel counts as entries: events, and the stack traces between them. */
  get entries(): number {
    return this.events + this.stackEntries;
  }

  /** Counts an event that the reader does not know. */
  countUnknown(name: string): void {
    bump(this.unknown, this.unknown.has(name) || this.unknown.size < MAX_NAMES ? name : "(others)");
  }

  /** Counts a field that the event's definition does not have. */
  countExtra(name: string): void {
    bump(this.extraFields, name);
  }

  /** A line that could not be read. `end`: index of its newline. */
  damagedLine(
    kind: DiagnosticKind,
    bytes: Uint8Array,
    start: number,
    end: number,
    message: string,
    expected: string,
  ): void {
    this.damagedLines++;
    if (this.samples.length < SAMPLES) {
      this.samples.push(decoder.decode(bytes.subarray(start, Math.min(end, start + SAMPLE_BYTES))));
    }
    this.report(kind, "damage", bytes, start, end, message, expected);
  }

  /** A finding about the line at `start`; `end`: index of its newline, or -1 if that is to be looked for. */
  report(
    kind: DiagnosticKind,
    severity: Diagnostic["severity"],
    bytes: Uint8Array,
    start: number,
    end: number,
    message: string,
    expected: string,
  ): void {
    this.#diagnostics.add(this.#finding(kind, severity, bytes, start, end, message, expected));
  }

  /** As {@link report}, for what no mode can read around. */
  fatal(kind: DiagnosticKind, bytes: Uint8Array, start: number, end: number, message: string, expected: string): never {
    return this.#diagnostics.fatal(this.#finding(kind, "damage", bytes, start, end, message, expected));
  }

  #finding(
    kind: DiagnosticKind,
    severity: Diagnostic["severity"],
    bytes: Uint8Array,
    start: number,
    end: number,
    message: string,
    expected: string,
  ): Diagnostic {
    const stop = end < 0 ? bytes.indexOf(NEWLINE, start) : end;
    const byteOffset = this.blockOffset + start;
    return { kind, severity, line: this.line, byteOffset, text: excerpt(bytes, start, stop), message, expected };
  }
}

function bump(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
