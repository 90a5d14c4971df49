// Growth curves: every point is a case that can be played, what grows is what it says, and the page shows every point.
import { describe, expect, it } from "vitest";
import { operationsIn } from "../../bench/cases.js";
import { stalewalkMachine } from "../../bench/contestants/stalewalk.js";
import { curves } from "../../bench/growth.js";
import { pointOf, sizesOf } from "../../bench/growth-curve.js";
import { iommuCurves } from "../../bench/growth-iommu.js";
import { openGrowthTask } from "../../bench/growth-tasks.js";
import { flatTables, tablesOfFrames } from "../../bench/tables/flat.js";
import { requesterOf } from "../../bench/world.js";
import { checkBenchResult } from "../../src/benchmark/result.js";
import { renderBench } from "../../src/report/bench.js";
import { resultOf, rowOf } from "../benchmark/results.js";

/** What is checked by day: larger ones differ by their size alone. */
const MOST = 4096;

describe("growth curves", () => {
  it.each(curves.filter(({ build }) => build).map((it) => [it.table, it] as const))("%s", async (table, curve) => {
    const sizes = curve.sizes.filter((size) => size <= MOST);
    expect(sizes.length).toBeGreaterThan(2);
    for (const size of sizes) {
      const task = openGrowthTask({ kind: "growth", table }, pointOf(curve, size), "stalewalk");
      const { hash, counters } = await task.check();
      expect(hash).toMatch(/^[0-9a-f]{16}$/);
      expect(counters["translations"]).toBe(await translationsOf(curve, size));
      // Every translation of a page that is mapped: a fault would be another cost.
      expect(counters["faults"]).toBe(0);
      if (curve.of === "entries") {
        // The cache was full, and nothing was evicted while it was filled.
        expect(counters["fills of cache 0"]).toBeGreaterThanOrEqual(size);
        expect(counters["evictions of cache 0"]).toBe(0);
        expect(counters["invalidated of cache 0"]).toBeGreaterThan(0);
      }
    }
  });

  it.each(iommuCurves.filter(({ of }) => of !== "entries").map((it) => [it.table, it] as const))(
    "%s: drops what it names of everybody who shares the cache",
    async (table, curve) => {
      for (const size of curve.sizes) {
        const task = openGrowthTask({ kind: "growth", table }, pointOf(curve, size), "stalewalk");
        const { counters } = await task.check();
        const single = table.includes("page-selective");
        expect(counters["invalidated of cache 0"]).toBe(2 * (single ? 256 : 1024));
        expect(counters["evictions of cache 0"]).toBe(0);
        expect(counters["faults"]).toBe(0);
        const { world } = curve.build!(size);
        const { pasids, devices } = world.iommu!;
        expect(curve.of === "devices" ? devices : pasids).toBe(size);
        const [iommu] = stalewalkMachine(world).iommus;
        const last = iommu!.requester(pasids - 1, devices - 1);
        expect(requesterOf(world.iommu!, pasids - 1, devices - 1)).toBe(last);
      }
    },
  );

  it("takes as many tables as a point says", () => {
    for (const frames of [10, 100, 1000, 10_000]) expect(tablesOfFrames(frames).tables).toHaveLength(frames);
    const { pages, tables } = flatTables(1025);
    expect([pages.length, tables.length, pages[1024]!.va - pages[0]!.va]).toEqual([1025, 6, 1024n << 12n]);
  });

  it("replays the operations that a point says", async () => {
    const [curve] = curves.filter(({ build }) => !build);
    const task = openGrowthTask({ kind: "growth", table: curve!.table }, "100000 operations", "stalewalk");
    expect((await task.check()).counters["operations"]).toBeGreaterThanOrEqual(100_000);
    expect(curves.map((it) => sizesOf(it, "full").at(-1))).toContain(1e8);
  });
});

/** Accesses of a case, prepared and played twice. */
async function translationsOf(curve: (typeof curves)[number], size: number): Promise<number> {
  const { prepare, program } = curve.build!(size);
  const accesses = (bytes: Uint8Array) =>
    Array.from({ length: operationsIn(bytes) }, (_, i) => bytes[16 * i]).filter((operation) => operation === 1).length;
  return 2 * (accesses(prepare) + accesses(program));
}

describe("the page of a run", () => {
  const grown = [64, 256, 1024].map((size, i) => ({
    ...rowOf("stalewalk", [10 * (i + 1), 10.1 * (i + 1), 10.2 * (i + 1)]),
    ...{ table: "flush <by> entries", case: `${size} entries`, grows: { of: "entries", size } },
  }));

  it("draws a curve with a mark for every point, and has all tables", async () => {
    const result = checkBenchResult(resultOf([...grown, rowOf("stalewalk", [1, 2, 3])]));
    const page = await renderBench(result);
    expect(page.match(/<circle/g)).toHaveLength(2 * grown.length);
    expect(page).toContain("flush &lt;by&gt; entries");
    expect(page).not.toMatch(/<script|NaN|Infinity/);
    expect(page).toContain("stalewalk: 10.0 ns at 64 entries, 30.0 ns at 1,024");
  });

  it("is without curves where nothing grows", async () => {
    expect(await renderBench(resultOf([rowOf("stalewalk", [1, 2, 3])]))).not.toContain("Growth");
  });
});
