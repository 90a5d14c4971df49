// Whatever is done to a trace: reading ends, and figures that differ from the whole trace's are marked as damaged.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compileTrace, TraceFormatError } from "../../src/trace/index.js";
import { amount, runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { SEED } from "../support/seed.js";
import { bytes, chunked, comparable, fixture, readAll } from "./support.js";

const NAMES = ["hugevmap.trace.txt", "linux61.trace.txt", "iommu.trace.txt", "drivers.trace.txt", "hugevmap.perf.txt"];
/** Every cut at night; by day every twelfth, which ones by the seed. */
const STEP = amount({ quick: 101, full: 12, nightly: 1 });
const files = NAMES.map((name) => fixture(name));
const anyFile = fc.nat(files.length - 1);
const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 });

/** Where files of a length are cut: in steps, and at every one of the first and last bytes. */
function cuts(length: number): number[] {
  const all = Array.from({ length }, (_, cut) => cut);
  return all.filter((cut) => cut % STEP === SEED % STEP || cut < 16 || cut >= length - 64);
}

describe("fuzzed traces", () => {
  it("chunks of any size give what one chunk gives", async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, sizes, fc.boolean(), async (which, chunkSizes, packed) => {
        const file = files[which]!;
        const data = packed ? new Uint8Array(gzipSync(file)) : file;
        const whole = await readAll(data);
        const parts = await readAll(chunked(data, chunkSizes));
        expect(parts.events).toEqual(whole.events);
        expect(comparable(parts.summary)).toEqual(comparable(whole.summary));
      }),
      { numRuns: runs(100) },
    );
  });

  it.each(["hugevmap.trace.txt", "linux61.trace.txt"])(
    `%s cut at every byte is damaged (step ${STEP})`,
    async (name) => {
      const file = fixture(name);
      const whole = await readAll(file);
      for (const cut of cuts(file.length)) {
        const { events, summary } = await readAll(file.subarray(0, cut));
        expect(summary.damaged, `cut at ${cut}`).toBe(true);
        expect(events).toEqual(whole.events.slice(0, events.length));
      }
    },
  );

  it(`gzip cut at every byte is damaged (step ${STEP})`, async () => {
    const file = fixture("hugevmap.trace.txt");
    const whole = await readAll(file);
    const packed = new Uint8Array(gzipSync(file));
    for (const cut of cuts(packed.length)) {
      const { events, summary } = await readAll(packed.subarray(0, cut));
      expect(summary.damaged, `cut at ${cut}`).toBe(true);
      expect(events).toEqual(whole.events.slice(0, events.length));
    }
  });

  it("flipped bytes of gzip: refused, damaged, or nothing changed", async () => {
    const file = fixture("hugevmap.trace.txt");
    const whole = await readAll(file);
    const packed = new Uint8Array(gzipSync(file));
    await fc.assert(
      fc.asyncProperty(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const data = packed.slice();
        data[at]! ^= change;
        let result: Awaited<ReturnType<typeof readAll>>;
        try {
          result = await readAll(data);
        } catch (error) {
          expect(error).toBeInstanceOf(TraceFormatError);
          return;
        }
        if (!result.summary.damaged) expect(result.events).toEqual(whole.events);
      }),
      { numRuns: runs(100) },
    );
  });

  // Plain text has no checksum: a digit turned into another digit is a valid trace with another number. What must hold:
  // no event appears or disappears, and no name changes, without a finding.
  it("flipped bytes of text: damaged, or the same events with at most one field changed", async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, where, change) => {
        const file = files[which]!;
        const whole = await readAll(file);
        const data = file.slice();
        data[where % data.length]! ^= change;
        let result: Awaited<ReturnType<typeof readAll>>;
        try {
          result = await readAll(data);
        } catch (error) {
          expect(error).toBeInstanceOf(TraceFormatError);
          return;
        }
        const { events, summary } = result;
        if (summary.damaged || summary.unknown.size > 0 || summary.extraFields.size > 0) return;
        expect(events.length).toBe(whole.events.length);
        let changed = 0;
        events.forEach((event, i) => {
          const old = whole.events[i]!;
          expect(event.name).toBe(old.name);
          for (const key of ["time", "cpu", "pid"] as const) if (event[key] !== old[key]) changed++;
          for (const key of Object.keys(event.fields)) if (event.fields[key] !== old.fields[key]) changed++;
        });
        expect(changed).toBeLessThanOrEqual(1);
      }),
      // The examples are what earlier runs found: a blank between a symbol and the next field, a line's first blank (a "#").
      {
        numRuns: runs(100),
        examples: [
          [4, 25068122, 1],
          [4, 0, 3],
        ],
      },
    );
  });

  it("lines cut, doubled, joined and shuffled: reading ends, strict and lenient agree on damage", async () => {
    const lines = files.flatMap((file) => Buffer.from(file).toString("latin1").split("\n"));
    const piece = fc.oneof(
      fc.constantFrom(...lines),
      fc.tuple(fc.constantFrom(...lines), fc.nat(200), fc.nat(200)).map(([l, a, b]) => l.slice(a, a + b)),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)), maxLength: 40 }),
    );
    const text = fc.array(fc.tuple(piece, fc.constantFrom("\n", "\n", "\n", "", "\r\n")), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(text, sizes, async (pieces, chunkSizes) => {
        const data = bytes(pieces.map(([p, end]) => p + end).join(""));
        const outcome = (run: Promise<{ summary: { damaged: boolean } }>) =>
          run.then(
            (r) => r.summary.damaged,
            (error: unknown) => {
              if (error instanceof TraceFormatError) return true;
              throw error;
            },
          );
        const lenient = await outcome(readAll(chunked(data, chunkSizes)));
        expect(await outcome(readAll(data, { mode: "strict" }))).toBe(lenient);
      }),
      { numRuns: runs(100) },
    );
  });

  it("compiling a damaged trace counts every event once", async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, fc.nat(), fc.uint8Array({ maxLength: 20 }), async (which, where, noise) => {
        const file = files[which]!;
        const data = file.slice();
        data.set(noise.subarray(0, data.length - (where % data.length)), where % data.length);
        const compiler = compileTrace(data);
        let operations = 0;
        try {
          for await (const batch of compiler) operations += batch.count;
        } catch (error) {
          expect(error).toBeInstanceOf(TraceFormatError);
          return;
        }
        const { summary } = compiler;
        const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0);
        expect(sum(summary.operations)).toBe(operations);
        const known = operations + sum(summary.ignored) + sum(summary.unmapped);
        expect(known + sum(summary.trace.unknown)).toBe(summary.trace.events);
      }),
      { numRuns: runs(100) },
    );
  });
});
