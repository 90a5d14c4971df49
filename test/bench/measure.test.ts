// Measuring; nothing here judges a time.
import { describe, expect, it } from "vitest";
import { planCases, tinySizes } from "../../bench/cases.js";
import { compareChecks, MismatchError } from "../../bench/check.js";
import type { Player } from "../../bench/contestants/contestant.js";
import { type CaseResult, type Field, javascriptField, measureCase, verifyCase } from "../../bench/measure.js";
import type { Effort } from "../../bench/rows.js";
import { syntheticTables } from "../../bench/tables/synthetic.js";
import { timeWithBenchmark } from "../../bench/time.js";
import { tableOf } from "../../src/benchmark/report.js";

const tinyEffort: Effort = { leastRounds: 1, mostRounds: 1, samples: 1, roundSeconds: 0, seconds: 0 };

describe("Benchmark.js", () => {
  it("plays once a sample, each after its preparation, and nothing else", () => {
    let log = "";
    const times = timeWithBenchmark(
      () => {
        log += "P";
      },
      () => {
        log += "r";
      },
      4,
      0,
    );
    expect(times.length).toBeGreaterThanOrEqual(4);
    expect(log).toBe("rP".repeat(times.length));
  });

  it("passes errors on", () => {
    const fail = () => {
      throw new Error("no such table");
    };
    expect(() => timeWithBenchmark(fail, () => {}, 1, 0)).toThrow("no such table");
  });
});

describe("measuring", () => {
  it("names the counter in which two contestants differ", () => {
    const check = (hits: number, hash = "a") => ({ hash, counters: [1, 0, 0, 0, 0, 0, 5, hits, 0, 0, 0] });
    expect(() => compareChecks("set: case", ["x", check(3)], ["y", check(4)])).toThrow(
      new MismatchError("set: case: x and y disagree about hits of cache 0: 3 and 4"),
    );
    expect(() => compareChecks("set: case", ["x", check(3)], ["y", check(3, "b")])).toThrow(
      /outcomes \(hash\): a and b/,
    );
    expect(() => compareChecks("set: case", ["x", check(3)], ["y", check(3)])).not.toThrow();
  });

  it("measures every case on small synthetic tables, without a native contestant", async () => {
    const set = syntheticTables(1 / 32);
    const cases = new Map<string, CaseResult>();
    for (const plan of planCases(tinySizes, 2)) {
      cases.set(plan.name, await measureCase(plan.suite, plan.build(set), [], tinyEffort));
    }
    expect(cases.get("L1 hit")?.hitRates.l1).toBeGreaterThan(0.95);
    expect(cases.get("full walk")?.hitRates).toEqual({ l1: 0, l2: 0 });
    for (const { faults, rows } of cases.values()) {
      expect(faults).toBe(0);
      expect(rows.map(({ contestant }) => contestant)).toEqual(["stalewalk", "0.1.0", "tuned JS", "naive JS"]);
      for (const { digest, samples } of rows) {
        expect(digest).toMatch(/^[0-9a-f]{24}$/);
        expect(samples).toHaveLength(1);
        // Any number: on a busy machine a short program may take no longer than the empty one that is subtracted.
        for (const { least } of samples) expect(least).toSatisfy(Number.isFinite);
      }
      expect(new Set(rows.map(({ digest }) => digest)).size).toBe(1);
    }
    const table = tableOf([...cases.values()].flatMap(({ rows }) => rows).filter(({ suite }) => suite === "flush"));
    expect(table.rows.map(([name]) => name).slice(1)).toEqual([
      "single-page flush, L2 full",
      "33-page range flush, L2 full",
      "one-tag flush, L2 full",
      "full flush",
    ]);
  });

  it("never times a contestant that comes to another result", async () => {
    const set = syntheticTables(1 / 32);
    const [plan] = planCases(tinySizes, 1);
    const wrong = { ...plan!.build(set) };
    const field: Field = [
      ...javascriptField.slice(0, 1),
      // It forgets that it was to play anything.
      ["naive JS", { name: "wrong", create: (world) => blind(javascriptField[3]![1].create(world)) }, "program"],
    ];
    await expect(verifyCase(wrong, [], field)).rejects.toThrow(MismatchError);
  });
});

function blind(player: Player): Player {
  return { counters: () => player.counters(), load: () => player.load(new Uint8Array(0)) };
}
