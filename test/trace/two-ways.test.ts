// Lines are read by forms that were learned, in a module of its own, or with care: the same events, texts, counts, findings and
// errors either way, for every recorded trace, every fixture, whole and changed, in chunks of any size.
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { parseTrace } from "../../src/trace/index.js";
import { amount, runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { sharedData } from "../support/shared-data.js";
import { bytes, chunked, fixture, line, readAll, readBothWays } from "./support.js";

/** Bytes of each recorded trace: its beginning, or all of it. */
const RECORDED_BYTES = amount({ quick: 1 << 19, full: 1 << 20, nightly: Number.POSITIVE_INFINITY });
const folders = [sharedData("traces"), sharedData("live")].filter((it) => it !== undefined);
const recorded = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".txt.gz"))
    .map((name) => ({ name, path: `${folder}/${name}` })),
);

const folder = new URL("../fixtures/traces/", import.meta.url);
const fixtures = readdirSync(folder).filter((name) => name.endsWith(".txt"));
const corpus = new URL("../fuzz/corpus/trace/", import.meta.url);

/** Sizes of chunks that begin anywhere in lines. */
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1000, max: 400_000 })), {
  minLength: 1,
  maxLength: 8,
});
const known =
  line("vfree: (f) addr=0x10") + line("flush_all: (f) caller=x+0x1/0x2") + line("tlb_flush: pages:-1 reason:a (3)");

describe.skipIf(recorded.length === 0)("recorded traces (skipped without the recorded data)", () => {
  it.each(recorded)("$name, both ways", async ({ name, path }) => {
    const text = new Uint8Array(gunzipSync(readFileSync(path))).subarray(0, RECORDED_BYTES);
    const [given] = fc.sample(sizes, 1) as [number[]];
    const { summary, byForm } = await readBothWays(() =>
      chunked(
        text,
        given.map((it) => it + 500),
      ),
    );
    expect(summary.bytes + 16384).toBeGreaterThan(text.length);
    // Text of tracefs and trace-cmd pads names; perf script does not.
    if (!/perf|-boot|option-|trace-cmd/.test(name)) expect(byForm).toBeGreaterThan(0.97 * summary.events);
  });
});

describe("fixtures and inputs that broke a reader once", () => {
  it.each(fixtures)("%s, twice over, in chunks of any size, lenient and strict", async (name) => {
    const text = fixture(name);
    const twice = Buffer.concat([text, text]);
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom("lenient" as const, "strict" as const), async (given, mode) => {
        await readBothWays(() => chunked(twice, given), { mode });
      }),
      { numRuns: runs(15) },
    );
  });

  it.each(readdirSync(corpus))("%s", async (name) => {
    const text = readFileSync(new URL(name, corpus));
    await readBothWays(() => [text, text]);
  });
});

describe("changed text", () => {
  const change = fc.tuple(
    fc.nat(),
    fc.oneof(
      fc.nat(255).map((code) => String.fromCharCode(code)),
      fc.constantFrom(
        ..."\n\r\t 0aAf=)[(:.-#]x/".split(""),
        "\r\n",
        "  ",
        "0x",
        " [m]",
        "",
        "-1",
        "99999999999999999999",
      ),
    ),
  );

  it("bytes changed, added and taken away behind lines that taught their forms", async () => {
    let byForm = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...fixtures),
        fc.array(change, { minLength: 1, maxLength: 40 }),
        sizes,
        async (name, changes, given) => {
          const text = Buffer.from(fixture(name)).toString("latin1").slice(0, 20_000);
          const second = text.split("");
          for (const [where, what] of changes) second[where % second.length] = what;
          const all = bytes(`${text}\n${second.join("")}\n${second.join("")}`);
          byForm += (await readBothWays(() => chunked(all, given))).byForm;
        },
      ),
      { numRuns: runs(250) },
    );
    expect(byForm).toBeGreaterThan(0);
  });

  const VALUES = [
    ..."0x0 0xffffffffffffffff 0x10000000000000000 0xFfF 0x 0 18446744073709551615 18446744073709551616".split(" "),
    ..."00000000000000000000001 123456789012345678 -1 -9223372036854775808 -9223372036854775809 - --1 1- a".split(" "),
    ..."(fault) x+0x1/0x2 x=y caf\xe9 0x12 12 0x123456789abcdef01".split(" "),
    ...["", "x [m]", "x [m", "y [m] ", "a (b) c", "a (", "12\r", "a\rb", "a\r"],
  ];
  const eventsWith = (v: string) => [
    `vfree: (f) addr=${v}`,
    `flush_kernel_range: (f+0x1/0x2 [m]) start=${v} end=${v} caller=x+0x1/0x2`,
    `flush_all: (f <- g) caller=${v}`,
    `tlb_flush: pages:${v} reason:${v} (${v})`,
    `module_load: ${v} OE`,
    `module_load: mod ${v}`,
    `exit_mmap: mt_mod ${v}, DESTROY`,
    `purge_vmap_area_lazy: start=${v} end=${v} num_purged=${v}`,
  ];
  const taught = ["0x10", "16", "-16", "x", "x+0x1/0x2 [m]"]
    .flatMap(eventsWith)
    .map((event) => line(event))
    .join("");

  it.each(VALUES)("values at the borders of what is allowed, in every place: %j", async (value) => {
    const text = eventsWith(value)
      .map((event) => line(event))
      .join("");
    const { byForm } = await readBothWays(() => [bytes(taught + text + taught + text)]);
    expect(byForm).toBeGreaterThan(20);
  });

  it.each([
    ...["init", "a b", "#1", "x-1 [000] ....", "caf\xe9", "sixteen bytes ab", "<...>", "tab\t"].map((task) => ({
      task,
    })),
    ...[1, 2147483647, 2147483648, 123456789].map((pid) => ({ pid })),
    ...[0, 999, 65535, 65536].map((cpu) => ({ cpu })),
    ...[".....", "d..1", "dNZ2.", "", "........", ".........", "(  12) .....", "(-----) d..1."].map((flags) => ({
      flags,
    })),
    ..."24.029708 24.02970 24.1 24.123456789 24.1234567890 25.1234567890 24. 24 999999999999999.5 9999999999999999.5"
      .split(" ")
      .map((time) => ({ time })),
    ..."24:02 1234-56-78 18446744073709551615 18446744073709551616 24.029707 99999.999999"
      .split(" ")
      .map((time) => ({ time })),
  ])("what stands before an event, at its borders: %j", async (where) => {
    const event = "vfree: (f) addr=0x10";
    const { byForm } = await readBothWays(() => [
      bytes(known + line(event) + line(event, where) + known + line(event, where)),
    ]);
    expect(byForm).toBeGreaterThan(1);
  });

  it("clocks that count, stand still, run back and jump", async () => {
    const times = ["5", "6", "6", "18446744073709551615", "7000000000", "1.000000", "3"];
    const text = times.map((time) => line("vfree: (f) addr=0x10", { time })).join("");
    const ticking = await readBothWays(() => [bytes(text + text)]);
    expect(ticking.summary.timeUnit).toBe("ticks");
    const far = ["9000000.000001", "9000001.000001", "9000000.500000", "9009999.000000"];
    const late = far.map((time) => line("vfree: (f) addr=0x10", { time })).join("");
    const { summary, byForm } = await readBothWays(() => [bytes(late + late)]);
    expect(summary.originSeconds).toBe(9_000_000);
    expect(summary.diagnosticCounts.get("clock-back")).toBe(3);
    expect(byForm).toBe(2);
  });
});

describe("the module's room", () => {
  it("more events than a batch holds, in one chunk and in one block", async () => {
    const many = bytes(known.repeat(20_000));
    const { summary, byForm } = await readBothWays(() => [many]);
    expect(summary.events).toBe(60_000);
    expect(byForm).toBeGreaterThan(59_990);
  });

  it("more texts and forms than are kept at once", async () => {
    const callers = Array.from({ length: 3000 }, (_, i) =>
      line(`flush_all: (g${i}+0x1/0x2) caller=caller${i}+0x1/0x2`),
    );
    const blanks = Array.from({ length: 60 }, (_, i) => line(`vfree:${" ".repeat(i + 1)}(f) addr=0x10`));
    const text = bytes(callers.join("") + blanks.join("") + known.repeat(100) + callers.join("") + blanks.join(""));
    const { summary, byForm } = await readBothWays(() => [text]);
    expect(summary.damaged).toBe(false);
    expect(byForm).toBeGreaterThan(300);
  });

  it("lines longer than the text that is held, between lines that are read by form", async () => {
    const long = `${"x".repeat(300_000)}\n`;
    const text = bytes(known.repeat(50) + long + known.repeat(50));
    const { summary, byForm } = await readBothWays(() => [text], { maxLineLength: 1 << 20 });
    expect(summary.events).toBe(300);
    expect(summary.damagedLines).toBe(1);
    expect(byForm).toBeGreaterThan(280);
  });

  it("places of any text are no part of a form", async () => {
    const lines = Array.from({ length: 200 }, (_, i) =>
      line(`vmap_ret: (caller${i}+0x1/0x2 [m${i}] <- vmap) ret=0x${i}`),
    );
    const { byForm } = await readBothWays(() => [bytes(lines.join(""))]);
    expect(byForm).toBe(199);
  });
});

describe("a host that may not compile", () => {
  it("reads the same, every line with care", async () => {
    const text = bytes(known.repeat(500));
    const { events, summary } = await readAll(text);
    vi.stubGlobal("WebAssembly", undefined);
    try {
      const reader = parseTrace(text);
      let count = 0;
      for await (const batch of reader) count += batch.count;
      expect(reader.linesByForm).toBe(0);
      expect(count).toBe(events.length);
      expect(reader.summary).toEqual(summary);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
