// What a growth curve is, and the sizes that several of them have.
import type { EffortName } from "../src/benchmark/result.js";
import type { BenchCase } from "./cases.js";

/** A curve: what grows, by how much, and the case at each size. */
export interface Curve {
  readonly table: string;
  /** What is counted along the curve. */
  readonly of: string;
  readonly unit: string;
  readonly sizes: readonly number[];
  /** The greatest size that each effort has time for. */
  readonly most: Readonly<Record<EffortName, number>>;
  /** Makes the case at a size; a curve of whole replays has none. */
  readonly build?: (size: number) => BenchCase;
}

/** Entries of a cache that grows, and its ways. */
export const CACHES = [64, 256, 1024, 4096, 16384, 65536];
export const WAYS = 8;
/** Flushes of pages or ranges in a sample, at most. */
export const FLUSHES = 256;

/** The name of the case at a size. */
export const pointOf = ({ of }: Pick<Curve, "of">, size: number): string => `${size} ${of}`;

/** A curve of operations whose largest sizes every effort has time for. */
export function curve(
  table: string,
  of: string,
  sizes: readonly number[],
  build: (name: string, size: number) => BenchCase,
): Required<Curve> {
  const most = sizes.at(-1) as number;
  return {
    ...{ table, of, unit: "operation", sizes },
    most: { quick: most, usual: most, full: most },
    build: (size) => build(pointOf({ of }, size), size),
  };
}

/** The sizes of a curve that an effort has time for; a quick run takes every other one. */
export const sizesOf = ({ sizes, most }: Curve, effort: EffortName): number[] =>
  sizes.filter((size, i) => size <= most[effort] && (effort !== "quick" || i % 2 === 0));
