// The page and the CSV of a sweep: every result is in them or counted, whatever names have in them.
import { describe, expect, it } from "vitest";
import { renderSweep } from "../../src/report/index.js";
import { type SweepLine, sweepCsvHead, sweepCsvRow } from "../../src/sweep/index.js";

const cell = (policy: string, says: "hazard" | "proved safe" | "no hazard found", more: object = {}): SweepLine => ({
  job: {
    kind: "verdict",
    kernel: "7.3",
    policy: { name: policy },
    site: "exit",
    hardware: [],
    prove: says !== "no hazard found",
  },
  result: { says, ...more },
});
const played = (seed: number, lostNs: number, iommu: number): SweepLine => ({
  job: { kind: "simulate", profile: "vmalloc-churn", policy: "none", geometry: "skylake", seed, operations: 1000 },
  result: {
    lostNs,
    totalNs: 2 * lostNs,
    invalidations: { page: 3, pasid: 1 },
    hazards: { iommu, cpu: 7 },
    heldPeak: seed,
  },
});
const LINES: readonly SweepLine[] = [
  cell("=<b>a", "hazard", { hazard: "stale", story: ["one", "two"], race: null }),
  cell("b", "proved safe", { states: 1234, transitions: 5678, race: "stale" }),
  cell("c", "no hazard found"),
  played(1, 1000, 0),
  played(2, 3000, 5),
];

describe("a sweep's CSV", () => {
  it("has a row for each job with as many cells as the head", () => {
    const rows = [sweepCsvHead(), ...LINES.map(sweepCsvRow)].map((row) => row.replace(/\r\n$/, "").split(","));
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    const column = (name: string) => rows.slice(1).map((row) => row[rows[0]?.indexOf(name) ?? -1]);
    expect(column("policy")).toEqual(["'=<b>a", "b", "c", "none", "none"]);
    expect(column("says")).toEqual(["hazard", "proved safe", "no hazard found", "", ""]);
    expect(column("race")).toEqual(["none", "stale", "", "", ""]);
    expect(column("steps")).toEqual(["2", "", "", "", ""]);
    expect(column("states")).toEqual(["", "1234", "", "", ""]);
    expect(column("invalidations")).toEqual(["", "", "", "4", "4"]);
    expect(column("hazards_cpu")).toEqual(["", "", "", "7", "7"]);
  });
});

describe("a sweep's page", () => {
  it("shows cells by policy and site, costs by workload and policy, and lets no name become markup", async () => {
    const page = await renderSweep(LINES, { name: "<i>plan" });
    expect(page).toContain("<title>&lt;i&gt;plan: a sweep of 5 jobs</title>");
    expect(page).toContain("=&lt;b&gt;a");
    expect(page).not.toMatch(/<(script|b|i)>/);
    const text = page.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ");
    expect(text).toMatch(/=&lt;b&gt;a ● hazard/);
    expect(text).toMatch(/b ◐ by a race/);
    expect(text).toMatch(/c ○ none found/);
    // Runs, mean, least, most, invalidations, frames, walks.
    expect(text).toMatch(/none 2 2\.0\s?µs 1\.0\s?µs 3\.0\s?µs 4 2 5/);
    expect(text).toMatch(/cells: hazard 1/);
  });

  it("counts what it has no room for", async () => {
    const lines = Array.from({ length: 7 }, (_, i): SweepLine => {
      const { job, result } = played(1, i, 0);
      return { job: { ...job, operations: 1000 + i } as SweepLine["job"], result };
    });
    const page = await renderSweep(lines, { name: "plan", maxGroups: 4 });
    expect(page.match(/<h3>/g)).toHaveLength(4);
    expect(page).toContain("3 workloads more");
  });
});
