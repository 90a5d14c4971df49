// A geometry, flattened to the lists of caches that the contestants build from. All caches replace the least recently used.
import type { AgentGeometry, TranslationCacheGeometry } from "stalewalk";

/** One cache. */
export interface Shape {
  sets: number;
  ways: number;
  /** Levels of the leaves it holds; of a paging-structure cache the one level of its entries. */
  levels: number[];
}

/** The caches of a CPU. */
export interface Shapes {
  l1: Shape[];
  l2: Shape[];
  /** By level, ascending; `levels` has one element. */
  psc: Shape[];
}

const LEVEL_OF_SIZE = { "4K": 1, "2M": 2, "1G": 3 } as const;

function shapeOf({ entries, ways, replacement = "lru" }: TranslationCacheGeometry, levels: number[]): Shape {
  if (replacement !== "lru") throw new Error(`the contestants know replacement lru only, not ${replacement}`);
  return { sets: entries / ways, ways, levels };
}

/** The caches of a geometry on a machine with that many levels. */
export function shapesOf(geometry: AgentGeometry, levels: 4 | 5): Shapes {
  const list = (caches: readonly TranslationCacheGeometry[] = []) =>
    caches.map((cache) =>
      shapeOf(
        cache,
        (cache.pageSizes ?? (["4K", "2M", "1G"] as const)).map((size) => LEVEL_OF_SIZE[size]),
      ),
    );
  const psc = Object.entries(geometry.psc ?? {})
    .map(([level, cache]) => shapeOf(cache, [Number(level)]))
    .filter((shape) => (shape.levels[0] as number) <= levels);
  return { l1: list(geometry.l1), l2: list(geometry.l2), psc };
}
