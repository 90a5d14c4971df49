// The doors of the reader: a trace batch by batch, or its summary alone.

import { TraceReader } from "./reader.js";
import type { TraceSource } from "./source.js";
import type { TraceSummary } from "./summary.js";
import type { TraceOptions } from "./trace-options.js";

/**
 * Reads trace text: tracefs `trace` and `trace_pipe`, `trace-cmd report`, `perf script`, plain or gzip.
 * @throws RangeError if an option is out of its range or unknown, or an event definition is wrong
 * @example
 * ```ts
 * import { parseTrace } from "stalewalk/trace";
 * import { openTrace } from "stalewalk/trace/node";
 *
 * const reader = parseTrace(openTrace("kernel.trace.txt"));
 * const counts: Record<string, number> = {};
 * for await (const batch of reader)
 *   for (let i = 0; i < batch.count; i++) {
 *     const { name } = batch.type(i);
 *     counts[name] = (counts[name] ?? 0) + 1; // batch.fields(i) has the rest
 *   }
 * console.log(Object.keys(counts).length, reader.summary.damaged); // 17 false
 * ```
 */
export function parseTrace(source: TraceSource, options: TraceOptions = {}): TraceReader {
  return new TraceReader(source, options);
}

/**
 * Reads a trace to its end for its summary only.
 * @throws TraceFormatError as {@link parseTrace} does
 * @example
 * ```ts
 * import { summarizeTrace } from "stalewalk/trace";
 * import { openTrace } from "stalewalk/trace/node";
 *
 * const { events, format, damaged } = await summarizeTrace(openTrace("kernel.trace.txt"));
 * console.log(events, format, damaged); // 31 trace false
 * ```
 */
export async function summarizeTrace(source: TraceSource, options: TraceOptions = {}): Promise<TraceSummary> {
  const reader = new TraceReader(source, options);
  for await (const _ of reader);
  return reader.summary;
}
