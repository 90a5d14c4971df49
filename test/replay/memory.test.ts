// Memory does not grow with the trace: a stream that is made while it is read, under every policy.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { replay } from "../../src/replay/index.js";
import { amount } from "../support/effort.js";
import { bytes, line } from "../trace/support.js";

const EVENTS = amount({ quick: 100_000, full: 200_000, nightly: 2_000_000 });
const PER_CHUNK = 1000;

function* stream(between: () => void): Generator<Uint8Array> {
  for (let chunk = 0; chunk < EVENTS / PER_CHUNK; chunk++) {
    const time = `${100 + Math.floor(chunk / 100)}.${String((chunk % 100) * 10_000).padStart(6, "0")}`;
    let text = "";
    for (let i = 0; i < PER_CHUNK; i += 4) {
      const start = 0xffffc90000000000n + BigInt((chunk * 31 + i) % 8192) * 0x5000n;
      const range = `start=0x${start.toString(16)} end=0x${(start + 0x4000n).toString(16)}`;
      const mm = (0xffff888000000000n + BigInt(chunk) * 0x580n).toString(16);
      text += line(`vmap_pages_range: (f+0x1/0x2) ${range} prot=0x1 page_shift=12`, { time });
      text += line(`vunmap_range_noflush: (f+0x1/0x2) ${range}`, { time });
      text += line(`flush_kernel_range: (f+0x1/0x2) ${range} caller=f${chunk}+0x1/0x2`, { time });
      text += line(
        `flush_mm_range: (f+0x1/0x2) mm=0x${mm} start=0x1000 end=0x2000 stride_shift=12 freed_tables=0 caller=f+0x1/0x2`,
        { time },
      );
    }
    between();
    yield bytes(text);
  }
}

describe("memory", () => {
  it(`is below 48 MiB beside the machines for ${EVENTS} events`, async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const used = () => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const before = used();
    let peak = 0;
    let chunks = 0;
    const result = await replay(
      stream(() => {
        if (++chunks % 50 !== 0) return;
        collect();
        peak = Math.max(peak, used() - before);
      }),
    );
    expect(result.trace).toMatchObject({ events: EVENTS, damaged: false });
    // 300 address spaces and more came and went; all flushes were played under all policies.
    expect(result.policies.every((policy) => policy.flushesMatch && policy.outOfFrames === 0)).toBe(true);
    expect(peak).toBeLessThan(48 << 20);
  });
});
