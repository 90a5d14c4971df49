// Runs a target on mutated inputs and counts. An input that breaks it is shown with what makes it again.
import { mutate, Random } from "./mutate.js";
import { shrink } from "./shrink.js";
import type { FuzzTarget } from "./target.js";
import { keep } from "./targets.js";

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

/** When to stop: after so many inputs, or, if it is given, after so many seconds. */
export interface FuzzOptions {
  inputs: number;
  seconds?: number | undefined;
  seed: number;
}

/** @throws Error that names the seed and the kept, shrunk input, with the failure as its cause */
export async function fuzz(target: FuzzTarget, { inputs, seconds, seed }: FuzzOptions): Promise<FuzzResult> {
  // Copies: a slice of a Buffer is none, and mutation would write into the seeds.
  const seeds = (await target.seeds()).map((bytes) => Uint8Array.from(bytes));
  const structureEnd = (bytes: Uint8Array) => target.structureEnd?.(bytes) ?? bytes.length;
  const memoryBefore = process.memoryUsage.rss();
  const result: FuzzResult = { inputs, read: 0, refused: 0, slowest: 0, memory: memoryBefore, memoryBefore };
  for (const bytes of seeds) await target.run(bytes);
  const end = seconds === undefined ? undefined : performance.now() + seconds * 1000;
  for (let i = 0; end === undefined ? i < inputs : performance.now() < end; i++) {
    result.inputs = i + 1;
    // Each input has a seed of its own, so that one can be made again without those before it.
    const random = new Random(seed + i);
    // One in four is mutated as any file is, whatever the target knows.
    const own = i % 4 === 0 ? undefined : target.mutate;
    const bytes = own ? own(seeds, random) : mutate(seeds, random, structureEnd);
    const start = performance.now();
    try {
      result[await target.run(bytes)]++;
    } catch (error) {
      const small = await shrink(target, bytes.slice());
      const path = keep(target, small);
      throw new Error(
        `${target.name}: broken by the input of seed ${seed + i}, shrunk to ${small.length} bytes in ${path}: ${error}`,
        { cause: error },
      );
    }
    result.slowest = Math.max(result.slowest, performance.now() - start);
    if (i % 64 === 0) result.memory = Math.max(result.memory, process.memoryUsage.rss());
  }
  return result;
}
