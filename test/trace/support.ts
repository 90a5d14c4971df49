// What the trace tests share: fixtures, whole traces as plain objects, chunking.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import {
  type EventBatch,
  parseTrace,
  type TraceOptions,
  type TraceSource,
  type TraceSummary,
} from "../../src/trace/index.js";

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

/** What a batch holds, as bytes; texts by their numbers, which are the same for the same lines in the same order. */
function contents(batch: EventBatch): Buffer {
  const { count, event, time, cpu, pid, line, present, offset, words } = batch;
  const columns = [event, time, cpu, pid, line, present].map((column) => column.subarray(0, count));
  const all = [...columns, offset.subarray(0, count + 1), words.subarray(0, offset[count])];
  const views = all.map((it) => new Uint8Array(it.buffer, it.byteOffset, it.byteLength));
  return Buffer.concat([new Uint8Array(Float64Array.of(batch.originSeconds).buffer), ...views]);
}

/** An iteration's next batch, or what it threw. */
async function step(batches: AsyncIterator<EventBatch>) {
  try {
    const { done, value } = await batches.next();
    return { done, held: done ? undefined : contents(value), error: undefined };
  } catch (error) {
    return { done: true, held: undefined, error: String(error) };
  }
}

/**
 * Reads text by forms of lines as early as can be, and with care only, and compares batch by batch: events, texts, counts,
 * findings, errors. Returns the summary, and how many lines were read by a form.
 * @param source gives the same chunks each time it is called
 */
export async function readBothWays(source: () => Iterable<Uint8Array>, options: TraceOptions = {}) {
  const [careful, quick] = [Number.POSITIVE_INFINITY, 0].map((learnAfter) =>
    parseTrace(source(), { ...options, learnAfter }),
  );
  const [one, other] = [careful!, quick!].map((it) => it[Symbol.asyncIterator]());
  for (let number = 0; ; number++) {
    const [expected, found] = [await step(one!), await step(other!)];
    if (!isDeepStrictEqual(found, expected)) {
      const text = (events: Buffer | undefined) => events?.toString("hex").slice(0, 400);
      expect({ ...found, held: text(found.held), number }).toEqual({ ...expected, held: text(expected.held), number });
      throw new Error(`batch ${number} differs behind its first 200 bytes`);
    }
    if (expected.done) break;
  }
  const texts = ({ strings }: { strings: { size: number; get(id: number): string } }) =>
    Array.from({ length: strings.size }, (_, id) => strings.get(id));
  expect(texts(quick!)).toEqual(texts(careful!));
  expect(quick!.summary).toEqual(careful!.summary);
  expect(careful!.linesByForm).toBe(0);
  return { summary: quick!.summary, byForm: quick!.linesByForm };
}
