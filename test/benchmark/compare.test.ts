// Comparing two runs: judged by intervals, relative to a contestant, and what cannot be compared.
import { describe, expect, it } from "vitest";
import { seeded } from "../../bench/random.js";
import { compareRuns, judge } from "../../src/benchmark/compare.js";
import type { BenchResult } from "../../src/benchmark/result.js";
import { resultOf, rowOf } from "./results.js";

const options = { threshold: 0.05, estimator: "least" } as const;
const steady = (value: number) => [1, 1.005, 1.01, 1.01, 1.02].map((factor) => value * factor);

describe("judgement", () => {
  it.each([
    [1.1, 1.06, 1.14, "slower"],
    [1.1, 1.04, 1.16, "unclear"],
    [0.9, 0.88, 0.92, "faster"],
    [0.9, 0.85, 0.96, "unclear"],
    [1.0, 0.96, 1.04, "same"],
    [1.0, 0.9, 1.1, "unclear"],
    [1.051, 1.0501, 1.06, "slower"],
    [1.04, 1.03, 1.05, "same"],
  ] as const)("%f from %f to %f is %s at 5 %%", (value, low, high, expected) => {
    expect(judge({ value, low, high }, 0.05)).toBe(expected);
  });
});

describe("two runs", () => {
  const before = resultOf([rowOf("stalewalk", steady(10)), rowOf("0.1.0", steady(20)), rowOf("old", steady(1))]);

  it("finds a slow-down of 10 % in one row, and nothing in the others", () => {
    const after = resultOf([rowOf("stalewalk", steady(11)), rowOf("0.1.0", steady(20.1)), rowOf("new", steady(1))]);
    const { rows, onlyBefore, onlyAfter, otherResults } = compareRuns(before, after, options);
    expect(rows.map(({ contestant, judgement }) => [contestant, judgement])).toEqual([
      ["stalewalk", "slower"],
      ["0.1.0", "same"],
    ]);
    expect(rows[0]?.ratio.value).toBeCloseTo(1.1);
    expect([onlyBefore, onlyAfter, otherResults]).toEqual([["translate: t: hit: old"], ["translate: t: hit: new"], []]);
    const back = compareRuns(after, before, options);
    expect(back.rows.map(({ judgement }) => judgement)).toEqual(["faster", "same"]);
  });

  it("does not judge what is known too badly, or by two rounds only", () => {
    const wide = resultOf([rowOf("stalewalk", [11, 12, 13, 14]), rowOf("0.1.0", [40, 40])]);
    const { rows } = compareRuns(before, wide, options);
    expect(rows.map(({ judgement }) => judgement)).toEqual(["unclear", "unclear"]);
  });

  it("finds none slower of many rows of one build, each of which is quick or slow by chance; and what is a tenth slower", () => {
    const below = seeded(11);
    const times = () => Array.from({ length: 20 }, () => (below(3) === 0 ? 100 : 125) + below(100) / 50);
    const names = Array.from({ length: 200 }, (_, i) => `row ${i}`);
    let alarms = 0;
    for (let pair = 0; pair < 10; pair++) {
      const [one, other] = [0, 1].map(() => resultOf(names.map((name) => rowOf(name, times()))));
      const { rows } = compareRuns(one as BenchResult, other as BenchResult, options);
      alarms += rows.filter(({ judgement }) => judgement === "slower" || judgement === "faster").length;
    }
    expect(alarms).toBeLessThan(3);
    const noisy = (least: number) => Array.from({ length: 20 }, (_, i) => least * (1 + i / 200));
    const now = names.map((name, i) => rowOf(name, noisy(i === 7 ? 110 : 100)));
    const { rows } = compareRuns(resultOf(names.map((name) => rowOf(name, noisy(100)))), resultOf(now), options);
    expect(rows.filter(({ judgement }) => judgement !== "same").map(({ contestant }) => contestant)).toEqual(["row 7"]);
  });

  it("compares medians if asked", () => {
    const after = resultOf([rowOf("stalewalk", steady(10))]);
    const { rows } = compareRuns(before, after, { ...options, estimator: "median" });
    expect(rows[0]?.before.value).toBeCloseTo(15.15);
  });

  it("relative to a contestant, a slower machine is no slow-down", () => {
    const slower = resultOf([rowOf("stalewalk", steady(15)), rowOf("0.1.0", steady(30))]);
    expect(compareRuns(before, slower, options).rows.map(({ judgement }) => judgement)).toEqual(["slower", "slower"]);
    const { rows } = compareRuns(before, slower, { ...options, relativeTo: "0.1.0" });
    expect(rows.map(({ contestant, before, judgement }) => [contestant, before.value, judgement])).toEqual([
      ["stalewalk", 0.5, "same"],
    ]);
    expect(() => compareRuns(before, slower, { ...options, relativeTo: "0.2.0" })).toThrow(
      'relativeTo is "0.2.0"; expected a contestant beside others in both runs: stalewalk, 0.1.0',
    );
  });

  it("does not compare rows that came to another result, nor runs without a common row", () => {
    const other = resultOf([rowOf("stalewalk", steady(50), { digest: "e" }), rowOf("0.1.0", steady(20))]);
    const { rows, otherResults } = compareRuns(before, other, options);
    expect(rows.map(({ contestant }) => contestant)).toEqual(["0.1.0"]);
    expect(otherResults).toEqual(["translate: t: hit: stalewalk"]);
    const foreign = resultOf([rowOf("stalewalk", steady(10), { case: "walk" })]);
    expect(() => compareRuns(before, foreign, options)).toThrow(
      "rows is a list of 1; expected at least one row that the other run has too",
    );
  });
});
