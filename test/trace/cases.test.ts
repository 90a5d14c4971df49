// Inputs that once went wrong, with the right value: each stands for a kind, whose neighbours are tried beside it.
import { describe, expect, it } from "vitest";
import { parseTrace, TraceFormatError } from "../../src/trace/index.js";
import { bytes, fixture, line, readAll } from "./support.js";

const VFREE = "vfree: (vfree+0x4/0x50) addr=0xffffc90000480000";
// The last four are from public reports about other readers.
const NAMES = [
  "x 1 [0] 9.9: v:",
  "a-1 [0] 1.5: b:",
  "12 7 [3] 1.5: y",
  "[0] 1.5: z:",
  "8 [1] 2.5: q:w:",
  "-9 [1] 1: e:",
];

async function whole(text: string | Uint8Array) {
  const { events, summary } = await readAll(typeof text === "string" ? bytes(text) : text);
  expect(summary.diagnostics).toEqual([]);
  expect(summary.damaged).toBe(false);
  return { events, summary };
}

describe("T1, T2: a task name that holds a prefix of its own", () => {
  it("perf with call chains prints names unpadded: the line's own prefix counts", async () => {
    const { events, summary } = await whole(fixture("hide.perf.txt"));
    expect(summary.unknown.size).toBe(0);
    expect(events).toHaveLength(31);
    expect(new Set(events.map((e) => e.pid))).toEqual(new Set([213, 226]));
    expect(summary.counts.get("pmd_free_pte_page")).toBe(1);
  });

  it("a trimmed line of tracefs: the prefix behind the name counts", async () => {
    const { events } = await whole(fixture("forged-trimmed.trace.txt"));
    expect(events).toMatchObject([{ name: "vfree", pid: 77, cpu: 1, time: 2500000000 }]);
  });

  it.each(NAMES)("%j, padded and unpadded, in every writer's form", async (name) => {
    for (const text of [
      `${name.padStart(16)}-77      [001] .....     2.500000: ${VFREE}\n`,
      `${name}-77      [001] .....     2.500000: ${VFREE}\n`,
      `${name.padStart(16)}-77      (     77) [001] .....     2.500000: ${VFREE}\n`,
      `${name.padStart(16)}-77    [001]     2.500000: ${VFREE}\n`,
      `${name.padStart(16)}      77 [001]     2.500000: kprobes:${VFREE}\n`,
      `${name}      77 [001]     2.500000: kprobes:${VFREE}\n`,
      `${name}      70/77      [001]     2.500000: kprobes:${VFREE}\n`,
      `${name}      77 [001] 2026-11-26 12:34:56.123456     2.500000:          1 kprobes:${VFREE}\n`,
    ]) {
      const { events } = await whole(text);
      expect(events, text).toMatchObject([{ name: "vfree", pid: 77, cpu: 1, time: 2500000000 }]);
    }
  });

  it("what an event's own text holds is no prefix", async () => {
    const text = `            init-1       [001] .....    24.500000: tracing_mark_write: y-7 [002] ..... 25.500000: ${VFREE}\n`;
    const { events, summary } = await whole(text);
    expect(events).toEqual([]);
    expect([...summary.unknown]).toEqual([["tracing_mark_write", 1]]);
    const trimmed = await whole(text.trimStart());
    expect([...trimmed.summary.unknown]).toEqual([["tracing_mark_write", 1]]);
  });

  it("a name with a newline: the event is read, and the torn piece before it is said", async () => {
    const { events, summary } = await readAll(bytes(`         a\nb-77      [001] .....     2.500000: ${VFREE}\n`));
    expect(events).toMatchObject([{ pid: 77, line: 2 }]);
    expect(summary.diagnostics).toMatchObject([{ kind: "bad-prefix", line: 1 }]);
  });
});

describe("T3: long lines", () => {
  it.each([") [", "[0] ", "1 [0] ", "( 1) [", "[[[[", "1 [0] 1.5: ", "- - 9 ", "\t", "=> ", " 1) | ", "x"])(
    "lines of %j are looked at in time that grows with their length",
    async (piece) => {
      // In quadratic time a line of 8 MiB would not come to its end before the test does.
      const text = bytes(`${piece.repeat(Math.floor((8 << 20) / piece.length))}\n`);
      const { summary } = await readAll(text, { maxLineLength: 1 << 24 });
      expect(summary.lines).toBe(1);
      expect(summary.damagedLines + summary.events + summary.stackLines + summary.blankLines).toBe(1);
    },
  );

  it("a signal is obeyed inside one chunk, whatever its lines are", async () => {
    const stop = new AbortController();
    const text = bytes(`${") [".repeat(5000)}\n`.repeat(1500));
    const reader = parseTrace([text], { signal: stop.signal });
    const reading = (async () => {
      for await (const _ of reader);
    })();
    setTimeout(() => stop.abort(new Error("enough")), 1);
    await expect(reading).rejects.toThrow("enough");
    expect(reader.summary.bytes).toBeLessThan(text.length);
  });
});

describe("T5, T6: perf script with other fields", () => {
  it("-F tid,cpu,time,event,trace: lines that begin with the thread", async () => {
    const { events, summary } = await whole(fixture("no-comm.perf.txt"));
    expect(summary).toMatchObject({ format: "perf", events: 60, stackLines: 0 });
    expect(events[0]).toMatchObject({ pid: 21, cpu: 0, time: 204470552000 });
    expect(events[1]).toMatchObject({ pid: 5172 });
  });

  it("-F +period", async () => {
    expect((await whole(fixture("period-column.perf.txt"))).events).toHaveLength(20);
    expect((await whole(fixture("period.perf.txt"))).events).toMatchObject([{ name: "vfree", pid: 213 }]);
  });

  const at = "            vmix   213 [001]";
  it.each([
    ["comm,pid,tid", `            vmix   213/213     [001]     2.500000: kprobes:${VFREE}\n`],
    ["pid,tid without comm", `    213/213     [001]     2.500000: kprobes:${VFREE}\n`],
    ["tid of seven digits without comm", `4194213 [001]     2.500000: kprobes:${VFREE}\n`],
    ["misc", `${at} K          2.500000: kprobes:${VFREE}\n`],
    ["tod", `${at} 2026-11-26 12:34:56.123456     2.500000: kprobes:${VFREE}\n`],
    ["nanoseconds", `${at}     2.500000000: kprobes:${VFREE}\n`],
    ["period, event padded", `${at}     2.500000:     100000            kprobes:${VFREE}\n`],
    ["machine_pid,vcpu", `VM: 1234 VCPU:001             vmix   213 [001]     2.500000: kprobes:${VFREE}\n`],
    ["addr", `${at}     2.500000: kprobes:${VFREE}                0 \n`],
    ["ip,sym,dso", `${at}     2.500000: kprobes:${VFREE} ffffffff81234567 vfree+0x7 ([kernel.kallsyms])\n`],
    [
      "ip,sym,dso of a module",
      `${at}     2.500000: kprobes:${VFREE} ffffffffc0034567 f+0x7 (/lib/modules/6.1 b/kernel/m.ko)\n`,
    ],
    ["ip,sym,dso,dsoff", `${at}     2.500000: kprobes:${VFREE} ffffffffc0034567 f (/lib/m.ko+0x123)\n`],
    [
      "ip,sym,srcline",
      `${at}     2.500000: kprobes:${VFREE} ffffffff81234567 vfree+0x7 ([kernel.kallsyms])\n  vmalloc.c:3307\n`,
    ],
    ["ip,srcline", `${at}     2.500000: kprobes:${VFREE} ffffffff81234567\n  /usr/src/linux 6.1/mm/vmalloc.c:3307\n`],
    ["iregs", `${at}     2.500000: kprobes:${VFREE} ABI:2    AX:0xffff88 BX:0x0 \n`],
    ["ip,iregs", `${at}     2.500000: kprobes:${VFREE} ffffffff81234567 vfree ABI:2    AX:0xffff88 BX:0x0 \n`],
    ["cgroup", `${at}     2.500000: kprobes:${VFREE} /user.slice/session 1.scope\n`],
    ["cgroup that is gone", `${at}     2.500000: kprobes:${VFREE} unknown\n`],
    ["phys_addr", `${at}     2.500000: kprobes:${VFREE}         12345678\n`],
    ["data_page_size", `${at}     2.500000: kprobes:${VFREE} N/A\n`],
    ["code_page_size", `${at}     2.500000: kprobes:${VFREE} 4K\n`],
    [
      "data_src",
      `${at}     2.500000: kprobes:${VFREE}                5080021 |OP N/A|LVL N/A|SNP N/A|TLB N/A|LCK N/A|BLK  N/A\n`,
    ],
    ["insn", `${at}     2.500000: kprobes:${VFREE} insn: 48 89 e5\n`],
    ["brstack", `${at}     2.500000: kprobes:${VFREE}  0xffffffff81234567/0xffffffff81234570/P/-/-/0 \n`],
    ["flags", `${at}     2.500000: kprobes:vfree:                        ${VFREE.slice(7)}\n`],
  ])("%s", async (_, text) => {
    const { events } = await whole(text);
    expect(events).toMatchObject([{ name: "vfree", cpu: 1, time: 2500000000, fields: { addr: 0xffffc90000480000n } }]);
    expect([213, 4194213]).toContain(events[0]!.pid);
  });

  it.each(["f+0x12/0x30", "f+0x12", "f.isra.0+0x12", "0xffffffffc0123456"])(
    "the name %s with the module that it is in, however that is written",
    async (name) => {
      const event = "flush_kernel_range: (ffffffff81234567) start=0xffffc90000480000 end=0xffffc90000481000";
      for (const module of ["", " [nvme_core]", " ([nvme_core])", " (/lib/modules/6.1.0 b/kernel/(a)/nvme.ko)"]) {
        for (const behind of ["", " extra=1", " ffffffff81234567 vfree+0x7 ([kernel.kallsyms])"]) {
          const text = `${at}     2.500000: kprobes:${event} caller=${name}${module}${behind}\n`;
          const { events } = await whole(text);
          expect(events).toMatchObject([{ fields: { start: 0xffffc90000480000n, caller: `${name}${module}` } }]);
        }
      }
    },
  );

  it("a place in the source stands behind a line of a stack or an address, and nowhere else", async () => {
    const place = "  /build/linux 6.1/mm/vmalloc.c:3307\n";
    const chain = `\tffffffff81234567 vfree+0x7 ([kernel.kallsyms])\n${place}`;
    const event = `${at}     2.500000: kprobes:${VFREE}\n`;
    expect((await whole(event + chain)).summary.stackLines).toBe(2);
    expect((await readAll(bytes(event + place))).summary).toMatchObject({ damagedLines: 1 });
    const torn = `${at}     2.5x0000: kprobes:${VFREE} x:1\n`;
    expect((await readAll(bytes(event + chain + torn))).summary).toMatchObject({ damagedLines: 1, stackLines: 2 });
  });

  it("what is behind the fields and nothing that perf writes there is damage", async () => {
    for (const behind of ["x", "12x", "(/lib/m.ko)", "4Q", "N/B", "ffffc90000480000 start=0x1"]) {
      const { summary } = await readAll(bytes(`${at}     2.500000: kprobes:${VFREE} ${behind}\n`.repeat(2)));
      expect(summary).toMatchObject({ events: 0, damagedLines: 2 });
      // All fields that are needed are there.
      expect(summary.diagnostics[0]!.message).not.toContain("perf script without");
    }
  });

  it.each([
    ["cpu", `            vmix   213     2.500000: kprobes:${VFREE}\n`],
    ["tid", `            vmix [001]     2.500000: kprobes:${VFREE}\n`],
    ["tid, and cpu", `    2.500000: kprobes:${VFREE}\n`],
    ["time", `            vmix   213 [001] kprobes:${VFREE}\n`],
    ["time", `kprobes:${VFREE}\n`],
    ["event", `            vmix   213 [001]     2.500000: ${VFREE.slice(7)}\n`],
  ])("without %s: nothing is read, and the field is named", async (field, text) => {
    const { events, summary } = await readAll(bytes(text.repeat(3)));
    expect(events).toEqual([]);
    expect(summary.diagnostics[0]!.message).toContain(`perf script without the field ${field}`);
    expect(summary.diagnostics[0]!.expected).toContain("perf script -F comm,tid,cpu,time,event,trace");
  });

  it("a damaged line of a task with a hexadecimal name is damage, not a line of a stack", async () => {
    for (const bad of [
      `              dd   213 [001]     2.5x0000: kprobes:${VFREE}\n`,
      `    213 [001]     2.5x: kprobes:${VFREE}\n`,
    ]) {
      const { summary } = await readAll(bytes(`${at}     2.500000: kprobes:${VFREE}\n${bad}`));
      expect(summary).toMatchObject({ damaged: true, damagedLines: 1, stackLines: 0 });
    }
  });
});

describe("T7: trace-cmd's plug-ins", () => {
  it("tlb_flush as its plug-in writes it", async () => {
    const { events, summary } = await whole(fixture("trace-cmd-plugin.trace-cmd.txt"));
    expect(summary).toMatchObject({ format: "trace-cmd", events: 66, cpus: 2 });
    expect(summary.counts.get("tlb_flush")).toBe(19);
    const first = events.find((e) => e.name === "tlb_flush")!;
    expect(first.fields).toEqual({ pages: 2n ** 64n - 1n, reason_text: "flush on task switch", reason: 0n });
  });

  it("its stacks", async () => {
    const stack =
      "            init-1     [001]    24.500000: kernel_stack:         <stack trace >\n=> vfree (ffffffff81234567)\n";
    const { summary } = await whole(`cpus=2\n${line(VFREE)}${stack}`.replace("cpus=2\n", ""));
    expect(summary).toMatchObject({ events: 1, stackLines: 2 });
  });
});

describe("T8: stacks", () => {
  it("tracefs option userstacktrace: the headings are entries of the buffer, but no events", async () => {
    const { summary } = await whole(fixture("userstacktrace.trace.txt"));
    expect(summary).toMatchObject({ events: 10, entriesInBuffer: 20 });
    expect(summary.unknown.size).toBe(0);
    expect(summary.stackLines).toBe(20);
  });

  it("call chains without symbols", async () => {
    const { events, summary } = await whole(fixture("chain-without-symbols.perf.txt"));
    expect(events).toHaveLength(1);
    expect(summary).toMatchObject({ stackLines: 2, blankLines: 1 });
  });

  it("call chains with symbols, unknown symbols, inlined ones and places in the source", async () => {
    const chain =
      "\tffffffff81234567 vfree+0x7 ([kernel.kallsyms])\n  vmalloc.c:3307\n\tffffffff81234568 vfree (inlined)\n" +
      "\t    7f14a07eead7 [unknown] ([unknown])\n\t    7f14a07eead7 f(int) (/usr/lib/a b.so)\n\n";
    const { summary } = await whole(`vmix 213 [001] 12.500000: kprobes:${VFREE}\n${chain}`);
    expect(summary).toMatchObject({ events: 1, stackLines: 5, blankLines: 1 });
  });

  it.each([" => vfree\n", " =>  <00007f14a07eead7>\n", " =>  /usr/lib/libc.so.6[+0xead7]\n", " => ??\n"])(
    "%j",
    async (at) => {
      expect((await whole(line("<stack trace>") + at + line(VFREE))).summary).toMatchObject({
        events: 1,
        stackLines: 2,
      });
    },
  );
});

describe("T9: perf's own records among the events", () => {
  it("have no time: they neither begin the trace nor move its clock", async () => {
    const { summary } = await whole(fixture("sideband.perf.txt"));
    expect(summary).toMatchObject({ events: 31, sideBandLines: 1 });
    expect(summary.lastTime! - summary.firstTime!).toBe(12_195_000);
  });

  it.each([
    "PERF_RECORD_COMM: perf:123/123",
    "PERF_RECORD_COMM exec: sleep:5167/5167",
    "PERF_RECORD_EXIT(1:1):(1:1)",
    "PERF_RECORD_MMAP2 1/1: [0x5555(0x1000) @ 0 08:01 12 0]: r-xp /usr/bin/x",
    "PERF_RECORD_SWITCH_CPU_WIDE OUT preempt next pid/tid:     0/0",
    "PERF_RECORD_NAMESPACES 1/1 - nr_namespaces: 7\n\t\t[0/net: 4/0xf0000098, 1/uts: 4/0xeffffffe,\n\t\t 4/user: 4/0xeffffffd]",
  ])("%j", async (record) => {
    const text = `            vmix     213 [001] 856625.445869: kprobes:${VFREE}\n            perf     9 [000]     0.000000: ${record}\n`;
    const { events, summary } = await whole(text);
    expect(events).toHaveLength(1);
    expect(summary.sideBandLines).toBe(record.split("\n").length);
  });
});

describe("T10: clocks", () => {
  it("ticks beyond 2^53: the origin is taken away as for seconds", async () => {
    const { events, summary } = await whole(fixture("tsc-above-2p53.trace.txt"));
    expect(summary).toMatchObject({ timeUnit: "ticks", originSeconds: 9007199 });
    expect(events.map((e) => e.time)).toEqual([254740993, 254740995]);
  });

  it.each([
    ["the last tick there is", "18446744073709551615", 709551615, "ticks"],
    ["counter", "           7", 7, "ticks"],
    ["a large counter", "  4000000007", 4000000007, "ticks"],
    ["uptime", "    24.000000", 24e9, "ns"],
    ["tai, with nanoseconds", "1700000000.000000001", 1, "ns"],
  ])("%s", async (_, time, want, unit) => {
    const { events, summary } = await whole(line(VFREE, { time }));
    expect(events[0]!.time).toBe(want);
    expect(summary.timeUnit).toBe(unit);
  });

  it("ticks that run back, and a unit that changes, are damage", async () => {
    const back = await readAll(bytes(line(VFREE, { time: "100" }) + line(VFREE, { time: "99" })));
    expect(back.summary.diagnostics).toMatchObject([{ kind: "clock-back", message: "time runs back by 1 ticks" }]);
    const other = await readAll(bytes(line(VFREE, { time: "100" }) + line(VFREE, { time: "99.5" })));
    expect(other.summary.diagnostics[0]).toMatchObject({ kind: "clock-jump", message: "the unit of time changes" });
  });
});

describe("T11: odd lines of tracefs", () => {
  it("an event with an empty name is an unknown event", async () => {
    const { events, summary } = await whole(fixture("bpf-empty-name.trace.txt"));
    expect(events).toHaveLength(1);
    expect([...summary.unknown]).toEqual([["(no name)", 1]]);
  });

  it("syscalls and raw data have no name of their own: unknown events, no damage", async () => {
    const text =
      line("sys_openat(dfd: ffffff9c, filename: 7f0000001000, flags: 0)") +
      line("sys_openat -> 0x3") +
      line("sys_getpid()");
    const { summary } = await whole(text + line("# 1a buf: 01 02 03") + line("tracing_mark_write.llvm.82: E|992|"));
    expect([...summary.unknown]).toEqual([
      ["sys_openat", 2],
      ["sys_getpid", 1],
      ["(raw data)", 1],
      ["tracing_mark_write.llvm.82", 1],
    ]);
  });

  it("option verbose leaves the number of entries out: a note, no damage", async () => {
    const { events, summary } = await readAll(bytes(`# tracer: nop\n#\n${line(VFREE)}${line(VFREE)}`));
    expect(events).toHaveLength(2);
    expect(summary).toMatchObject({ damaged: false, format: "trace" });
    expect(summary.diagnostics).toMatchObject([{ kind: "entry-count", severity: "note" }]);
    const counted = `# tracer: nop\n#\n# entries-in-buffer/entries-written: 1/1   #P:2\n${line(VFREE)}`;
    const both = await readAll(bytes(`# tracer: nop\n#\n${line(VFREE)}${counted}`));
    expect(both.summary.damaged).toBe(false);
    // A header that nothing follows is a cut one.
    expect((await readAll(bytes(`${counted}# tracer: nop\n#\n`))).summary.damaged).toBe(true);
    const short = await readAll(bytes(`# tracer: nop\n#\n${line(VFREE)}${counted.replace("1/1 ", "2/2 ")}`));
    expect(short.summary.diagnostics[0]!.message).toContain("announces 2 events, the file has 1");
  });

  it("the function-graph tracer's lines are counted as unknown", async () => {
    const graph =
      "# tracer: function_graph\n#\n# CPU  DURATION                  FUNCTION CALLS\n# |     |   |                     |   |   |   |\n" +
      " 0)               |  vfree() {\n 0)   0.123 us    |    kfree();\n 0) ! 101.2 us    |  }\n" +
      " ------------------------------------------\n 1)  sh-123       =>   idle-0   \n ------------------------------------------\n\n" +
      " 1)   ==========> |\n 1)               |  /* tlb_flush: pages:1 reason:local mm shootdown (3) */\n";
    const { summary } = await readAll(bytes(graph));
    expect(summary).toMatchObject({ damaged: false, damagedLines: 0 });
    expect([...summary.unknown]).toEqual([["(function graph)", 5]]);
    const bare = graph.replace(/^ \d\)/gm, "").replace(/^ {2}sh.*$/m, "");
    expect((await readAll(bytes(bare))).summary).toMatchObject({ damaged: false, damagedLines: 0 });
    const proc = "   12.345678 |   1)    sh-123    |   0.123 us    |    kfree();\n";
    expect([...(await readAll(bytes(proc))).summary.unknown]).toEqual([["(function graph)", 1]]);
  });

  it("tracers whose events have no name are counted under the tracer's", async () => {
    const osnoise = `# tracer: timerlat\n#\n${line("#1     context    irq timer_latency        932 ns")}`;
    expect([...(await readAll(bytes(osnoise))).summary.unknown]).toEqual([["(timerlat)", 1]]);
  });
});

describe("T12: nothing that can be read", () => {
  const raw = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 1/1   #P:2\n";
  it.each([
    ["empty input", "", "the input is empty", "perf script"],
    ["hello", "hello\n", "no line of the input is a trace event", "perf script"],
    ["option raw", `${raw}4183 1 58218913000 type: 1234\n`, "option raw", "noraw"],
    ["option hex", `${raw}00001057 00000001 0000000d8e9f1a20 type: 1234\n`, "option hex", "nohex"],
    ["option bin", `${raw}\x01\x02\x03\x04abc\n`, "binary data", "nobin"],
    ["option nocontext-info", `${raw}${VFREE}\n`, "option nocontext-info", "context-info"],
    [
      "report -R",
      "cpus=2\n           sleep-1766  [001]    46.580213: pgd_alloc:            __probe_ip=18446744071949 mm=5\n",
      "trace-cmd report -R",
      "without -R",
    ],
    [
      "report -l",
      "cpus=2\n   sleep-1766    1d..2 46.580213: tlb_flush:            pages:1 reason:x (3)\n",
      "latency format",
      "without -l",
    ],
    ["a latency tracer", "  <idle>-0       1d.h1    12us!: tick_sched <-do\n", "latency format", "nolatency-format"],
    ["perf script -D", "0x1234 [0x68]: event: 1\n", "perf script -D", "perf script -F"],
    [
      "a failed report",
      `cpus=2\n            vmix-213   [001]    24.500000: tlb_flush:            [FAILED TO PARSE] pages=1 reason=3\n`,
      "newer kernel",
      "newer trace-cmd",
    ],
    ["systrace", "<!DOCTYPE html>\n<html>\n", "an HTML page", "the trace itself"],
    [
      "simpleperf",
      "com.app    21452/21452 11371.483014: 201198 cpu-clock:\n",
      "without the field cpu",
      "perf script -F",
    ],
    ["dmesg", "[   12.345678]     vmix-213     0d..1 12345678us : vfree\n", "kernel's log", "tracefs"],
    ["perf data convert", '{\n  "linux-perf-json-version": 1,\n', "JSON", "perf script -F"],
  ])("%s: says so first, with the form and what converts it", async (_, text, form, way) => {
    const { events, summary } = await readAll(bytes(text));
    expect(events).toEqual([]);
    expect(summary.damaged).toBe(true);
    expect(summary.diagnostics[0]).toMatchObject({ kind: "no-events" });
    expect(summary.diagnostics[0]!.message).toContain(form);
    expect(summary.diagnostics[0]!.expected).toContain(way);
  });

  it("option fields", async () => {
    const { summary } = await readAll(fixture("option-fields.trace.txt"), { maxDiagnostics: 3 });
    expect(summary.diagnostics).toHaveLength(3);
    expect(summary.diagnostics[0]!.message).toContain("option fields");
    expect(summary.diagnosticsDropped).toBe(28 + 2 - 3);
  });

  it("the latency format, with and without its header", async () => {
    const { summary } = await readAll(fixture("latency-without-header.txt"));
    expect(summary.diagnostics[0]!.message).toContain("latency format");
    const header = "# tracer: irqsoff\n#\n# irqsoff latency trace v1.1.5 on 6.12\n";
    await expect(readAll(bytes(header))).rejects.toThrow(TraceFormatError);
  });
});
