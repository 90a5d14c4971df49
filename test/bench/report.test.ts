// Options, statistics and tables of the benchmark.
import { describe, expect, it } from "vitest";
import { planCases, quickSizes } from "../../bench/cases.js";
import { compareChecks, MismatchError } from "../../bench/check.js";
import { measureCase, quickEffort } from "../../bench/measure.js";
import { parseOptions, UsageError } from "../../bench/options.js";
import { formatSet, layOut, perSecond, threeDigits } from "../../bench/report.js";
import { median, quantile, summarise } from "../../bench/statistics.js";
import { syntheticTables } from "../../bench/tables/synthetic.js";
import { timeWithBenchmark } from "../../bench/time.js";

describe("statistics", () => {
  it("takes medians, not means", () => {
    expect(median([1, 100, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([0, 10], 0.25)).toBe(2.5);
    expect(summarise([9, 10, 11, 10, 10])).toEqual({ median: 10, spread: 0 });
    expect(summarise([8, 10, 12]).spread).toBeCloseTo(0.1);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe("options", () => {
  it("reads them", () => {
    expect(parseOptions([])).toEqual({ help: false, quick: false, json: undefined, only: undefined });
    const options = parseOptions(["--quick", "--json", "out.json", "--only", "l1 HIT"]);
    expect(options).toMatchObject({ quick: true, json: "out.json" });
    expect(options.only?.test("synthetic: L1 hit")).toBe(true);
  });

  it.each([[["--fast"]], [["--only", "("]], [["--json"]], [["extra"]]])("refuses %j", (args) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
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
    expect(perSecond(2_000_000)).toBe("0.500 k");
  });

  it("aligns columns", () => {
    expect(
      layOut([
        ["a", "bb"],
        ["ccc", "d"],
      ]),
    ).toBe("a    bb\nccc   d");
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

  it("measures and prints every case on small synthetic tables, without a native contestant", async () => {
    const set = syntheticTables(1 / 32);
    const cases = [];
    for (const plan of planCases(quickSizes, 2)) cases.push(await measureCase(plan.build(set), undefined, quickEffort));
    const byName = new Map(cases.map((result) => [result.name, result]));
    expect(byName.get("L1 hit")?.hitRates.l1).toBeGreaterThan(0.95);
    expect(byName.get("full walk")?.hitRates).toEqual({ l1: 0, l2: 0 });
    for (const { faults, times } of cases) {
      expect(faults).toBe(0);
      expect(Object.keys(times)).toEqual(["stalewalk", "0.1.0", "tuned JS", "naive JS"]);
      // Any number: on a busy machine a short program may take no longer than the empty one that is subtracted.
      for (const { median: ns } of Object.values(times)) expect(ns).toSatisfy(Number.isFinite);
    }
    const text = formatSet({ name: "s", tables: 1, pages: 1, cases, api: [] }, "no C compiler");
    expect(text.match(/no C compiler/g)).toHaveLength(cases.length);
  });
});
