// Estimates: values by hand, and how often intervals hold what they promise to hold.
import { describe, expect, it } from "vitest";
import { seeded } from "../../bench/random.js";
import {
  chanceBeyond,
  estimateLeast,
  estimateMedian,
  isBeyondChance,
  median,
  ratioOf,
  uncertainty,
} from "../../src/benchmark/statistics.js";

const below = seeded(7);
const uniform = () => below(1_000_000) / 1_000_000;
/** Noise as a busy machine makes it: never below 100, now and then far above. */
const noisy = () => 100 - 5 * Math.log(1 - uniform());
const times = (count: number, draw: () => number) => Array.from({ length: count }, draw);

describe("estimates", () => {
  it("takes medians and leasts, not means", () => {
    expect(median([1, 100, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(estimateLeast([9, 10, 11, 10, 1000]).value).toBe(9);
    expect(estimateMedian([9, 10, 11, 10, 1000]).value).toBe(10);
    for (const estimate of [median, estimateLeast, estimateMedian]) expect(() => estimate([])).toThrow(RangeError);
  });

  it("bounds the least by the rank that another run will not miss, and as far below", () => {
    expect(estimateLeast([10, 11, 13])).toEqual({ value: 10, low: 7, high: 13 });
    // 5/10 * 4/9 * 3/8 is 8.3 %, and 2/7 of it 2.4 %.
    expect(estimateLeast([14, 10, 11, 12, 13])).toEqual({ value: 10, low: 7, high: 13 });
    // 11/22 * 10/21 * 9/20 * 8/19 is 4.5 %, and 7/18 of it 1.8 %.
    expect(estimateLeast(Array.from({ length: 11 }, (_, i) => 20 + i))).toEqual({ value: 20, low: 16, high: 24 });
    expect(estimateLeast([1, 9, 9]).low).toBe(0);
  });

  it("takes no lucky process for the least: of 12 samples the second, of 24 the third", () => {
    const of = (length: number) => estimateLeast(Array.from({ length }, (_, i) => 20 + i));
    // Six before the second: 12!/6! over 24!/18! is 0.69 %, with one of the other run before the last of them 2.7 % more; seven: 0.23 + 1.1 %.
    expect(of(12)).toEqual({ value: 21, low: 16, high: 26 });
    expect(of(24).value).toBe(22);
    expect(estimateLeast([1, ...Array.from({ length: 15 }, () => 10)]).value).toBe(10);
  });

  it("bounds the median by ranks: the outermost of five, the third of twelve", () => {
    expect(estimateMedian([5, 1, 3, 2, 4])).toEqual({ value: 3, low: 1, high: 5 });
    expect(estimateMedian([6, 5, 1, 3, 2, 4])).toEqual({ value: 3.5, low: 1, high: 6 });
    // Of 12 samples at most two lie below the median with 1.9 %, at most three with 7.3 %.
    expect(estimateMedian(Array.from({ length: 12 }, (_, i) => i))).toEqual({ value: 5.5, low: 2, high: 9 });
    expect(estimateMedian([7])).toEqual({ value: 7, low: 7, high: 7 });
  });

  it.each([10, 18, 30])("holds the next run's least of %i samples in about 95 of 100 runs", (count) => {
    let inside = 0;
    for (let run = 0; run < 1000; run++) {
      const { low, high } = estimateLeast(times(count, noisy));
      const next = estimateLeast(times(count, noisy)).value;
      if (low <= next && next <= high) inside++;
    }
    expect(inside).toBeGreaterThan(910);
    expect(inside).toBeLessThan(995);
  });

  it("holds the true median in about 95 of 100 runs", () => {
    const middle = 100 + 5 * Math.log(2);
    let inside = 0;
    for (let run = 0; run < 1000; run++) {
      const { low, high } = estimateMedian(times(21, noisy));
      if (low <= middle && middle <= high) inside++;
    }
    expect(inside).toBeGreaterThan(930);
    expect(inside).toBeLessThan(995);
  });

  it("knows the chance of an order: by counting all orders of two runs", () => {
    // Of 3 and 4 samples there are 35 orders.
    const orders = Array.from({ length: 2 ** 7 }, (_, bits) =>
      [...bits.toString(2).padStart(7, "0")].map(Number),
    ).filter((order) => order.reduce((sum, one) => sum + one) === 3);
    expect(orders).toHaveLength(35);
    const place = (order: number[], of: number, rank: number) =>
      order.flatMap((one, i) => (one === of ? [i] : []))[rank - 1] as number;
    for (const rank of [1, 2, 3]) {
      for (const bound of [1, 2, 3, 4]) {
        const beyond = orders.filter((order) => place(order, 1, rank) > place(order, 0, bound)).length;
        expect(chanceBeyond(rank, 3, bound, 4), `${rank} beyond ${bound}`).toBeCloseTo(beyond / 35, 12);
      }
    }
  });

  it("takes no difference for one that chance makes in one of many rows, and few times only if all lie apart", () => {
    const old = Array.from({ length: 16 }, (_, i) => 100 + i);
    // The second of twelve lies beyond twelve of sixteen, then beyond six.
    const now = (second: number) => [100, second, ...Array.from({ length: 10 }, () => 130)];
    expect(isBeyondChance(114, now(114), old, 200)).toBe(true);
    expect(isBeyondChance(106.5, now(106.5), old, 200)).toBe(false);
    expect(isBeyondChance(99, now(106.5), old, 1)).toBe(false);
    expect(isBeyondChance(106.4, now(106.5).slice(1), old, 200)).toBe(false);
    expect(isBeyondChance(11, [11, 11, 12], [9, 10, 10], 200)).toBe(true);
    expect(isBeyondChance(11, [11, 11, 12], [9, 10, 12], 200)).toBe(false);
  });

  it("knows nothing from two samples", () => {
    expect(uncertainty({ value: 10, low: 9, high: 11 }, 3)).toBeCloseTo(0.1);
    expect(uncertainty({ value: 10, low: 9, high: 11 }, 2)).toBe(Number.POSITIVE_INFINITY);
    expect(uncertainty({ value: 0, low: 0, high: 0 }, 3)).toBe(0);
  });

  it("adds half widths of a ratio as the sides of a right angle", () => {
    const { value, low, high } = ratioOf({ value: 20, low: 19.4, high: 20.6 }, { value: 10, low: 9.6, high: 10.2 });
    expect(value).toBe(2);
    expect(high).toBeCloseTo(2 * 1.05);
    expect(low).toBeCloseTo(2 / 1.05);
    expect(ratioOf({ value: 0, low: 0, high: 0 }, { value: 10, low: 10, high: 10 })).toEqual({
      value: 0,
      low: 0,
      high: 0,
    });
  });
});
