// What a failing property says: the counterexample, its cause, and the seed that plays it again.
import { describe, expect, it } from "vitest";
import fc from "./fast-check.js";
import { SEED } from "./seed.js";

describe("a property that fails", () => {
  const failing = (): void =>
    fc.assert(
      fc.property(fc.nat(), (n) => {
        expect(n).toBeLessThan(10);
      }),
    );

  it("names its counterexample, its error and STALEWALK_SEED", () => {
    expect(failing).toThrow("Counterexample: [10]");
    expect(failing).toThrow(`seed: ${SEED}`);
    expect(failing).toThrow(`STALEWALK_SEED=${SEED}`);
    const cause = expect.objectContaining({ message: "expected 10 to be less than 10" });
    expect(failing).toThrow(expect.objectContaining({ cause }));
  });

  it("is the same in an asynchronous one", async () => {
    const property = fc.asyncProperty(fc.nat(), async (n) => {
      expect(n).toBeLessThan(10);
    });
    await expect(fc.assert(property)).rejects.toThrow(`STALEWALK_SEED=${SEED}`);
  });

  it("finds the same counterexample every time", () => {
    const values: number[][] = [[], []];
    for (const run of values) {
      fc.assert(
        fc.property(fc.nat(), (n) => {
          run.push(n);
        }),
      );
    }
    expect(values[0]).toHaveLength(100);
    expect(values[0]).toEqual(values[1]);
  });
});
