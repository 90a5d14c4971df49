// Statistics, measuring and tables of the benchmark; nothing here judges a time.
import { describe, expect, it } from "vitest";
import { planCases, tinySizes } from "../../bench/cases.js";
import { compareChecks, MismatchError } from "../../bench/check.js";
import type { Player } from "../../bench/contestants/contestant.js";
import { type CaseResult, type Field, javascriptField, measureCase, verifyCase } from "../../bench/measure.js";
import { seeded } from "../../bench/random.js";
import { perSecond, plusMinus, tableOf, threeDigits, uncertainRows } from "../../bench/report.js";
import type { Effort } from "../../bench/rows.js";
import { median, quantile, summarise, uncertainty } from "../../bench/statistics.js";
import { syntheticTables } from "../../bench/tables/synthetic.js";
import { timeWithBenchmark } from "../../bench/time.js";
import type { BenchRow } from "../../src/cli/bench-contract.js";

const tinyEffort: Effort = { leastRounds: 1, mostRounds: 1, samples: 1, roundSeconds: 0, seconds: 0 };

describe("statistics", () => {
  it("takes medians and leasts, not means", () => {
    expect(median([1, 100, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([0, 10], 0.25)).toBe(2.5);
    expect(summarise([[9], [10], [11], [10], [1000]])).toMatchObject({ least: 9, median: 10 });
    expect(() => median([])).toThrow(RangeError);
  });

  it("draws rounds as a whole: what disturbs one of them counts once, however many samples it has", () => {
    const quiet = Array.from({ length: 9 }, () => [10, 10, 10]);
    const { leastInterval, medianInterval } = summarise([...quiet, Array.from({ length: 50 }, () => 100)]);
    expect(leastInterval).toEqual({ low: 10, high: 10 });
    // Where the long round is drawn, it outweighs the others.
    expect(medianInterval).toEqual({ low: 10, high: 100 });
  });

  it("knows the true median of a known noise in about 95 of 100 runs, and is the same in each call", () => {
    const below = seeded(7);
    let inside = 0;
    for (let run = 0; run < 200; run++) {
      // Uniform from 100 to 199.999: the median is 150.
      const rounds = Array.from({ length: 21 }, () => [100 + below(100_000) / 1000]);
      const { medianInterval } = summarise(rounds);
      expect(summarise(rounds).medianInterval).toEqual(medianInterval);
      if (medianInterval.low <= 150 && 150 <= medianInterval.high) inside++;
    }
    expect(inside).toBeGreaterThan(178);
    expect(inside).toBeLessThan(200);
  });

  it("knows nothing from two rounds", () => {
    expect(uncertainty(10, { low: 9, high: 11 }, 3)).toBeCloseTo(0.1);
    expect(uncertainty(10, { low: 10, high: 10 }, 2)).toBe(Number.POSITIVE_INFINITY);
    expect([0.004, 0.05, 0.051, 0.5, Number.POSITIVE_INFINITY].map(plusMinus)).toEqual([
      "±0.4%",
      "±5.0%",
      "±5.1% !",
      "±50% !",
      "±? !",
    ]);
  });
});

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

describe("report", () => {
  it("keeps three digits", () => {
    expect([0.01234, 1.234, 12.34, 123.4, 1234].map(threeDigits)).toEqual(["0.0123", "1.23", "12.3", "123", "1234"]);
    expect(perSecond(4)).toBe("250 M");
    expect(perSecond(200_000)).toBe("5.00 k");
    expect(perSecond(2_000_000)).toBe("500");
  });

  it("puts the contestants of a case side by side, and says which rows are known less well than ±5 %", () => {
    const row = (contestant: string, samples: number[][]): BenchRow => {
      const head = { suite: "translate", table: "t", unit: "operation", operations: 5, digest: "d" } as const;
      return { ...head, case: "hit", contestant, samples };
    };
    const rows = [
      row("stalewalk", [[10, 12], [10], [10]]),
      row("native C", [[5], [5], [8]]),
      row("naive JS", [[70], [70]]),
    ];
    const { head, rows: cells } = tableOf([...rows, { ...rows[0]!, case: "walk" }]);
    expect(head).toBe("translate: t");
    expect(cells[0]).toEqual([
      "case",
      "least ns/op",
      "",
      "median",
      "",
      "ops/s",
      "native C ns",
      "ratio",
      "naive JS ns",
      "ratio",
    ]);
    expect(cells[1]!.slice(0, 4)).toEqual(["hit", "10.0", "±0.0%", "10.0"]);
    expect(cells[1]!.slice(5)).toEqual(["100 M", "5.00", "0.500x", "70.0", "7.00x"]);
    expect(cells[2]!.slice(6)).toEqual(["-", "-", "-", "-"]);
    expect(uncertainRows(rows)).toEqual(["t: hit: naive JS 2 rounds only"]);
    expect(uncertainRows([row("stalewalk", [[10], [13], [16]])])).toEqual([
      expect.stringMatching(/^t: hit: stalewalk ±/),
    ]);
  });

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
        for (const ns of samples.flat()) expect(ns).toSatisfy(Number.isFinite);
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
