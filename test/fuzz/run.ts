// Runs a target on mutated inputs and counts. An input that breaks it is shown with what makes it again.
import { mutate, Random } from "./mutate.js";
import { shrink } from "./shrink.js";
import type { FuzzTarget } from "./target.js";
import { keep } from "./targets.js";

/** One of the inputs that took longest. */
export interface SlowInput {
  seed: number;
  bytes: number;
  /** Milliseconds in the run, in which a busy machine and collecting garbage have their part. */
  milliseconds: number;
  /** Milliseconds of processor time, all threads, by itself after the run; the least of three: what the input is to blame for. */
  again: number;
}

/** What a run came to. */
export interface FuzzResult {
  inputs: number;
  read: number;
  refused: number;
  /** Those that took longest, the worst by themselves first. */
  slowest: SlowInput[];
  /** The largest resident set seen, in bytes, and how much of it was there before. */
  memory: number;
  memoryBefore: number;
}

/** When to stop: after so many inputs, or so many seconds, whichever is first. */
export interface FuzzOptions {
  inputs: number;
  seconds?: number | undefined;
  seed: number;
}

/** How many of the slowest inputs are looked at again. */
const SLOWEST = 8;

/** @throws Error that names the seed and the kept, shrunk input, with the failure as its cause */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzResult> {
  const { inputs, seconds = Number.POSITIVE_INFINITY, seed } = options;
  // Copies: a slice of a Buffer is none, and mutation would write into the seeds.
  const seeds = (await target.seeds()).map((bytes) => Uint8Array.from(bytes));
  const memoryBefore = process.memoryUsage.rss();
  const result: FuzzResult = { inputs: 0, read: 0, refused: 0, slowest: [], memory: memoryBefore, memoryBefore };
  for (const bytes of seeds) await target.run(bytes);
  const end = performance.now() + seconds * 1000;
  for (let i = 0; i < inputs && performance.now() < end; i++) {
    result.inputs = i + 1;
    const bytes = inputOf(target, seeds, seed, i);
    const { length } = bytes;
    const start = performance.now();
    try {
      result[await target.run(bytes, seed + i)]++;
    } catch (error) {
      const small = await shrink(target, inputOf(target, seeds, seed, i), seed + i);
      const path = keep(target, small);
      throw new Error(
        `${target.name}: broken by the input of seed ${seed + i}, shrunk to ${small.length} bytes in ${path}: ${error}`,
        { cause: error },
      );
    }
    noteSlow(result.slowest, { seed: seed + i, bytes: length, milliseconds: performance.now() - start, again: 0 });
    if (i % 64 === 0) result.memory = Math.max(result.memory, process.memoryUsage.rss());
  }
  for (const slow of result.slowest) {
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const bytes = inputOf(target, seeds, seed, slow.seed - seed);
      const start = process.cpuUsage();
      await target.run(bytes);
      times.push(since(start));
    }
    slow.again = Math.min(...times);
  }
  result.slowest.sort((a, b) => b.again - a.again);
  return result;
}

/** Input `i` of a run. Each has a seed of its own, so that one can be made again without those before it. */
function inputOf(target: FuzzTarget, seeds: readonly Uint8Array[], seed: number, i: number): Uint8Array {
  const random = new Random(seed + i);
  // One in four is mutated as any file is, whatever the target knows.
  const own = (seed + i) % 4 === 0 ? undefined : target.mutate;
  const structureEnd = (bytes: Uint8Array) => target.structureEnd?.(bytes) ?? bytes.length;
  return own ? own(seeds, random) : mutate(seeds, random, structureEnd);
}

function noteSlow(slowest: SlowInput[], input: SlowInput): void {
  if (slowest.length === SLOWEST && input.milliseconds <= slowest[SLOWEST - 1]!.milliseconds) return;
  slowest.push(input);
  slowest.sort((a, b) => b.milliseconds - a.milliseconds);
  slowest.length = Math.min(slowest.length, SLOWEST);
}

function since(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
