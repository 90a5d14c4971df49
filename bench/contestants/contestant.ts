// What every contestant written in JavaScript can do. All of them play the same packed programs (assembly/base/record.ts:
// 16 bytes per operation) and count the same things, so that their results can be compared bit by bit.
import type { World } from "../world.js";

/** Operations of a piece at most: the results of one such are kept. */
export const chunkOperations = 65536;

/** Bytes of an operation. */
export const operationBytes = 16;

/** A piece of a program, made ready for one machine; every outcome is written to memory. */
export interface Piece {
  play(): void;
  /** Outcomes of this piece, until the next one is played. */
  outcomes(): Uint32Array;
}

/** A machine of a contestant. */
export interface Player {
  /** Makes a program ready, in pieces of so many operations. */
  load(program: Uint8Array, pieceOperations?: number): Piece[];
  /** The execution of a descriptor as a piece; only of contestants that have IOMMUs. */
  descriptor?(words: readonly [bigint, bigint]): Piece;
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

/** Cuts a program into chunks of so many operations, each a view of it. @throws RangeError if a chunk's results do not fit */
export function chunksOf(program: Uint8Array, operations: number): Uint8Array[] {
  if (operations > chunkOperations)
    throw new RangeError(`a piece of ${operations} operations; at most ${chunkOperations}`);
  const bytes = operations * operationBytes;
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < program.length; at += bytes) chunks.push(program.subarray(at, at + bytes));
  return chunks;
}

/** Adds up the counters of several CPUs. */
export function sumCounters(all: readonly (readonly number[])[]): number[] {
  const [first, ...rest] = all;
  return (first ?? []).map((value, i) => rest.reduce((sum, counters) => sum + (counters[i] as number), value));
}
