// Lines that are no events: the header of tracefs `trace`, the first lines of `trace-cmd report`, marks for lost events,
// stack traces, the function-graph tracer. Recognised on the decoded line, as they are rare.
import type { DiagnosticKind } from "./diagnostics.js";

/** What a line that is no event says. */
export type Mark =
  | { readonly kind: "header"; readonly tracer: string }
  | { readonly kind: "entries"; readonly inBuffer: number; readonly written: number; readonly cpus: number }
  | { readonly kind: "latency" }
  | { readonly kind: "comment" }
  /** The version of the kernel that was traced, as `uname -r` prints it: the recorder's line, or perf's. */
  | { readonly kind: "kernel"; readonly version: string }
  | { readonly kind: "lost"; readonly cpu: number; readonly events: number | undefined }
  | { readonly kind: "started"; readonly cpu: number }
  | { readonly kind: "trace-cmd"; readonly cpus: number | undefined }
  | { readonly kind: "stack" }
  /** Further lines of one of perf's own records. */
  | { readonly kind: "side-band" }
  | { readonly kind: "function-graph" }
  /** The function-graph tracer marks a switch of tasks, with rules above and below. */
  | { readonly kind: "graph-switch" };

type Pattern = readonly [RegExp, (m: RegExpExecArray) => Mark];

const COMMENTS: readonly Pattern[] = [
  [/^# tracer: (\S+)$/, (m) => ({ kind: "header", tracer: m[1]! })],
  [
    /^# entries-in-buffer\/entries-written: (\d{1,15})\/(\d{1,15}) +#P:(\d{1,6})$/,
    (m) => ({ kind: "entries", inBuffer: Number(m[1]), written: Number(m[2]), cpus: Number(m[3]) }),
  ],
  [/^# \S+ latency trace v/, () => ({ kind: "latency" })],
  // record-help's script; perf script --header
  [/^# (?:stalewalk: kernel|os release :) ([\w.+~-]{1,80})(?: |$)/, (m) => ({ kind: "kernel", version: m[1]! })],
  [/^##### CPU (\d{1,6}) buffer started ####$/, (m) => ({ kind: "started", cpu: Number(m[1]) })],
];

const LINES: readonly Pattern[] = [
  // kernel/trace/trace.c print_trace_line(), trace-cmd's show_data()
  [/^CPU:(\d{1,6}) \[LOST (?:(\d{1,15}) )?EVENTS\]$/, lost],
  [/^CPU:(\d{1,6}) \[(?:(\d{1,15}) )?EVENTS DROPPED\]$/, lost],
  [/^CPU:\d{1,6} \[SUBBUFFER START\]$/, () => ({ kind: "comment" })],
  [/^version = \d+$/, () => ({ kind: "trace-cmd", cpus: undefined })],
  [/^cpus ?= ?(\d{1,6})$/, (m) => ({ kind: "trace-cmd", cpus: Number(m[1]) })],
  [/^trace\.dat: *$|^CPU \d+ is empty$/, () => ({ kind: "trace-cmd", cpus: undefined })],
  // options stacktrace and userstacktrace of tracefs, kernel_stack of trace-cmd: " => vfree", " =>  <00007f14a07eead7>"
  [/^ ?=> *\S.*$/, () => ({ kind: "stack" })],
  // call chains of perf script, with or without symbols; before a "[cpu]" or a time stands a pid or name, not an address
  [/^\s+[0-9a-f]{1,16} (?!.*(?:\[\d+\] |\d\.\d+: ))\S.*$/, () => ({ kind: "stack" })],
  [/^(?=[\s0-9a-f]{16})\s+[0-9a-f]{1,16}\s*$/, () => ({ kind: "stack" })],
  // kernel/trace/trace_functions_graph.c, with any of its options
  [/^ *(?:\d+\.\d+ +\| +)?\d+\) .*\|(?: |$)/, () => ({ kind: "function-graph" })],
  [/^ *(?:\d+\.\d+ +\| +)?\d+\) .* => .*$/, () => ({ kind: "graph-switch" })],
  [/^ ?-{20,}$/, () => ({ kind: "graph-switch" })],
  // PERF_RECORD_NAMESPACES and PERF_RECORD_TEXT_POKE take several lines.
  [/^\t\t[[ ]\d+\/\w+: \d+\/0x/, () => ({ kind: "side-band" })],
  [/^\s+(?:old|new) bytes:/, () => ({ kind: "side-band" })],
];

/** Function-graph lines without the column of CPUs say less: they count only below a header of that tracer. */
const BARE_GRAPH = /^[ !+#*@$]*(?:\d+(?:\.\d+)? us)? +(?:=+> )?\|(?: |$)/;
/** perf script -F srcline: the place follows its line of the call chain, or its event; tools/perf/util/srcline.c has its forms. */
const SOURCE_PLACE = /^\s+(?!.*(?:\[\d+\] |\d\.\d+: ))(?:\S.*:\d+|\S*\+\d+|\S.*\[[0-9a-f]+\])$/;

function lost(m: RegExpExecArray): Mark {
  return { kind: "lost", cpu: Number(m[1]), events: m[2] === undefined ? undefined : Number(m[2]) };
}

/** What came before a line, as far as it matters to what the line is. */
export interface Before {
  /** Name of the tracer in the latest header; "" without one. */
  readonly tracer: string;
  /** Whether the line before was one of a stack, or ended with an address. */
  readonly stack: boolean;
}

/** What the line says, without its newline; undefined if it is none of the known ones. */
export function recogniseMark(line: string, before: Before): Mark | undefined {
  const comment = line.startsWith("#");
  for (const [pattern, make] of comment ? COMMENTS : LINES) {
    const match = pattern.exec(line);
    if (match) return make(match);
  }
  if (comment) return { kind: "comment" };
  if (before.tracer === "function_graph" && BARE_GRAPH.test(line)) return { kind: "function-graph" };
  return before.stack && SOURCE_PLACE.test(line) ? { kind: "stack" } : undefined;
}

/** What a mark says about the trace's wholeness. */
export interface Complaint {
  readonly kind: DiagnosticKind;
  readonly message: string;
  readonly expected: string;
  /** Number of events lost, if it is said. */
  readonly lost?: number;
}

/** What is wrong with a trace that has this mark; undefined if nothing is. */
export function complaintOf(mark: Mark): Complaint | undefined {
  switch (mark.kind) {
    case "entries": {
      const { inBuffer, written } = mark;
      if (written > inBuffer) {
        const lost = written - inBuffer;
        return { kind: "lost-events", message: `${lost} events were overwritten`, expected: "a larger buffer", lost };
      }
      if (written === inBuffer) return undefined;
      const message = `${inBuffer} entries in the buffer, but only ${written} written`;
      return { kind: "entry-count", message, expected: "no more than were written", lost: 0 };
    }
    case "latency":
      return {
        kind: "wrong-file",
        message: "a latency-format trace",
        expected: "a trace with option nolatency-format",
      };
    case "lost": {
      const { cpu, events } = mark;
      const message = `${events ?? "an unknown number of"} events of CPU ${cpu} lost`;
      return { kind: "lost-events", message, expected: "none lost", ...(events === undefined ? {} : { lost: events }) };
    }
    case "started": {
      const message = `the buffer of CPU ${mark.cpu} was overwritten before this line`;
      return { kind: "lost-events", message, expected: "a larger buffer" };
    }
    default:
      return undefined;
  }
}
