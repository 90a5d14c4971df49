// Simulations on several threads: the same result, progress, and no thread left behind.
import { describe, expect, it } from "vitest";
import type { ReplayResult } from "../../src/replay/index.js";
import { type ParallelSimulateOptions, simulate } from "../../src/replay/node.js";
import { runCli } from "../cli/run-cli.js";

const OPTIONS = {
  profile: "table-frees",
  operations: 20_000,
  marks: true,
  policies: ["none", "flush-range", "flush-async", "deferred-free", "user-root"],
} as const satisfies ParallelSimulateOptions;

/** All but times. */
function untimed({ throughput, policies, ...rest }: ReplayResult): unknown {
  return { ...rest, operations: throughput.operations, policies: policies.map(({ seconds: _, ...policy }) => policy) };
}

describe("a simulation on several threads", () => {
  it("comes to the same, whatever their number", async () => {
    const alone = await simulate({ ...OPTIONS, workers: 1 });
    for (const workers of [2, 3, 9]) {
      expect(untimed(await simulate({ ...OPTIONS, workers }))).toEqual(untimed(alone));
    }
  });

  it("says how far it is, and ends with a signal's reason", async () => {
    const seen: number[] = [];
    await simulate({ ...OPTIONS, workers: 2, onProgress: ({ done }) => seen.push(done) });
    expect(seen.at(-1)).toBe(OPTIONS.operations);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(simulate({ ...OPTIONS, workers: 2, signal })).rejects.toBe(reason);
  });

  it("refuses what is wrong as one thread does", async () => {
    await expect(simulate({ ...OPTIONS, workers: 0 })).rejects.toThrow(
      "workers is 0; expected an integer from 1 to 1024",
    );
    await expect(simulate({ ...OPTIONS, operations: 10, workers: 2 })).rejects.toThrow(/^operations is 10; expected /);
    const { code, err } = await runCli("simulate", "--workers", "none");
    expect(code).toBe(2);
    expect(err).toContain("Expected 1 to 1024.");
  });
});
