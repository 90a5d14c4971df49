// Every reader of files on mutated inputs: it reads or refuses, and breaks no promise. STALEWALK_FUZZ says how many inputs
// (default 300), STALEWALK_SEED where they begin; more than the default print their figures.
import { describe, expect, it } from "vitest";
import { Random } from "./mutate.js";
import { fuzz } from "./run.js";
import { gzipTargets } from "./targets/gzip.js";
import { imageTarget } from "./targets/image.js";
import { listingTargets } from "./targets/listing.js";

const DEFAULT = 300;
const inputs = Number(process.env["STALEWALK_FUZZ"] ?? DEFAULT);
const seed = Number(process.env["STALEWALK_SEED"] ?? 1);

describe("mutated files", () => {
  it.each([...gzipTargets, imageTarget, ...listingTargets])("$name", { timeout: 2 ** 31 - 1 }, async (target) => {
    const result = await fuzz(target, inputs, seed);
    if (inputs > DEFAULT) {
      const { read, refused, slowest, memory, memoryBefore } = result;
      const mebibytes = [memory, memory - memoryBefore].map((bytes) => Math.round(bytes / 2 ** 20));
      console.log(
        `${target.name}: ${inputs} inputs, ${read} read, ${refused} refused, slowest ${slowest.toFixed(0)} ms, ` +
          `${mebibytes[0]} MiB resident, ${mebibytes[1]} more than before`,
      );
    }
    // Both ends must be met, else the mutations miss what they aim at.
    expect(result.read + result.refused).toBe(inputs);
    expect(Math.min(result.read, result.refused)).toBeGreaterThan(0);
  });

  it("are the same for the same seed", () => {
    const draw = () => Array.from({ length: 20 }, (_, i) => new Random(i).below(1000));
    expect(draw()).toEqual(draw());
    expect(new Set(draw()).size).toBeGreaterThan(15);
  });
});
