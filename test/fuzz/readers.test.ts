// Every reader of files, and programs, on mutated inputs: it reads or refuses, and breaks no promise; and on every input that
// broke one once. `npm run fuzz -- TARGET --seconds N` runs one for longer (scripts/fuzz.mjs sets the variables).
// STALEWALK_FUZZ says how many inputs (default 300), STALEWALK_SEED where they begin; more than the default print figures.
import { describe, expect, it } from "vitest";
import { Random } from "./mutate.js";
import { fuzz } from "./run.js";
import { corpus, folderOf, targets } from "./targets.js";

const DEFAULT = 300;
const inputs = Number(process.env["STALEWALK_FUZZ"] ?? DEFAULT);
const seconds = process.env["STALEWALK_FUZZ_SECONDS"] ? Number(process.env["STALEWALK_FUZZ_SECONDS"]) : undefined;
const seed = Number(process.env["STALEWALK_SEED"] ?? 1);
const only = process.env["STALEWALK_FUZZ_TARGET"];
const chosen = targets.filter((target) => only === undefined || folderOf(target) === only);

describe("mutated files", () => {
  it.each(chosen)("$name", { timeout: 2 ** 31 - 1 }, async (target) => {
    const result = await fuzz(target, { inputs, seconds, seed });
    if (inputs > DEFAULT || seconds !== undefined) {
      const { read, refused, slowest, memory, memoryBefore } = result;
      const mebibytes = [memory, memory - memoryBefore].map((bytes) => Math.round(bytes / 2 ** 20));
      console.log(
        `${target.name}: ${result.inputs} inputs, ${read} read, ${refused} refused, slowest ${slowest.toFixed(0)} ms, ` +
          `${mebibytes[0]} MiB resident, ${mebibytes[1]} more than before`,
      );
    }
    // Both ends must be met, else the mutations miss what they aim at.
    expect(result.read + result.refused).toBe(result.inputs);
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
