// Memory does not grow with the trace: millions of events as a stream that is made while it is read.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { compileTrace } from "../../src/trace/index.js";
import { amount } from "../support/effort.js";
import { bytes, line } from "./support.js";

const EVENTS = amount({ quick: 500_000, full: 500_000, nightly: 10_000_000 });
const PER_CHUNK = 1000;

/** Chunks of about 170 KB, each with its own addresses, pids and times. */
function* stream(made: { bytes: number }): Generator<Uint8Array> {
  for (let chunk = 0; chunk < EVENTS / PER_CHUNK; chunk++) {
    const time = `${100 + Math.floor(chunk / 100)}.${String((chunk % 100) * 10_000).padStart(6, "0")}`;
    const address = (0xffffc90000000000n + BigInt(chunk) * 0x1000n).toString(16);
    const event = `flush_kernel_range: (flush_tlb_kernel_range+0x4/0xc0) start=0x${address} end=0x${address} caller=f${chunk}+0x1/0x2`;
    const data = bytes(line(event, { time, pid: chunk + 1 }).repeat(PER_CHUNK));
    made.bytes += data.length;
    yield data;
  }
}

describe("memory", () => {
  it(`is below 32 MiB for ${EVENTS} events`, async () => {
    const made = { bytes: 0 };
    const compiler = compileTrace(stream(made));
    const used = () => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const before = used();
    let peak = 0;
    let operations = 0;
    let batches = 0;
    for await (const batch of compiler) {
      operations += batch.count;
      if (++batches % 50 === 0) {
        collect();
        peak = Math.max(peak, used() - before);
      }
    }
    expect(operations).toBe(EVENTS);
    expect(compiler.summary.trace.damaged).toBe(false);
    // A trace kept whole would be all of these.
    expect(made.bytes).toBeGreaterThan(140 * EVENTS);
    expect(peak).toBeLessThan(32 << 20);
  });
});
