// Damage is named with its line, offset and expectation; lenient goes on, strict stops.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { parseTrace, summarizeTrace, TraceFormatError } from "../../src/trace/index.js";
import { bytes, fixture, line, readAll } from "./support.js";

const good = line("vfree: (vfree+0x4/0x50) addr=0xffffd05f80480000");

async function strictError(text: string): Promise<TraceFormatError> {
  try {
    await readAll(bytes(text), { mode: "strict", name: "x.txt" });
  } catch (error) {
    if (error instanceof TraceFormatError) return error;
    throw error;
  }
  throw new Error("strict mode accepted it");
}

describe("damaged traces", () => {
  it.each([
    ["cut fields", line("flush_kernel_range: (f+0x4/0xc0) start=0xffffcee241a00000"), "bad-fields", "the field end"],
    ["two fields cut", line("flush_kernel_range: (f+0x4/0xc0)"), "bad-fields", "the fields start, end"],
    ["a cut place", line("vfree: (vfree+0x4"), "bad-fields", "closing parenthesis"],
    ["a bad number", line("vfree: (vfree+0x4/0x50) addr=0xffffd05g80480000"), "bad-fields", "blank behind addr="],
    ["17 digits", line("vfree: (vfree+0x4/0x50) addr=0x12345678123456781"), "bad-fields", "value behind addr="],
    ["2^64", line("vfree: (vfree+0x4/0x50) addr=18446744073709551616"), "bad-fields", "value behind addr="],
    ["a field twice", line("vfree: (vfree+0x4/0x50) addr=0x1 addr=0x2"), "bad-fields", "addr= once"],
    ["two lines in one", `${line("vfree: (f) addr=0x1").trimEnd()}${good}`, "bad-fields", "name=value"],
    ["a tracepoint cut", line("tlb_flush: pages:-1 reason:local mm"), "bad-fields", '" ("'],
    ["a torn beginning", good.slice(30), "bad-prefix", "task name, pid and [cpu]"],
    ["a bad time", good.replace("24.029708", "24.02x708"), "bad-prefix", "time like 24.029708"],
    ["binary", `${"\0".repeat(40)}\n`, "bad-prefix", "task name"],
    ["high bytes in a symbol", line("flush_all: (f) caller=f\xff+0x1/0x2"), "not-utf8", "ASCII"],
    ["time running back", line("do_flush_all: (f)", { time: "24.029707" }), "clock-back", "order of time"],
    ["time jumping ahead", line("do_flush_all: (f)", { time: "4000.5" }), "clock-jump", "at most 3600 s"],
  ])("%s", async (_, bad, kind, expected) => {
    const text = good + bad + good;
    const { events, summary } = await readAll(bytes(text));
    expect(summary.damaged).toBe(true);
    const found = summary.diagnostics[0]!;
    expect(found).toMatchObject({ kind, line: 2, byteOffset: good.length, severity: "damage" });
    expect(found.expected).toContain(expected);
    expect(events.at(-1)).toMatchObject({ name: "vfree", line: 3 });
    expect(summary.lines).toBe(3);
    const error = await strictError(text);
    expect(error).toMatchObject({ line: 2, byteOffset: good.length, text: found.text });
    expect(error.message).toMatch(/^x\.txt:2: \(byte \d+\) .+; expected .+/);
  });

  it("a last line without newline is never an event: its number may be cut", async () => {
    const text = good + good.slice(0, -4);
    const { events, summary } = await readAll(bytes(text));
    expect(events).toHaveLength(1);
    expect(summary.diagnostics).toMatchObject([{ kind: "torn-line", line: 2, byteOffset: good.length }]);
    expect((await strictError(text)).line).toBe(2);
  });

  it("strict hands over the events before the damage", async () => {
    const reader = parseTrace(bytes(`${good}${good}nonsense\n${good}`), { mode: "strict" });
    let events = 0;
    await expect(async () => {
      for await (const batch of reader) events += batch.count;
    }).rejects.toThrow(/trace:3:/);
    expect(events).toBe(2);
    expect(reader.summary).toMatchObject({ complete: false, damaged: true });
  });

  it("a cut at a line's end shows in the number of entries", async () => {
    const text = Buffer.from(fixture("hugevmap.trace.txt")).toString("latin1");
    const cut = text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1);
    const { summary } = await readAll(bytes(cut));
    expect(summary).toMatchObject({ damaged: true, damagedLines: 0, events: 30, entriesInBuffer: 31 });
    expect(summary.diagnostics[0]).toMatchObject({ kind: "entry-count", line: 0 });
  });

  it("empty input, and text that is no trace", async () => {
    expect((await readAll(bytes(""))).summary.diagnostics).toMatchObject([
      { kind: "no-events", message: "the input is empty" },
    ]);
    expect((await readAll(bytes("\n\n"))).summary).toMatchObject({ damaged: true });
    expect((await readAll(bytes("hello\nworld\n"))).summary).toMatchObject({
      damaged: true,
      damagedLines: 2,
      events: 0,
    });
  });

  it("a task name that is not UTF-8 is a note, and the event is kept", async () => {
    const { events, summary } = await readAll(bytes(line("do_flush_all: (f)", { task: "caf\xe9" })));
    expect(events).toHaveLength(1);
    expect(summary).toMatchObject({ damaged: false, diagnostics: [{ kind: "not-utf8", severity: "note", line: 1 }] });
    const utf8 = await readAll(bytes(line("do_flush_all: (f)", { task: "caf\xc3\xa9" })));
    expect(utf8.summary.diagnostics).toEqual([]);
  });

  it("long lines are skipped without being held, wherever chunks end", async () => {
    const text = bytes(`${good}${"x".repeat(5000)}\n${good}${"y".repeat(1024)}\n${good}${"z".repeat(3000)}`);
    for (const size of [1, 7, 100, 1000, 1 << 20]) {
      const { events, summary } = await readAll(
        (function* () {
          for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
        })(),
        { maxLineLength: 1024 },
      );
      expect(events.map((e) => e.line)).toEqual([1, 3, 5]);
      expect(summary.bytes).toBe(text.length);
      expect(summary.diagnostics.map((d) => [d.kind, d.line, d.byteOffset])).toEqual([
        ["line-too-long", 2, good.length],
        ["bad-prefix", 4, 2 * good.length + 5001],
        ["line-too-long", 6, 3 * good.length + 5001 + 1025],
      ]);
    }
  });

  it("keeps the first findings and counts all", async () => {
    const { summary } = await readAll(bytes("bad\n".repeat(1000) + good), { maxDiagnostics: 3 });
    expect(summary.diagnostics.map((d) => d.line)).toEqual([1, 2, 3]);
    expect(summary.diagnosticsDropped).toBe(997);
    expect(summary.diagnosticCounts.get("bad-prefix")).toBe(1000);
  });

  it("gzip: bad CRC, bad length, cut, garbage behind, each with its offset", async () => {
    const text = Buffer.from(fixture("hugevmap.trace.txt"));
    const gz = gzipSync(text);
    const flip = (at: number) => gz.map((byte, i) => (i === gz.length + at ? byte ^ 1 : byte));
    for (const [data, message, events] of [
      [flip(-8), /CRC/, 31],
      [flip(-1), /says \d+ bytes/, 31],
      [gz.subarray(0, -9), /cut file/, 31],
      [gz.subarray(0, -3), /cut file/, 31],
      [Buffer.concat([gz, Buffer.alloc(512)]), undefined, 31],
      [gz.subarray(0, 5), /member header/, 0],
    ] as const) {
      const { events: found, summary } = await readAll(new Uint8Array(data));
      expect(found.length).toBe(events);
      expect(summary.damaged).toBe(message !== undefined);
      const finding = summary.diagnostics.find((d) => d.kind === "compressed");
      if (message) expect(finding!.message).toMatch(message);
      else expect(finding).toBeUndefined();
    }
  });

  it("gzip: garbage behind the last member is said, with its offset, and is no loss", async () => {
    const gz = gzipSync(Buffer.from(fixture("hugevmap.trace.txt")));
    const file = new Uint8Array(Buffer.concat([gz, gz, bytes("garbage")]));
    const { events, summary } = await readAll(file, { mode: "strict" });
    expect([events.length, summary.damaged, summary.complete]).toEqual([62, false, true]);
    expect(summary.diagnostics.filter(({ kind }) => kind === "compressed")).toEqual([
      expect.objectContaining({
        severity: "note",
        byteOffset: 2 * gz.length,
        message: expect.stringMatching(/7 .*no gzip member/),
      }),
    ]);
  });

  it("stops when asked to, in memory and in a stream that stands still", async () => {
    const long = bytes(good.repeat(300_000));
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 1);
    await expect(summarizeTrace(long, { signal: controller.signal })).rejects.toThrow("enough");
    let cancelled = false;
    const stuck = new ReadableStream<Uint8Array>({
      start: (c) => c.enqueue(bytes(good)),
      pull: () => new Promise(() => {}),
      cancel: () => {
        cancelled = true;
      },
    });
    await expect(summarizeTrace(stuck, { signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/i);
    expect(cancelled).toBe(true);
    await expect(summarizeTrace(long, { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
  });

  it("says what a source or option should be", async () => {
    await expect(summarizeTrace("text" as never)).rejects.toThrow(/trace source: string, expected a Uint8Array/);
    await expect(summarizeTrace(["text"] as never)).rejects.toThrow(/chunk of type string/);
    expect(() => parseTrace(bytes(""), { maxLineLength: 10 })).toThrow(/maxLineLength: 10, expected 1024/);
    const reader = parseTrace(bytes(good));
    for await (const _ of reader);
    await expect(async () => {
      for await (const _ of reader);
    }).rejects.toThrow(/once/);
  });
});
