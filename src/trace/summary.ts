// What is known of a trace after (or while) reading it.
import type { Diagnostic, DiagnosticKind } from "./diagnostics.js";

/** Which program wrote the text: decided by the header and the first event. */
export type TraceFormat = "trace" | "trace_pipe" | "trace-cmd" | "perf" | "unknown";

/** Loss that the tracer itself reports. */
export interface LostEvents {
  /** Events whose number is known: marks in the text, and overwritten ones by the header. */
  readonly counted: number;
  /** Marks that do not say how many. */
  readonly uncounted: number;
}

/** Figures about a trace. While reading they grow; {@link complete} says that the input was read to its end. */
export interface TraceSummary {
  /** Form of the text. */
  readonly format: TraceFormat;
  /** True when the input was read to its end. */
  readonly complete: boolean;
  /** True if anything is missing or not trustworthy: no figure from this input may be shown without saying so. */
  readonly damaged: boolean;
  /** Lines, comments and blank lines included. */
  readonly lines: number;
  /** Bytes of text, after decompression. */
  readonly bytes: number;
  /** Events read, known and unknown. */
  readonly events: number;
  /** Events per name, those known to the reader. */
  readonly counts: ReadonlyMap<string, number>;
  /** Events per name, those unknown; `group:name` if the writer gives the group. At most 1000 names, then `(others)`. */
  readonly unknown: ReadonlyMap<string, number>;
  /** Fields of known events that the definition does not have, as `event.field`, and how often they came. */
  readonly extraFields: ReadonlyMap<string, number>;
  /** Values printed as `(fault)`: the probe could not read the memory. */
  readonly faultValues: number;
  /** Lines of stack traces and call chains, which are skipped; their headings (`<stack trace>`) are no events. */
  readonly stackLines: number;
  /** Lines of perf's own records (PERF_RECORD_FORK and others), which are skipped: they are no events and may have no time. */
  readonly sideBandLines: number;
  /** Empty lines, which are skipped. */
  readonly blankLines: number;
  /** Lines that could not be read and were skipped. */
  readonly damagedLines: number;
  /** The first findings; see {@link diagnosticsDropped}. */
  readonly diagnostics: readonly Diagnostic[];
  /** Findings beyond those listed. */
  readonly diagnosticsDropped: number;
  /** All findings by kind. */
  readonly diagnosticCounts: ReadonlyMap<DiagnosticKind, number>;
  /** Events that the tracer says it lost. */
  readonly lost: LostEvents;
  /** `entries-in-buffer` of the header, the sum if several traces follow each other; undefined without a header. */
  readonly entriesInBuffer: number | undefined;
  /** `entries-written` of the header. */
  readonly entriesWritten: number | undefined;
  /** Number of CPUs the header names (`#P:2`, `cpus=2`). */
  readonly cpus: number | undefined;
  /** Version of the kernel that was traced, as `uname -r` prints it, if the recording tells; see `record-help`. */
  readonly kernel: string | undefined;
  /** First and last time, nanoseconds from {@link originSeconds} on; undefined without events. */
  readonly firstTime: number | undefined;
  /** Time of the last event, nanoseconds from {@link originSeconds} on. */
  readonly lastTime: number | undefined;
  /** Seconds (10^9 ticks if the clock counts) to add to the times; see `EventBatch.originSeconds`. */
  readonly originSeconds: number;
  /** `ticks` if the trace clock counts something else than time (`counter`, `x86-tsc`). */
  readonly timeUnit: "ns" | "ticks";
}
