// Geometries of caches and their checks. One set of parameters for every cache (docs/rules.md section 4).

import { InvalidOptionError } from "../base/errors.js";
import { boolean, integer, list, object, oneOf, optional } from "../base/schema.js";
import { agentFlag, cachePaths, maxCaches, maxLevels, replacements } from "../engine/abi.js";
import { MAX_ENTRIES, MAX_WAYS } from "../engine/limits.js";

/** Page sizes by their usual names. */
export type PageSizeName = "4K" | "2M" | "1G";
/** How a full set chooses its victim: exact least recently used, first filled, or a fixed pseudo-random sequence. */
export type Replacement = (typeof replacements)[number];

/** A paging-structure cache. Any number of sets: `entries` need not be a power of two, only a multiple of `ways`. */
export interface PagingStructureCacheGeometry {
  /** Entries in all, 1 to 2^22. */
  entries: number;
  /** entries per set, 1 to 4096; `entries` for a fully associative cache. */
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

/** Who made a CPU: by that it reads tables (docs/rules.md rule 3.3), and INVLPG drops (rule 6.2). */
export type Vendor = "intel" | "amd";

/** Caches of a CPU, and its vendor. */
export interface CpuGeometry extends AgentGeometry {
  /** Default `intel`. With `amd` bit 8 of PML4 and PML5 entries must be zero, and `invlpgScope` is `all` unless it is given. */
  vendor?: Vendor;
}

const VENDORS: readonly Vendor[] = ["intel", "amd"];

const LEVEL_OF_SIZE = { "4K": 1, "2M": 2, "1G": 3 } as const;
const PAGE_SIZES = ["4K", "2M", "1G"] as const;

/** Levels whose entries paging-structure caches hold. */
const pathLevels = Array.from({ length: maxLevels - 1 }, (_, i) => i + 2);

const cacheFields = {
  entries: integer(1, MAX_ENTRIES),
  ways: integer(1, MAX_WAYS),
  replacement: optional(oneOf(replacements)),
  enabled: optional(boolean()),
};

/** A paging-structure cache. @internal */
export const pagingStructureCacheSchema = object(cacheFields, "a geometry: { entries, ways, … }");

/** A translation cache. @internal */
export const translationCacheSchema = object(
  { ...cacheFields, pageSizes: optional(list(oneOf(PAGE_SIZES), "at least one of 4K, 2M, 1G", 1)) },
  "a geometry: { entries, ways, … }",
);

/** A vendor. @internal */
export const vendorField = { vendor: optional(oneOf(VENDORS)) };

/** Fields of an agent's geometry. A preset may bring a vendor along, which an IOMMU has no use for: its dialect says that. @internal */
export const agentFields = {
  ...vendorField,
  l1: optional(list(translationCacheSchema, `a list of at most ${maxCaches} geometries`, 0, maxCaches)),
  l2: optional(list(translationCacheSchema, `a list of at most ${maxCaches} geometries`, 0, maxCaches)),
  psc: optional(
    object(
      Object.fromEntries(pathLevels.map((level) => [level, optional(pagingStructureCacheSchema)])),
      `geometries by level, 2 to ${maxLevels}`,
    ),
  ),
};

/** How a vendor's hardware reads tables. @internal */
export function vendorFlag(vendor: Vendor | undefined): number {
  return vendor === "amd" ? agentFlag.amdTables : 0;
}

/** Caches of an agent, and the vendor of a CPU, as data. @internal */
export const geometrySchema = object(agentFields, "an object { l1, l2, psc }, or the name of a geometry");

/** A checked geometry in the engine's terms. @internal */
export interface CacheShape {
  name: string;
  sets: number;
  ways: number;
  /** Bit L for leaves of level L; bit 0 for a paging-structure cache. */
  levels: number;
  replacement: number;
}

/**
 * A cache in the engine's terms; undefined if it is disabled. What one field alone can say has been checked by its schema.
 * @internal
 * @throws InvalidOptionError
 */
export function cacheShape(
  geometry: TranslationCacheGeometry,
  field: string,
  name: string,
  pagingStructure = false,
): CacheShape | undefined {
  const { entries, ways, replacement = "lru", pageSizes = PAGE_SIZES, enabled = true } = geometry;
  if (ways > entries) {
    throw new InvalidOptionError(`${field}.ways`, ways, `an integer from 1 to ${Math.min(entries, MAX_WAYS)}`);
  }
  if (entries % ways !== 0) {
    throw new InvalidOptionError(`${field}.entries`, entries, `a multiple of ${field}.ways (${ways})`);
  }
  if (!enabled) return undefined;
  const levels = pagingStructure ? cachePaths : pageSizes.reduce((bits, size) => bits | (1 << LEVEL_OF_SIZE[size]), 0);
  return { name, sets: entries / ways, ways, levels, replacement: replacements.indexOf(replacement) };
}

/** Checks a list of translation caches: each page size in at most one of them. @internal @throws InvalidOptionError */
export function listShapes(list: readonly TranslationCacheGeometry[], field: string, name: string): CacheShape[] {
  const shapes: CacheShape[] = [];
  let held = 0;
  for (const [i, geometry] of list.entries()) {
    const suffix = list.length > 1 ? `[${i}]` : "";
    const shape = cacheShape(geometry, `${field}[${i}]`, `${name}${suffix}`);
    if (!shape) continue;
    if (held & shape.levels) {
      throw new InvalidOptionError(
        `${field}[${i}].pageSizes`,
        (geometry.pageSizes ?? PAGE_SIZES).join(", "),
        "sizes that no other cache of the list holds",
      );
    }
    held |= shape.levels;
    shapes.push(shape);
  }
  return shapes;
}
