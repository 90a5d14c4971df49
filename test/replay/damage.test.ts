// Damaged input: no replay hangs, crashes without a diagnosis, or shows figures without saying that the input was damaged.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type ReplayOptions, replay } from "../../src/replay/index.js";
import { TraceFormatError } from "../../src/trace/index.js";
import { amount } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { bytes, fixture, line } from "../trace/support.js";

const small: ReplayOptions = { policies: ["none", "flush-async"], pool: 256, mms: 16, devices: { workingSet: 16 } };
const whole = fixture("hugevmap.trace.txt");
/** Steps between cuts are so many times as long. */
const FAST = amount({ quick: 11, full: 5, nightly: 1 });
const RUNS = amount({ quick: 15, full: 50, nightly: 2000 });

/** An event of the hugevmap kind, one after the other in time. */
function trace(...events: string[]): Uint8Array {
  return bytes(events.map((event, i) => line(event, { time: `24.${String(100000 + i * 10)}` })).join(""));
}

describe("a cut trace", () => {
  it("is said to be damaged, wherever it was cut", async () => {
    for (let end = 1; end < whole.length; end += end < 400 || end > whole.length - 200 ? 3 * FAST : 41 * FAST) {
      const result = await replay(whole.subarray(0, end), small).catch((error: unknown) => {
        if (!(error instanceof TraceFormatError)) throw error;
        return undefined;
      });
      // The heading alone, cut before it says how many events follow, is no trace at all.
      if (result) expect(result.trace.damaged, `cut at ${end}`).toBe(true);
    }
  });

  it("is said to be damaged when it was compressed, too", async () => {
    const packed = gzipSync(whole);
    for (let end = 2; end < packed.length; end += 37 * FAST) {
      const result = await replay(packed.subarray(0, end), small).catch((error: unknown) => {
        if (!(error instanceof TraceFormatError)) throw error;
        return undefined;
      });
      if (result) expect(result.trace.damaged, `cut at ${end}`).toBe(true);
    }
  });
});

describe("a trace with flipped bits", () => {
  it("plays to its end or is refused with a finding", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 20 }),
        async (flips) => {
          const bad = whole.slice();
          for (const [at, bits] of flips) bad[at]! ^= bits;
          try {
            const result = await replay(bad, small);
            const events = Object.values(result.trace.counts).reduce((sum, count) => sum + count, 0);
            if (events < 31 && Object.keys(result.trace.unknown).length === 0) expect(result.trace.damaged).toBe(true);
            for (const policy of result.policies) expect(policy.kernel.mmFlushes).toBe(result.program.flushes.mm);
          } catch (error) {
            if (!(error instanceof TraceFormatError)) throw error;
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe("nonsense in whole lines", () => {
  const kernel = "0xffffc90000000000";
  const top = "0xffffffffffffffff";

  it.each([
    [
      "a flush to the end of the address space",
      `flush_mm_range: (f+0x1/0x2) mm=${kernel} start=0xfffffffffffff000 end=0xfffffffffffffffe stride_shift=12 freed_tables=0 caller=f+0x1/0x2`,
    ],
    [
      "a flush with a stride of 2^255",
      `flush_mm_range: (f+0x1/0x2) mm=${kernel} start=0x1000 end=0x3000 stride_shift=255 freed_tables=0 caller=f+0x1/0x2`,
    ],
    [
      "a flush that ends before it starts",
      `flush_mm_range: (f+0x1/0x2) mm=${kernel} start=0x3000 end=0x1000 stride_shift=12 freed_tables=0 caller=f+0x1/0x2`,
    ],
    ["a kernel flush of user addresses", "flush_kernel_range: (f+0x1/0x2) start=0x1000 end=0x2000 caller=f+0x1/0x2"],
    ["a kernel flush of nothing", `flush_kernel_range: (f+0x1/0x2) start=${kernel} end=${kernel} caller=f+0x1/0x2`],
    [
      "a mapping of the whole kernel half",
      `vmap_pages_range: (f+0x1/0x2) start=0xffff800000000000 end=${top} prot=0x1 page_shift=12`,
    ],
    ["a physical mapping of everything", `vmap_range: (f+0x1/0x2) start=0x0 end=${top} phys=0x0 prot=0x1 max_shift=63`],
    ["an unmapping of the kernel half", `vunmap_range_noflush: (f+0x1/0x2) start=0xffff800000000000 end=${top}`],
    [
      "a table freed by nobody",
      `free_pages: (f+0x1/0x2) addr=${kernel} order=0 caller=pmd_free_pte_page+0x5e/0x80 pc=0x1`,
    ],
    ["a table of the user half", "pmd_free_pte_page: (f+0x1/0x2) pmd=0x1 addr=0x200000 entry=0x0"],
    ["memory of no length", "remove_pagetable: (f+0x1/0x2) start=0x0 end=0x0 direct=1"],
  ])("%s: the replay says what it made of it", async (_, event) => {
    const result = await replay(trace(event, event), small);
    expect(result.trace.events).toBe(2);
    for (const policy of result.policies) {
      expect(policy.flushesMatch).toBe(true);
      expect(policy.outOfFrames).toBe(0);
    }
    const asIs = /stride_shift|unmapping of the kernel half/.test(`${_} ${event}`);
    if (!asIs) expect(Object.keys(result.program.skipped).length).toBeGreaterThan(0);
  });

  it("more address spaces than the model has: the oldest goes, flushes are still counted", async () => {
    const events = Array.from(
      { length: 50 },
      (_, i) =>
        `flush_mm_range: (f+0x1/0x2) mm=0xffff88800${(0x1000 + i).toString(16)}000 start=0x1000 end=0x2000 stride_shift=12 freed_tables=0 caller=f+0x1/0x2`,
    );
    const result = await replay(trace(...events, ...events), small);
    expect(result.program.flushes.mm).toBe(100);
    expect(result.program.skipped["address space ended early: more at a time than the model has"]).toBe(86);
    for (const policy of result.policies) expect(policy.flushesMatch).toBe(true);
  });

  it("more mappings than the pool holds: out of frames, said of each policy", async () => {
    const events = Array.from({ length: 100 }, (_, i) => {
      const start = 0xffffc90000000000n + BigInt(i) * 0x4000_0000n;
      return `vmap_pages_range: (f+0x1/0x2) start=0x${start.toString(16)} end=0x${(start + 0x1000n).toString(16)} prot=0x1 page_shift=12`;
    });
    const result = await replay(trace(...events), { ...small, pool: 64 });
    for (const policy of result.policies) expect(policy.outOfFrames).toBeGreaterThan(0);
  });
});

describe("a replay that is stopped", () => {
  it("rejects with the signal's reason and asks for no more input", async () => {
    const stop = new AbortController();
    let chunks = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let i = 0; ; i++) {
        chunks++;
        if (chunks === 20) stop.abort(new Error("enough"));
        yield bytes(line("exit_mmap: mt_mod 1, DESTROY", { time: `${100 + i}.000000` }).repeat(500));
      }
    }
    await expect(replay(endless(), { ...small, signal: stop.signal })).rejects.toThrow("enough");
    expect(chunks).toBeLessThan(25);
  });

  it("strict: the first damage is an error with its line", async () => {
    const cut = whole.subarray(0, whole.length - 5);
    await expect(replay(cut, { ...small, mode: "strict", name: "cut.txt" })).rejects.toThrow(/^cut\.txt:43: /);
  });
});

describe("options", () => {
  it.each([
    [{ policies: [] }, "policies"],
    [{ policies: ["best"] }, "policies[0]"],
    [{ cpus: 0 }, "cpus"],
    [{ levels: 3 }, "levels"],
    [{ pool: 3 }, "pool"],
    [{ pool: 64, devices: { workingSet: 65536 } }, "pool"],
    [{ mms: 1 }, "mms"],
    [{ hardware: "zen99" }, "hardware"],
    [{ hardware: { cpu: "zen99" } }, "hardware.cpu"],
    [{ hardware: { iommu: { l1: [{ entries: 5, ways: 2 }] } } }, "hardware.iommu.l1[0].entries"],
    [{ hardware: { iommu: { psc: { 7: {} } } } }, "hardware.iommu.psc[7]"],
    [{ hardware: { dialect: "arm" } }, "hardware.dialect"],
    [{ devices: { writes: 2 } }, "devices.writes"],
    [{ devices: { colour: 2 } }, "devices.colour"],
    [{ devices: { reuse: 1 } }, "devices.reuse"],
    [{ workDelayNs: -1 }, "workDelayNs"],
    [{ maxFrees: 0.5 }, "maxFrees"],
  ])("%j names its field", async (options, field) => {
    await expect(replay(whole, options as ReplayOptions)).rejects.toMatchObject({ name: "InvalidOptionError", field });
  });
});
