// Geometries of caches and their checks. One set of parameters for every cache (docs/rules.md section 4).

import { checkInteger, checkOneOf, InvalidOptionError } from "../base/errors.js";
import { cachePaths, maxCaches, replacements } from "../engine/abi.js";
import { MAX_ENTRIES, MAX_WAYS } from "../engine/limits.js";

/** Page sizes by their usual names. */
export type PageSizeName = "4K" | "2M" | "1G";
/** How a full set chooses its victim: exact least recently used, first filled, or a fixed pseudo-random sequence. */
export type Replacement = (typeof replacements)[number];

/** A paging-structure cache. Any number of sets: `entries` need not be a power of two, only a multiple of `ways`. */
export interface PagingStructureCacheGeometry {
  /** Entries in all, 1 to 2^22. */
  entries: number;
  /** Entries a set, 1 to 4096; `entries` for a fully associative cache. */
  ways: number;
  /** Default `lru`. */
  replacement?: Replacement;
  /** Default true; a disabled cache is never looked up and never filled. */
  enabled?: boolean;
}

/** A translation cache: a TLB, an IOTLB, a device TLB. */
export interface TranslationCacheGeometry extends PagingStructureCacheGeometry {
  /** Sizes of pages that it holds; default all three, mixed in the same sets. */
  pageSizes?: readonly PageSizeName[];
}

/** Caches of an agent. */
export interface AgentGeometry {
  /** Looked up first, in this order; each page size in at most one of them. Up to 3. Default none. */
  l1?: readonly TranslationCacheGeometry[];
  /** Looked up after l1. Up to 3. Default none. */
  l2?: readonly TranslationCacheGeometry[];
  /** Paging-structure caches by the level of the entries they hold: 2 = PDE, 3 = PDPTE, 4 = PML4E, 5 = PML5E. */
  psc?: Partial<Record<2 | 3 | 4 | 5, PagingStructureCacheGeometry>>;
}

const LEVEL_OF_SIZE = { "4K": 1, "2M": 2, "1G": 3 } as const;

/** A checked geometry in the engine's terms. @internal */
export interface CacheShape {
  name: string;
  sets: number;
  ways: number;
  /** Bit L for leaves of level L; bit 0 for a paging-structure cache. */
  levels: number;
  replacement: number;
}

/** Checks one cache. @internal @throws InvalidOptionError */
export function cacheShape(
  geometry: TranslationCacheGeometry,
  field: string,
  name: string,
  pagingStructure = false,
): CacheShape | undefined {
  const entries = checkInteger(`${field}.entries`, geometry.entries, 1, MAX_ENTRIES);
  const ways = checkInteger(`${field}.ways`, geometry.ways, 1, Math.min(entries, MAX_WAYS));
  if (entries % ways !== 0) {
    throw new InvalidOptionError(`${field}.entries`, entries, `a multiple of ${field}.ways (${ways})`);
  }
  const replacement = replacements.indexOf(
    checkOneOf(`${field}.replacement`, geometry.replacement ?? "lru", replacements),
  );
  const sizes = geometry.pageSizes ?? ["4K", "2M", "1G"];
  let levels = pagingStructure ? cachePaths : 0;
  if (!pagingStructure) {
    if (sizes.length === 0) throw new InvalidOptionError(`${field}.pageSizes`, "[]", "at least one of 4K, 2M, 1G");
    for (const [i, size] of sizes.entries()) {
      levels |= 1 << LEVEL_OF_SIZE[checkOneOf(`${field}.pageSizes[${i}]`, size, ["4K", "2M", "1G"] as const)];
    }
  }
  if (geometry.enabled === false) return undefined;
  return { name, sets: entries / ways, ways, levels, replacement };
}

/** Checks a list of translation caches: each page size in at most one of them. @internal @throws InvalidOptionError */
export function listShapes(
  list: readonly TranslationCacheGeometry[] | undefined,
  field: string,
  name: string,
): CacheShape[] {
  const caches = list ?? [];
  if (caches.length > maxCaches) {
    throw new InvalidOptionError(field, `${caches.length} caches`, `at most ${maxCaches}`);
  }
  const shapes: CacheShape[] = [];
  let held = 0;
  for (const [i, geometry] of caches.entries()) {
    const suffix = caches.length > 1 ? `[${i}]` : "";
    const shape = cacheShape(geometry, `${field}[${i}]`, `${name}${suffix}`);
    if (!shape) continue;
    if (held & shape.levels) {
      throw new InvalidOptionError(
        `${field}[${i}].pageSizes`,
        (geometry.pageSizes ?? ["4K", "2M", "1G"]).join(", "),
        "sizes that no other cache of the list holds",
      );
    }
    held |= shape.levels;
    shapes.push(shape);
  }
  return shapes;
}
