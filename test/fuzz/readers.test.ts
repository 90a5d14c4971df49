// Every reader of files, and programs, on mutated inputs: it reads or refuses, and breaks no promise; and on every input that
// broke one once. `npm run fuzz -- TARGET --seconds N` runs one for longer (main.ts). STALEWALK_FUZZ says how many inputs
// (default 150), STALEWALK_SEED where they begin.
import { describe, expect, it } from "vitest";
import { Random } from "./mutate.js";
import { fuzz } from "./run.js";
import { corpus, targets } from "./targets.js";

const inputs = Number(process.env["STALEWALK_FUZZ"] ?? 150);
const seed = Number(process.env["STALEWALK_SEED"] ?? 1);

describe("mutated files", () => {
  it.each(targets)("$name", { timeout: 2 ** 31 - 1 }, async (target) => {
    const result = await fuzz(target, { inputs, seed });
    // Both ends must be met, else the mutations miss what they aim at.
    expect(result.read + result.refused).toBe(inputs);
    expect(Math.min(result.read, result.refused)).toBeGreaterThan(0);
  });

  it.each(targets.flatMap((target) => corpus(target).map(({ name, bytes }) => ({ target, name, bytes }))))(
    "$target.name takes $name, which broke it once",
    async ({ target, bytes }) => {
      expect(["read", "refused"]).toContain(await target.run(bytes));
    },
  );

  it("are the same for the same seed", () => {
    const draw = () => Array.from({ length: 20 }, (_, i) => new Random(i).below(1000));
    expect(draw()).toEqual(draw());
    expect(new Set(draw()).size).toBeGreaterThan(15);
  });
});
