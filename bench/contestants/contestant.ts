// What every contestant written in JavaScript can do. All of them play the same packed programs (assembly/base/record.ts:
// 16 bytes per operation) and count the same things, so that their results can be compared bit by bit.
import type { World } from "../world.js";

/** Operations that a program is played in at a time; the results of one such chunk are kept. */
export const chunkOperations = 65536;

/** Bytes of an operation. */
export const operationBytes = 16;

/** A program made ready for one machine; loading is not timed. */
export interface Loaded {
  /**
   * Plays the program once. Every outcome is written to memory.
   * @param onResults sees the outcomes of each chunk before the next one overwrites them; not used when time is taken
   */
  play(onResults?: (outcomes: Uint32Array) => void): void;
}

/** A machine of a contestant. */
export interface Player {
  load(program: Uint8Array): Loaded;
  /**
   * Counters, summed over the CPUs: translations, faults, walks, entry reads, A/D writes, invalidations; then lookups,
   * hits, fills, evictions, invalidated of each cache (l1, l2, paging-structure caches by level).
   */
  counters(): number[];
}

/** A way to build machines. */
export interface Contestant {
  name: string;
  create(world: World): Player;
}

/** Number of counters before those of the caches, and of each cache. */
export const agentCounters = 6;
export const cacheCounters = 5;

/** Cuts a program into chunks, each a view of it. */
export function chunksOf(program: Uint8Array): Uint8Array[] {
  const bytes = chunkOperations * operationBytes;
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < program.length; at += bytes) chunks.push(program.subarray(at, at + bytes));
  return chunks;
}

/** Adds up the counters of several CPUs. */
export function sumCounters(all: readonly (readonly number[])[]): number[] {
  const [first, ...rest] = all;
  return (first ?? []).map((value, i) => rest.reduce((sum, counters) => sum + (counters[i] as number), value));
}
