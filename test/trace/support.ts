// What the trace tests share: fixtures, whole traces as plain objects, chunking.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseTrace, type TraceOptions, type TraceSource, type TraceSummary } from "../../src/trace/index.js";

/** Bytes of a fixture excerpt. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(fileURLToPath(new URL(`../fixtures/traces/${name}`, import.meta.url))));
}

/** One event as a plain object. */
export interface PlainEvent {
  name: string;
  time: number;
  cpu: number;
  pid: number;
  line: number;
  fields: Record<string, bigint | string | undefined>;
}

/** Reads everything. */
export async function readAll(
  source: TraceSource,
  options: TraceOptions = {},
): Promise<{ events: PlainEvent[]; summary: TraceSummary }> {
  const reader = parseTrace(source, options);
  const events: PlainEvent[] = [];
  for await (const batch of reader) {
    for (let i = 0; i < batch.count; i++) {
      events.push({
        name: batch.type(i).name,
        time: batch.time[i]!,
        cpu: batch.cpu[i]!,
        pid: batch.pid[i]!,
        line: batch.line[i]!,
        fields: batch.fields(i),
      });
    }
  }
  return { events, summary: reader.summary };
}

/** A text as bytes; characters above 255 are not allowed, so that any byte can be written as \xNN. */
export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** An event line as tracefs writes it. */
export function line(
  event: string,
  { task = "init", pid = 1, cpu = 1, flags = ".....", time = "24.029708" } = {},
): string {
  const place = `${task.padStart(16)}-${String(pid).padEnd(7)} [${String(cpu).padStart(3, "0")}]`;
  return `${place} ${flags} ${time.padStart(12)}: ${event}\n`;
}

/** Cuts bytes into chunks of the given sizes, over and over. */
export function* chunked(data: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < data.length; i++) {
    const size = sizes[i % sizes.length]!;
    // A copy, as a source may reuse its buffer.
    yield data.slice(at, at + size);
    at += size;
  }
}

/** A summary without what depends on how the input came. */
export function comparable(summary: TraceSummary): unknown {
  return { ...summary, diagnostics: summary.diagnostics.map((d) => ({ ...d })) };
}
