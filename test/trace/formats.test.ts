// The four writers of trace text give the same events. Fixtures are converted from one excerpt; see their README.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { TraceFormatError } from "../../src/trace/index.js";
import { bytes, chunked, fixture, line, type PlainEvent, readAll } from "./support.js";

/** Without line numbers and symbol sizes, which the writers disagree on. */
function same(events: PlainEvent[]): unknown[] {
  return events.map(({ line: _, fields, ...event }) => ({
    ...event,
    fields: { ...fields, caller: String(fields["caller"]).replace(/(\+0x[0-9a-f]+)\/0x[0-9a-f]+/, "$1") },
  }));
}

describe("formats", () => {
  it.each([
    ["trace_pipe", "hugevmap.trace_pipe.txt"],
    ["trace-cmd", "hugevmap.trace-cmd.txt"],
    ["perf", "hugevmap.perf.txt"],
  ])("%s reads as the tracefs file it was converted from", async (format, name) => {
    const original = await readAll(fixture("hugevmap.trace.txt"));
    const converted = await readAll(fixture(name));
    expect(original.summary.format).toBe("trace");
    expect(converted.summary.format).toBe(format);
    expect(same(converted.events)).toEqual(same(original.events));
    expect(converted.summary.unknown.size).toBe(0);
  });

  it("trace_pipe: a mark of lost events is a finding with its line, and damage", async () => {
    const { summary } = await readAll(fixture("hugevmap.trace_pipe.txt"));
    expect(summary).toMatchObject({ damaged: true, lost: { counted: 123, uncounted: 0 }, damagedLines: 0 });
    expect(summary.diagnostics[0]).toMatchObject({
      kind: "lost-events",
      line: 11,
      message: "123 events of CPU 1 lost",
    });
  });

  it.each([
    ["CPU:3 [LOST EVENTS]\n", { counted: 0, uncounted: 1 }],
    ["CPU:7 [204600 EVENTS DROPPED]\n", { counted: 204600, uncounted: 0 }],
    ["CPU:7 [EVENTS DROPPED]\n", { counted: 0, uncounted: 1 }],
    ["##### CPU 1 buffer started ####\n", { counted: 0, uncounted: 1 }],
    ["# entries-in-buffer/entries-written: 1/2001   #P:2\n", { counted: 2000, uncounted: 0 }],
    ["init                 1 [001]    24.0: PERF_RECORD_LOST lost 17\n", { counted: 17, uncounted: 0 }],
  ])("lost events: %j", async (mark, lost) => {
    const text = bytes(mark + line("do_flush_all: (f+0x4/0x10)"));
    expect((await readAll(text)).summary).toMatchObject({ damaged: true, lost, events: 1, damagedLines: 0 });
    await expect(readAll(text, { mode: "strict" })).rejects.toThrow(/:1: .*(lost|overwritten)/);
  });

  it("perf: call chains are skipped, pid/tid and nanoseconds read, groups told apart", async () => {
    const text =
      "my task              7/9     [002] 12.000000123: kprobes:vfree: (ffffffff81000000) addr=0x10\n" +
      "\tffffffff81234567 vfree+0x7 ([kernel.kallsyms])\n\n" +
      "my task              9 [002] 12.5:    other:map: IOMMU: iova=0x1000 paddr=0x2000 size=4096\n" +
      "my task              9 [002] 12.5:    iommu:map: IOMMU: iova=0x1000 paddr=0x2000 size=4096\n";
    const { events, summary } = await readAll(bytes(text));
    expect(events.map((e) => [e.name, e.pid, e.time])).toEqual([
      ["vfree", 9, 12000000123],
      ["map", 9, 12500000000],
    ]);
    expect(summary).toMatchObject({ stackLines: 1, blankLines: 1, damaged: false });
    expect([...summary.unknown]).toEqual([["other:map", 1]]);
  });

  it("tracefs options: print-tgid, stacktrace, a clock that counts", async () => {
    const text =
      "            init-1       (      1) [001] .....    24.5: vfree: (f) addr=0x10\n" +
      "            init-1       (-----) [001] .....    24.5: <stack trace>\n => vfree\n => do_exit\n";
    const { events, summary } = await readAll(bytes(text));
    expect(events).toHaveLength(1);
    // The heading of a stack is no event.
    expect(summary).toMatchObject({ stackLines: 3, events: 1, damaged: false, timeUnit: "ns" });
    expect([...summary.unknown]).toEqual([]);
    const ticks = await readAll(bytes("            init-1       [001] ..... 987654321: vfree: (f) addr=0x10\n"));
    expect(ticks.summary.timeUnit).toBe("ticks");
    expect(ticks.events[0]!.time).toBe(987654321);
  });

  it("unknown events are counted by name, the function tracer too", async () => {
    const text = [
      line("sched_switch: prev_comm=a prev_pid=1 ==> next_comm=b"),
      line("sched_switch: prev_comm=a prev_pid=1 ==> next_comm=b"),
      line("vfree <-do_exit"),
    ].join("");
    const { summary } = await readAll(bytes(text));
    expect(summary).toMatchObject({ events: 3, damaged: false });
    expect([...summary.unknown]).toEqual([
      ["sched_switch", 2],
      ["(function)", 1],
    ]);
  });

  it("times far from zero keep their nanoseconds", async () => {
    const text =
      line("do_flush_all: (f)", { time: "1700000000.000001" }) + line("do_flush_all: (f)", { time: "1700000001.5" });
    const { events, summary } = await readAll(bytes(text));
    expect(summary.originSeconds).toBe(1700000000);
    expect(events.map((e) => e.time)).toEqual([1000, 1500000000]);
  });

  it("CRLF line ends and traces behind each other", async () => {
    const unix = Buffer.from(fixture("hugevmap.trace.txt"));
    const dos = bytes(unix.toString("latin1").replace(/\n/g, "\r\n"));
    const twice = await readAll(Buffer.concat([dos, unix]));
    expect(twice.summary).toMatchObject({ damaged: false, events: 62, entriesInBuffer: 62 });
  });

  it("the version of the traced kernel: from the recorder's first line, or perf's header; the first one holds", async () => {
    const trace = fixture("hugevmap.trace.txt");
    const below = (head: string) => readAll(Buffer.concat([Buffer.from(head), trace]), { mode: "strict" });
    expect((await readAll(trace)).summary.kernel).toBeUndefined();
    const recorded = (await below("# stalewalk: kernel 6.18.15+deb13-amd64 #1 SMP PREEMPT_DYNAMIC Debian\n")).summary;
    expect(recorded).toMatchObject({ kernel: "6.18.15+deb13-amd64", format: "trace", diagnostics: [] });
    const perf = "# ========\n# hostname : x\n# os release : 6.1.0-53-amd64\n# perf version : 6.1.99\n";
    expect((await below(perf)).summary.kernel).toBe("6.1.0-53-amd64");
    for (const other of [
      "# stalewalk: kernel\n",
      "# stalewalk: kernel \x1b[31m6.1\n",
      "# kernel 6.1\n",
      `# os release : ${"6".repeat(99)}\n`,
    ]) {
      expect((await below(other)).summary.kernel, other).toBeUndefined();
    }
    const two = (await below("# stalewalk: kernel 6.12.1\n# stalewalk: kernel 6.12.1\n# os release : 7.3.4\n")).summary;
    expect(two).toMatchObject({ kernel: "6.12.1", damaged: false });
    expect(two.diagnostics).toMatchObject([{ kind: "other-kernel", severity: "note", line: 3 }]);
  });

  it("gzip is found by its first bytes, in chunks and members of any size", async () => {
    const text = Buffer.from(fixture("hugevmap.trace.txt"));
    const members = Buffer.concat([gzipSync(text.subarray(0, 1000)), gzipSync(text.subarray(1000), { level: 1 })]);
    const want = await readAll(text);
    for (const sizes of [[1], [1 << 20], [7, 1, 300]]) {
      expect(await readAll(chunked(members, sizes))).toEqual(want);
    }
  });

  it.each([
    ["trace.dat", "\x17\x08\x44tracing6\0", /trace\.dat.*trace-cmd report/],
    ["perf.data", "PERFILE2........", /perf\.data.*perf script/],
    ["zstd", "\x28\xb5\x2f\xfd....", /zstd -dc/],
    ["UTF-16, little end first", "\xff\xfe#\0 \0t\0r\0", /UTF-16 text/],
    ["UTF-16, big end first", "\xfe\xff\0#\0 \0t\0r", /UTF-16 text/],
    ["UTF-16 without a mark", "#\0 \0t\0r\0", /UTF-16 text/],
  ])("%s is refused in every mode, with the way out", async (_, head, message) => {
    await expect(readAll(bytes(head))).rejects.toThrow(message);
    await expect(readAll(gzipSync(bytes(head)))).rejects.toThrow(TraceFormatError);
  });
});
