// Runs a target on mutated inputs and counts. An input that breaks it is shown with what makes it again.
import { mutate, Random } from "./mutate.js";
import type { FuzzTarget } from "./target.js";

/** What a run came to. */
export interface FuzzResult {
  inputs: number;
  read: number;
  refused: number;
  /** The longest that one input took, in milliseconds; for the eye, since a busy machine adds to it. */
  slowest: number;
  /** The largest resident set seen, in bytes, and how much of it was there before. */
  memory: number;
  memoryBefore: number;
}

/** @throws Error that names the seed and shows the input, with the failure as its cause */
export async function fuzz(target: FuzzTarget, inputs: number, seed: number): Promise<FuzzResult> {
  const seeds = await target.seeds();
  const structureEnd = (bytes: Uint8Array) => target.structureEnd?.(bytes) ?? bytes.length;
  const memoryBefore = process.memoryUsage.rss();
  const result: FuzzResult = { inputs, read: 0, refused: 0, slowest: 0, memory: memoryBefore, memoryBefore };
  for (const bytes of seeds) await target.run(bytes);
  for (let i = 0; i < inputs; i++) {
    // Each input has a seed of its own, so that one can be made again without those before it.
    const bytes = mutate(seeds, new Random(seed + i), structureEnd);
    const start = performance.now();
    try {
      result[await target.run(bytes)]++;
    } catch (error) {
      const shown = bytes.length > 4096 ? `${bytes.length} bytes` : `base64 ${Buffer.from(bytes).toString("base64")}`;
      throw new Error(`${target.name}: broken by the input of seed ${seed + i} (${shown}): ${error}`, { cause: error });
    }
    result.slowest = Math.max(result.slowest, performance.now() - start);
    if (i % 64 === 0) result.memory = Math.max(result.memory, process.memoryUsage.rss());
  }
  return result;
}
