// What is wrong with a trace, said with line and offset. The list is bounded, the counts are not.

import { StalewalkError } from "../base/errors.js";

/**
 * Kinds of findings.
 * - `torn-line`: the last line has no newline, so it may be cut
 * - `bad-prefix`: a line that is no event, comment or known mark
 * - `bad-fields`: a known event whose fields are not as its definition says
 * - `line-too-long`: no newline within the allowed line length
 * - `lost-events`: the tracer itself says that events were lost or overwritten
 * - `clock-back`, `clock-jump`: time runs backwards, or forward by more than the allowed gap
 * - `entry-count`: the header announces another number of events than the file has
 * - `not-utf8`: bytes that are not UTF-8 (a note in a task name; damage elsewhere)
 * - `compressed`: damage in the gzip container, or (a note) bytes behind its end
 * - `other-kernel`: recordings of two kernels follow each other
 * - `no-events`: nothing in the input looks like a trace
 * - `too-many-texts`: more different symbols and names than are kept; the further ones read as the empty text
 * - `wrong-file`: a known binary format; the message says how to convert it
 */
export type DiagnosticKind =
  | "torn-line"
  | "bad-prefix"
  | "bad-fields"
  | "line-too-long"
  | "lost-events"
  | "clock-back"
  | "clock-jump"
  | "entry-count"
  | "not-utf8"
  | "compressed"
  | "other-kernel"
  | "no-events"
  | "too-many-texts"
  | "wrong-file";

/** One finding. */
export interface Diagnostic {
  /** What kind of finding it is. */
  readonly kind: DiagnosticKind;
  /** `damage`: the input is not whole, numbers from it are incomplete. `note`: worth knowing, nothing is missing. */
  readonly severity: "damage" | "note";
  /** Line number, from 1; 0 if it concerns the input as a whole. */
  readonly line: number;
  /** Offset of the line's first byte in the (decompressed) text; for `compressed`, of the byte in the gzip file. */
  readonly byteOffset: number;
  /** The line or its beginning, at most 160 characters, control characters escaped. */
  readonly text: string;
  /** What is wrong. */
  readonly message: string;
  /** What was expected there. */
  readonly expected: string;
}

/** Thrown at the first damage in strict mode, and in every mode for files that are no trace text at all. */
export class TraceFormatError extends StalewalkError {
  /** For telling errors apart without `instanceof`. */
  override readonly name = "TraceFormatError";
  /** The finding that led to the error. */
  readonly diagnostic: Diagnostic;
  /** Line number, from 1; 0 if it concerns the input as a whole. */
  readonly line: number;
  /** Offset in bytes, see {@link Diagnostic.byteOffset}. */
  readonly byteOffset: number;
  /** Beginning of the line. */
  readonly text: string;
  /** What was expected there. */
  readonly expected: string;

  constructor(diagnostic: Diagnostic, name: string | undefined) {
    super("trace-format", formatDiagnostic(diagnostic, name));
    this.diagnostic = diagnostic;
    this.line = diagnostic.line;
    this.byteOffset = diagnostic.byteOffset;
    this.text = diagnostic.text;
    this.expected = diagnostic.expected;
  }
}

/** One finding as one line of text, e.g. `trace.txt:17: (byte 2041) ...`. */
export function formatDiagnostic(d: Diagnostic, name = "trace"): string {
  const place = d.line > 0 ? `${name}:${d.line}: (byte ${d.byteOffset})` : `${name}: (byte ${d.byteOffset})`;
  const text = d.text === "" ? "" : `: ${JSON.stringify(d.text)}`;
  const expected = d.expected === "" ? "" : `; expected ${d.expected}`;
  return `${place} ${d.message}${expected}${text}`;
}

const decoder = new TextDecoder();

/** Beginning of the line `bytes[start, end)` for a message: control characters escaped, at most 160 characters. */
export function excerpt(bytes: Uint8Array, start: number, end: number): string {
  const text = decoder.decode(bytes.subarray(start, Math.min(end, start + 200)));
  const shown = text.replace(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return shown.length > 160 ? `${shown.slice(0, 159)}…` : shown;
}

/** Collects findings: keeps the first `limit`, counts all, throws at damage if `strict`. */
export class DiagnosticList {
  /** The first findings, in the order met. */
  readonly list: Diagnostic[] = [];
  /** How many findings were not kept. */
  dropped = 0;
  /** Findings per kind, those not kept included. */
  readonly counts = new Map<DiagnosticKind, number>();
  /** True once any finding was damage. */
  damaged = false;

  readonly #limit: number;
  readonly #strict: boolean;
  readonly #name: string | undefined;

  constructor(limit: number, strict: boolean, name: string | undefined) {
    this.#limit = limit;
    this.#strict = strict;
    this.#name = name;
  }

  /** @throws TraceFormatError in strict mode, if the finding is damage */
  add(diagnostic: Diagnostic): void {
    this.counts.set(diagnostic.kind, (this.counts.get(diagnostic.kind) ?? 0) + 1);
    if (this.list.length < this.#limit) this.list.push(diagnostic);
    else this.dropped++;
    if (diagnostic.severity === "damage") {
      this.damaged = true;
      if (this.#strict) throw new TraceFormatError(diagnostic, this.#name);
    }
  }

  /** As {@link add}, for what says more than all findings before it: it comes first in the list. */
  lead(diagnostic: Diagnostic): void {
    if (this.list.length >= this.#limit && this.list.pop() !== undefined) this.dropped++;
    this.add(diagnostic);
    if (this.list.at(-1) === diagnostic) this.list.unshift(...this.list.splice(-1));
  }

  /** Reports something that no mode can read around. */
  fatal(diagnostic: Diagnostic): never {
    this.damaged = true;
    this.list.push(diagnostic);
    throw new TraceFormatError(diagnostic, this.#name);
  }
}
