// The reader: bytes, perhaps gzip, to batches of events and a summary. Memory does not grow with the trace. What a line
// may look like is in prefix.ts, fields.ts and marks.ts; this file joins the stages and checks what only shows at the end.

import { checkOneOf } from "../base/errors.js";
import { checkFields } from "../base/known-fields.js";
import { Turns } from "../base/progress.js";
import type { GzipDamage } from "../formats/gzip.js";
import { EventBatch } from "./batch.js";
import type { Counts } from "./counts.js";
import { DiagnosticList, excerpt, TraceFormatError } from "./diagnostics.js";
import { type EventTable, eventTable } from "./event-table.js";
import { likelyForm } from "./forms.js";
import { Gunzip, isGzip } from "./gzip.js";
import { LineParser } from "./line-parser.js";
import { LineSplitter } from "./lines.js";
import { chunksOf, MAGIC_BYTES, sizeOf, type TraceSource, wrongFile } from "./source.js";
import { StringTable } from "./strings.js";
import type { TraceSummary } from "./summary.js";
import { TRACE_FIELDS, type TraceOptions } from "./trace-options.js";

const TEXTS = "text of tracefs trace or trace_pipe, trace-cmd report or perf script";
/** Bytes of text that are read at once, between two looks at the clock. */
const PIECE = 1 << 18;
/** Lines that are read before forms are learned: for fewer it does not pay. */
const LEARN_AFTER = 64;
/** Bytes of text between two words of progress. */
const PROGRESS_BYTES = 1 << 22;

/** Iterates a trace once, batch by batch. {@link summary} may be read at any time. */
export class TraceReader implements AsyncIterable<EventBatch> {
  readonly #source: TraceSource;
  readonly #options: TraceOptions;
  readonly #table: EventTable;
  readonly #strings = new StringTable();
  readonly #diagnostics: DiagnosticList;
  readonly #parser: LineParser;
  readonly #splitter: LineSplitter;
  #started = false;
  #complete = false;
  #sourceBytes = 0;

  /** @throws RangeError if an option is out of its range or unknown, or an event definition is wrong */
  constructor(source: TraceSource, options: TraceOptions = {}) {
    checkFields(options, TRACE_FIELDS);
    if (options.mode !== undefined) checkOneOf("mode", options.mode, ["lenient", "strict"]);
    this.#source = source;
    this.#options = options;
    this.#table = eventTable(options.events);
    const maxDiagnostics = inRange(options.maxDiagnostics ?? 100, "maxDiagnostics", 0, 1e6);
    this.#diagnostics = new DiagnosticList(maxDiagnostics, options.mode === "strict", options.name);
    const gap = inRange(options.maxGapSeconds ?? 3600, "maxGapSeconds", 0, Number.POSITIVE_INFINITY);
    this.#parser = new LineParser({
      table: this.#table,
      strings: this.#strings,
      batch: new EventBatch(this.#table, this.#strings),
      diagnostics: this.#diagnostics,
      maxGap: gap * 1e9,
      learnAfter: options.learnAfter ?? LEARN_AFTER,
    });
    const maxLine = inRange(options.maxLineLength ?? 16384, "maxLineLength", 1024, 1 << 24);
    const parser = this.#parser;
    this.#splitter = new LineSplitter(
      {
        lines: (bytes, start, end) => this.#lines(bytes, start, end),
        tooLong: (head, length) => {
          parser.reject("line-too-long", head, `a line of more than ${maxLine} bytes`, "a newline before");
          parser.counts.byteOffset += length;
        },
        skipped: (length) => {
          parser.counts.byteOffset += length;
        },
        torn: (line) => {
          const expected = "a newline at its end; the line is not used";
          parser.reject("torn-line", line, "the last line is not whole (cut file?)", expected);
          parser.counts.byteOffset += line.length;
        },
      },
      maxLine,
    );
  }

  /** Events the reader knows, by number. */
  get table(): EventTable {
    return this.#table;
  }

  /** Texts that batches refer to by number. */
  get strings(): StringTable {
    return this.#strings;
  }

  /** Lines that were read by a form that was learned. @internal */
  get linesByForm(): number {
    return this.#parser.counts.byForm;
  }

  /** What was found so far: a snapshot. */
  get summary(): TraceSummary {
    const { counts: c, clock, faultValues } = this.#parser;
    const d = this.#diagnostics;
    const counts = new Map<string, number>();
    for (const type of this.#table.types) if (c.known[type.id]! > 0) counts.set(type.name, c.known[type.id]!);
    return {
      format: c.format,
      complete: this.#complete,
      damaged: d.damaged,
      lines: c.line,
      bytes: c.byteOffset,
      events: c.events,
      counts,
      unknown: new Map(c.unknown),
      extraFields: new Map(c.extraFields),
      faultValues,
      stackLines: c.stackLines,
      sideBandLines: c.sideBandLines,
      blankLines: c.blankLines,
      damagedLines: c.damagedLines,
      diagnostics: [...d.list],
      diagnosticsDropped: d.dropped,
      diagnosticCounts: new Map(d.counts),
      lost: { counted: c.lostCounted, uncounted: c.lostUncounted },
      entriesInBuffer: c.entriesInBuffer,
      entriesWritten: c.entriesWritten,
      cpus: c.cpus,
      kernel: c.kernel,
      firstTime: clock.first,
      lastTime: clock.last,
      originSeconds: clock.origin,
      timeUnit: clock.ticks ? "ticks" : "ns",
    };
  }

  /**
   * The batches. Can be asked for once.
   * @throws TraceFormatError in strict mode at the first damage, and for files that are no trace text
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<EventBatch, void, undefined> {
    if (this.#started) throw new Error("a TraceReader can be iterated once: make another for another pass");
    this.#started = true;
    try {
      const turns = new Turns(this.#options.signal);
      let progressAt = 0;
      for await (const text of this.#text()) {
        // In pieces, so that neither a large chunk nor a slow one keeps a signal waiting.
        for (let at = 0; at < text.length; at += PIECE) {
          for (const batch of this.#splitter.push(text.subarray(at, at + PIECE))) yield batch as EventBatch;
          const { counts } = this.#parser;
          if (counts.byteOffset >= progressAt) {
            progressAt = counts.byteOffset + PROGRESS_BYTES;
            this.#tell();
          }
          // Memory blocks come without a turn of the event loop: without one, nobody could abort or draw.
          if (turns.afterBytes(Math.min(PIECE, text.length - at))) await turns.give();
        }
        if (this.#parser.batch.count > 0) {
          yield this.#parser.batch;
          this.#reset();
        }
      }
      this.#splitter.finish();
      this.#finish();
      this.#complete = true;
      this.#tell();
    } catch (error) {
      // In strict mode the events before the damage are handed over first: they are whole.
      if (error instanceof TraceFormatError && this.#parser.batch.count > 0) {
        yield this.#parser.batch;
        this.#reset();
      }
      throw error;
    }
  }

  #tell(): void {
    this.#options.onProgress?.({ done: this.#sourceBytes, total: sizeOf(this.#source), unit: "bytes" });
  }

  *#lines(bytes: Uint8Array, start: number, end: number): Generator<EventBatch, void, undefined> {
    for (let pos = start; pos < end; ) {
      pos = this.#parser.parse(bytes, pos, end);
      if (pos < end) {
        yield this.#parser.batch;
        this.#reset();
      }
    }
  }

  #reset(): void {
    this.#parser.batch.count = 0;
    this.#parser.batch.offset[0] = 0;
  }

  /** The text in pieces: decompressed if it begins like gzip. */
  async *#text(): AsyncGenerator<Uint8Array, void, undefined> {
    let head: Uint8Array | undefined = new Uint8Array(0);
    let gunzip: Gunzip | undefined;
    for await (const chunk of chunksOf(this.#source, this.#options.signal)) {
      this.#sourceBytes += chunk.length;
      let next = chunk;
      if (head) {
        next = join(head, chunk);
        head = next;
        if (head.length < MAGIC_BYTES) continue;
        gunzip = this.#begin(head);
        head = undefined;
      }
      if (!gunzip) yield next;
      else yield* this.#unpack(gunzip, next, false);
      if (gunzip?.damage) break;
    }
    if (head) {
      gunzip = this.#begin(head);
      if (!gunzip) yield head;
      else yield* this.#unpack(gunzip, head, false);
    }
    if (gunzip) yield* this.#unpack(gunzip, new Uint8Array(0), true);
    if (gunzip?.damage) this.#compressed("damage", gunzip.damage, "a whole gzip file");
    if (gunzip?.garbage) this.#compressed("note", gunzip.garbage, "the end of the file; nothing before it is lost");
  }

  #begin(head: Uint8Array): Gunzip | undefined {
    this.#refuse(head);
    return isGzip(head) ? new Gunzip() : undefined;
  }

  #refuse(head: Uint8Array): void {
    const wrong = wrongFile(head);
    if (!wrong) return;
    const text = excerpt(head, 0, Math.min(head.length, 16));
    const message = `this is ${wrong.what}, not trace text`;
    const { expected } = wrong;
    this.#diagnostics.fatal({
      kind: "wrong-file",
      severity: "damage",
      line: 0,
      byteOffset: 0,
      text,
      message,
      expected,
    });
  }

  *#unpack(gunzip: Gunzip, chunk: Uint8Array, last: boolean): Generator<Uint8Array, void, undefined> {
    for (const piece of gunzip.decode(chunk, last)) {
      if (this.#parser.counts.byteOffset === 0 && piece.length >= MAGIC_BYTES) this.#refuse(piece);
      yield piece;
    }
  }

  /** Reported after the lines before it, with the offset in the compressed file. */
  #compressed(severity: "damage" | "note", { message, offset: byteOffset }: GzipDamage, expected: string): void {
    const { line } = this.#parser.counts;
    this.#diagnostics.add({ kind: "compressed", severity, line, byteOffset, text: "", message, expected });
  }

  /** Checks that only the end of the input allows. */
  #finish(): void {
    this.#parser.finish();
    const c = this.#parser.counts;
    const whole = { severity: "damage", line: 0, byteOffset: c.byteOffset, text: "" } as const;
    const none = nothingRead(c, this.#table);
    if (none) this.#diagnostics.lead({ ...whole, kind: "no-events", ...none });
    if (c.openHeaders > 0) {
      const expected = "a line like # entries-in-buffer/entries-written: 12/12   #P:2 below # tracer: nop";
      this.#diagnostics.add({
        ...whole,
        kind: "entry-count",
        message: "the header has no number of entries",
        expected,
      });
    }
    const entries = c.entries - c.uncountedEntries;
    if (c.entriesInBuffer !== undefined && c.entriesInBuffer !== entries) {
      const message = `the header announces ${c.entriesInBuffer} events, the file has ${entries}`;
      const expected = "as many (a cut file, damaged lines, or a trace read while it was being recorded)";
      this.#diagnostics.add({ ...whole, kind: "entry-count", message, expected });
    } else if (c.uncountedEntries > 0) {
      const message = `${c.uncountedEntries} events below a header without the number of entries (option verbose)`;
      const expected = "the number: without it a cut at the end of a line does not show";
      this.#diagnostics.add({ ...whole, severity: "note", kind: "entry-count", message, expected });
    }
    if (this.#strings.refused > 0) {
      const message = `${this.#strings.refused} symbols or names beyond the first ${this.#strings.size - 1} were not kept`;
      this.#diagnostics.add({ ...whole, kind: "too-many-texts", message, expected: "fewer different ones" });
    }
  }
}

/** What to say if no event could be read; undefined if one was, or if the trace itself says that it has none. */
function nothingRead(c: Counts, table: EventTable): { message: string; expected: string } | undefined {
  if (c.byteOffset === 0) return { message: "the input is empty", expected: TEXTS };
  if (c.events > 0 && !(c.damagedLines > 0 && c.known.every((count) => count === 0))) return undefined;
  if (c.damagedLines === 0 && c.recognised) return undefined;
  const form = likelyForm(c.samples, (name) => table.byName(name) !== undefined);
  const message = "no line of the input is a trace event";
  return form
    ? { message: `${message}; it looks like ${form.what}`, expected: form.expected }
    : { message, expected: TEXTS };
}

function inRange(value: number, name: string, low: number, high: number): number {
  if (!(value >= low && value <= high)) throw new RangeError(`${name}: ${value}, expected ${low} to ${high}`);
  return value;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
