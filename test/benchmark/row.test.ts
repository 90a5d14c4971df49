// From samples to a row: which of them its estimates are made of.
import { describe, expect, it } from "vitest";
import { makeRow } from "../../src/benchmark/row.js";

const head = {
  suite: "translate",
  table: "t",
  case: "hit",
  contestant: "c",
  unit: "operation",
  operations: 5,
} as const;
const sample = (least: number, times: number) => ({ least, median: least + 1, times, dropped: 0 });
const rowOf = (...samples: ReturnType<typeof sample>[]) => makeRow({ ...head, digest: "d", counters: {} }, samples);

describe("a row", () => {
  it("takes the least of a round that never was quiet, which disturbances only add to, and not its median", () => {
    const row = rowOf(sample(10, 7), sample(10.1, 7), sample(10.2, 7), sample(9, 0));
    expect([row.least.value, row.median.value]).toEqual([9, 11.1]);
    expect(rowOf(sample(10, 7), sample(10.1, 7), sample(9, 0)).median.value).toBe(11);
  });

  it("is certain if its quiet rounds are enough and lie near each other", () => {
    const near = [sample(10, 7), sample(10.1, 7), sample(10.2, 7), sample(10.1, 7)];
    expect(rowOf(...near).certain).toBe(true);
    expect(rowOf(...near.map((it) => ({ ...it, times: 0 }))).certain).toBe(false);
    expect(rowOf(...near.slice(0, 2)).certain).toBe(false);
    expect(rowOf(sample(10, 7), sample(11, 7), sample(13, 7), sample(14, 7)).certain).toBe(false);
  });
});
