// The matrix on several threads: the same bytes as on one, progress, a signal, errors. Threads import files of dist/, so the build is tested.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { ParallelVerdictsOptions } from "../../src/verdicts/node.js";
import { groupsOf, longestFirst, planOf } from "../../src/verdicts/plan.js";
import type { VerdictRecord } from "../../src/verdicts/verdict.js";

const BUILT = new URL("../../dist/verdicts/node.js", import.meta.url).href;
const { verdicts } = (await import(BUILT)) as typeof import("../../src/verdicts/node.js");
const run = promisify(execFile);
/** Cells of IOMMUs, and of CPUs to which policies are the same. */
const SMALL = {
  policies: ["none", "flush-range", { name: "own", hooks: { kernelRange: true, flushAll: true } }],
  scenarios: ["pmd_free_pte_page", "exit"],
  hardware: "usual",
} as const satisfies ParallelVerdictsOptions;

const asText = (records: VerdictRecord[]): string =>
  JSON.stringify(records, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));

async function collect(options: ParallelVerdictsOptions): Promise<VerdictRecord[]> {
  const records: VerdictRecord[] = [];
  for await (const record of verdicts(options)) records.push(record);
  return records;
}

describe("verdicts on several threads", () => {
  it("says where the files of threads are, and they are there", () => {
    for (const name of ["verdicts/worker.js", "chunks/entry/worker.js"]) {
      expect(existsSync(new URL(`../../dist/${name}`, import.meta.url)), `dist/${name}: run npm run build`).toBe(true);
    }
  });

  it.each([
    ["a search", { depth: 2 }],
    ["a proof", { prove: true, maxStates: 600, walks: "atomic" }],
  ] as const)("gives the same bytes as one thread: %s", async (_, how) => {
    const [one, ...others] = await Promise.all(
      [1, 2, 4].map(async (workers) => asText(await collect({ ...SMALL, ...how, workers }))),
    );
    expect(JSON.parse(one as string)).toHaveLength(12);
    for (const other of others) expect(other).toBe(one);
  });

  it("begins with the cells of CPUs, which take longest", () => {
    const plan = planOf({ prove: true, hardware: "few" });
    const groups = groupsOf(plan);
    const order = longestFirst(plan, groups);
    expect(order.toSorted((a, b) => a - b)).toEqual([...groups.keys()]);
    const agents = order.map((group) => plan.cells[groups[group]?.[0] ?? -1]?.agent);
    expect(agents.indexOf("iommu")).toBeGreaterThan(100);
    expect(agents.lastIndexOf("cpu")).toBe(agents.indexOf("iommu") - 1);
  });

  it("tells of progress up to the last cell, never back", async () => {
    const seen: number[] = [];
    await collect({
      ...SMALL,
      depth: 1,
      workers: 2,
      onProgress: ({ done, total, unit }) => {
        expect([total, unit]).toEqual([12, "cells"]);
        seen.push(done);
      },
    });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(12);
  });

  it("is ended by a signal with its reason, in the middle of a cell that would take minutes", async () => {
    const controller = new AbortController();
    const asked = { prove: true, moves: "wide", scenarios: ["munmap"], workers: 2 } as const;
    const records = collect({ ...asked, signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 500);
    await expect(records).rejects.toThrow("enough");
    await expect(collect({ ...SMALL, workers: 2, signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow(
      "before",
    );
  });

  it("leaves no thread when nobody wants more records: the process ends", async () => {
    const program = `import { verdicts } from ${JSON.stringify(BUILT)};
      const options = { prove: true, agents: ["iommu"], policies: ["none"], scenarios: ["pmd_free_pte_page", "munmap"], workers: 2 };
      for await (const record of verdicts(options)) break;
      console.log("left");`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program]);
    expect(stdout).toBe("left\n");
  });

  it("passes errors on: of options before anything begins, of a thread as they are", async () => {
    await expect(collect({ ...SMALL, workers: 0 })).rejects.toThrow(/workers is 0; expected an integer from 1 to 1024/);
    await expect(collect({ ...SMALL, depth: 9, workers: 2 })).rejects.toThrow(/depth/);
    const other = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const alone = await collect({ ...SMALL, module: other, workers: 1 }).catch((error: Error) => error.message);
    expect(alone).toEqual(expect.any(String));
    await expect(collect({ ...SMALL, module: other, workers: 2 })).rejects.toThrow(alone as string);
  });
});
