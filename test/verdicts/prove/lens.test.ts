// The small module that compares states and copies them: against loops over the same memory.
import { describe, expect, it } from "vitest";
import { Lens, type Range } from "../../../src/verdicts/prove/lens.js";
import fc from "../../support/fast-check.js";
import { stageOf } from "./cells.js";

const { machine } = stageOf({ policy: "none" });
const before = machine.memoryBytes;
const lens = new Lens(machine);
/** Where something may be written: contents of frames. */
const FROM = machine.engine.exports.contentsOf(1) >> 2;
const WORDS = 2048;
const words = fc.uniqueArray(fc.nat(WORDS - 1), { maxLength: 40 });
/** Ranges of whole words that ascend and do not touch, of every length from none to more than four vectors. */
const ranges = fc.array(fc.tuple(fc.nat(9), fc.nat(70)), { minLength: 1, maxLength: 12 }).map((pairs) => {
  let at = FROM;
  return pairs.map(([gap, length]): Range => {
    const from = at + gap;
    at = from + length;
    return [4 * from, 4 * at];
  });
});

describe("the lens over states", () => {
  it("finds the words that differ from the cell's begin, no other, in order; writes nothing else", () => {
    fc.assert(
      fc.property(ranges, words, fc.nat(7), (asked, altered, from) => {
        lens.beginHere();
        const list = lens.list(asked);
        for (const word of altered) (lens.words[FROM + word] as number)++;
        const expected = asked.flatMap(([start, end]) =>
          Array.from({ length: (end - start) / 4 }, (_, i) => start / 4 + i)
            .filter((word) => altered.includes(word - FROM))
            .flatMap((word) => [word, lens.words[word] as number]),
        );
        lens.form.fill(7, 0, 4096);
        const end = lens.differences(list, lens.form, from);
        expect([...lens.form.subarray(from, end)]).toEqual(expected);
        expect(lens.form.subarray(0, 4096).filter((word) => word !== 7).length).toBe(
          expected.filter((word) => word !== 7).length,
        );
      }),
      { numRuns: 200 },
    );
  });

  it("copies ranges and pieces between the state at hand, the one held and the begin, and nothing beside them", () => {
    fc.assert(
      fc.property(ranges, words, (asked, altered) => {
        lens.beginHere();
        const list = lens.list(asked);
        const start = lens.words.slice(FROM, FROM + WORDS);
        for (const word of altered) (lens.words[FROM + word] as number)++;
        const after = lens.words.slice(FROM, FROM + WORDS);
        const inside = (i: number) => asked.some(([from, end]) => 4 * (FROM + i) >= from && 4 * (FROM + i) < end);
        lens.copyRanges(list, lens.now, lens.held);
        lens.copyRanges(list, lens.begin, lens.now);
        expect(lens.words.slice(FROM, FROM + WORDS)).toEqual(
          after.map((word, i) => (inside(i) ? (start[i] as number) : word)),
        );
        for (const [from, end] of asked) lens.copy(from, end - from, lens.held, lens.now);
        expect(lens.words.slice(FROM, FROM + WORDS)).toEqual(after);
      }),
      { numRuns: 100 },
    );
  });

  it("stands behind all that the machine has, and says so when the machine grows into it", () => {
    expect(machine.memoryBytes).toBe(before);
    expect(lens.begin).toBeGreaterThanOrEqual(before);
    const grown = new Proxy(machine, {
      get: (it, name) => (name === "memoryBytes" ? 2 ** 31 : Reflect.get(it, name, it)),
    });
    expect(() => new Lens(grown).beginHere()).toThrow("the machine has grown into other states");
  });
});
