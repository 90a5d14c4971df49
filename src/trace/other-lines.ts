// Lines that are no events of a known form: marks, comments, stacks, perf's own records, events without a name. They are
// counted or reported; none is passed over in silence.
import type { TraceClock } from "./clock.js";
import type { Counts } from "./counts.js";
import { complaintOf, type Mark, recogniseMark } from "./marks.js";
import type { Prefix } from "./prefix.js";

const NEWLINE = 10;
const MAX_MARK = 1024;
const decoder = new TextDecoder();
/** Tracers whose lines have a prefix but no name of an event behind it, beside `function`. */
const NAMED_TRACERS = new Set(["", "nop", "function", "function_graph"]);

/** Reads what {@link LineParser} does not: each method returns the index behind the line. */
export class OtherLines {
  readonly #counts: Counts;
  readonly #clock: TraceClock;
  #header: "none" | "trace" | "trace-cmd" = "none";
  #tracer = "";
  /** Number of the line that was last one of a stack, or that ended with an address. */
  #stackLine = -1;

  constructor(counts: Counts, clock: TraceClock) {
    this.#counts = counts;
    this.#clock = clock;
  }

  /** Which writer's header came, if any. */
  get header(): "none" | "trace" | "trace-cmd" {
    return this.#header;
  }

  /** A line without a prefix; `expected` says what was missing. */
  unprefixed(bytes: Uint8Array, start: number, expected: string): number {
    const counts = this.#counts;
    const end = bytes.indexOf(NEWLINE, start);
    const text = end - start > MAX_MARK ? undefined : decoder.decode(bytes.subarray(start, end)).replace(/\r$/, "");
    if (text !== undefined && text.trim() === "") {
      counts.blankLines++;
      return end + 1;
    }
    const before = { tracer: this.#tracer, stack: this.#stackLine === counts.line - 1 };
    const mark = text === undefined ? undefined : recogniseMark(text, before);
    if (mark) this.#mark(mark, bytes, start, end);
    else counts.damagedLine("bad-prefix", bytes, start, end, "no trace line", expected || "a comment");
    return end + 1;
  }

  /** No comment has a task, a CPU and a time: the first byte of this event is damaged. */
  hidden(bytes: Uint8Array, start: number): number {
    const end = bytes.indexOf(NEWLINE, start);
    const message = "an event that begins like a comment";
    this.#counts.damagedLine("bad-prefix", bytes, start, end, message, "a task name");
    return end + 1;
  }

  /**
   * A line with a prefix whose event has no "name:": stacks, the function tracer, perf's own records.
   * @param take accepts the event's prefix
   */
  unnamed(bytes: Uint8Array, start: number, prefix: Prefix, take: () => void): number {
    const counts = this.#counts;
    const end = bytes.indexOf(NEWLINE, start);
    const body = decoder.decode(bytes.subarray(prefix.body, end)).trimEnd();
    let name: string | undefined;
    if (body.startsWith("<stack trace") || body.startsWith("<user stack trace")) {
      counts.stackLines++;
      counts.stackEntries++;
      counts.recognised = true;
      this.#stackLine = counts.line;
      return end + 1;
    }
    // bpf_trace_printk() of older kernels writes an event with an empty name.
    if (body.startsWith(":")) name = "(no name)";
    else if (/ <-/.test(body)) name = "(function)";
    // tracefs writes the events of syscalls, and raw data written by processes, without a name of their own.
    else if (/^sys_\w+(?:\(| -> )/.test(body)) name = /^\w+/.exec(body)![0];
    else if (/^# [0-9a-f]+ buf:/.test(body)) name = "(raw data)";
    else if (!NAMED_TRACERS.has(this.#tracer)) name = `(${this.#tracer})`;
    if (name === undefined) {
      counts.damagedLine("bad-prefix", bytes, start, end, "an event without a name", "name: after the time");
      return end + 1;
    }
    take();
    counts.countUnknown(name);
    return end + 1;
  }

  /** A record of perf's own among the events (perf script --show-task-events and others): its time may be 0 or of another CPU. */
  sideBand(bytes: Uint8Array, start: number, prefix: Prefix): number {
    const end = bytes.indexOf(NEWLINE, start);
    const body = decoder.decode(bytes.subarray(prefix.body, end)).trimEnd();
    const lost = /^PERF_RECORD_LOST(?:_SAMPLES)? lost (\d{1,15})$/.exec(body);
    if (lost) this.#mark({ kind: "lost", cpu: prefix.cpu, events: Number(lost[1]) }, bytes, start, end);
    else this.#counts.sideBandLines++;
    return end + 1;
  }

  /** Counts a line of a stack that looks like an event: trace-cmd's kernel_stack. */
  stackEvent(): void {
    this.#counts.stackLines++;
    this.#counts.stackEntries++;
    this.#stackLine = this.#counts.line;
  }

  /** The line ends with an address: its place in the source may be the next line. */
  mayHavePlace(): void {
    this.#stackLine = this.#counts.line;
  }

  #mark(mark: Mark, bytes: Uint8Array, start: number, end: number): void {
    const counts = this.#counts;
    switch (mark.kind) {
      case "stack":
        counts.stackLines++;
        this.#stackLine = counts.line;
        break;
      case "side-band":
        counts.sideBandLines++;
        break;
      case "function-graph":
        counts.recognised = true;
        counts.events++;
        counts.countUnknown("(function graph)");
        break;
      case "header":
        this.#begin("trace", mark.tracer);
        break;
      case "kernel":
        this.#kernel(mark.version, bytes, start, end);
        break;
      case "trace-cmd":
        this.#begin("trace-cmd", "");
        counts.cpus = mark.cpus ?? counts.cpus;
        break;
      case "entries":
        counts.openHeaders--;
        counts.entriesInBuffer = (counts.entriesInBuffer ?? 0) + mark.inBuffer;
        counts.entriesWritten = (counts.entriesWritten ?? 0) + mark.written;
        counts.cpus = mark.cpus;
        break;
    }
    const complaint = complaintOf(mark);
    if (!complaint) return;
    const { kind, message, expected, lost } = complaint;
    if (lost === undefined) counts.lostUncounted += kind === "lost-events" ? 1 : 0;
    else counts.lostCounted += lost;
    if (kind === "wrong-file") counts.fatal(kind, bytes, start, end, message, expected);
    counts.report(kind, "damage", bytes, start, end, message, expected);
  }

  /** The first version holds; recordings of two kernels in one file are worth knowing of. */
  #kernel(version: string, bytes: Uint8Array, start: number, end: number): void {
    const counts = this.#counts;
    counts.kernel ??= version;
    if (counts.kernel === version) return;
    const message = `recorded on Linux ${version}, what is above it on ${counts.kernel}`;
    counts.report(
      "other-kernel",
      "note",
      bytes,
      start,
      end,
      message,
      "one kernel a trace: it is read as the first one's",
    );
  }

  /** A header, perhaps in the middle: several traces in one file; each has its own clock. */
  #begin(header: "trace" | "trace-cmd", tracer: string): void {
    const counts = this.#counts;
    counts.recognised = true;
    this.#header = header;
    this.#tracer = tracer;
    this.#clock.restart();
    if (header !== "trace") return;
    this.#closeSection();
    counts.openHeaders++;
    counts.entriesAtHeader = counts.entries;
  }

  /** Events below a header without a number of entries (option verbose) are no part of what other headers announce. */
  #closeSection(): void {
    const counts = this.#counts;
    const entries = counts.entries - counts.entriesAtHeader;
    if (counts.openHeaders === 0 || entries === 0) return;
    counts.openHeaders--;
    counts.uncountedEntries += entries;
  }

  /** The end of the input. */
  finish(): void {
    this.#closeSection();
  }
}
