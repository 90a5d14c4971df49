// What agents of the model are made with, and where CPUs and IOMMUs differ (rules.md sections 4 to 7).

import type { Controls } from "./access.js";
import type { CacheGeometry } from "./cache.js";
import type { SupervisorEntries } from "./walk.js";
import type { Drain } from "./walks.js";

/** Page sizes in a configuration. */
export type PageSize = "4K" | "2M" | "1G";

/** A translation cache in a configuration: geometry and the sizes it holds. */
export interface TranslationCacheConfig extends CacheGeometry {
  pageSizes: PageSize[];
}

/** The caches of an agent. A size is held by at most one cache of each list. */
export interface AgentConfig {
  l1: TranslationCacheConfig[];
  l2: TranslationCacheConfig[];
  /** By level of the non-leaf entries; an absent level has no cache. */
  psc: Partial<Record<2 | 3 | 4 | 5, CacheGeometry>>;
}

/** What INVLPG drops of the paging-structure caches. */
export type InvlpgScope = "pcid" | "all" | "path";

/** Who made the hardware. */
export type Vendor = "intel" | "amd";

/** Where agents differ. */
export interface AgentOptions {
  /** CPU: a fault drops what is cached for its address, and G counts. */
  cpu: boolean;
  /** IOMMU: what a user access makes of a non-leaf entry with U/S = 0. */
  supervisorEntries: SupervisorEntries;
  /** Whose hardware it is: which bits it has reserved. */
  vendor: Vendor;
  /** IOMMU of VT-d: what leads to the interrupt range is refused. */
  refusesInterrupts: boolean;
  /** IOMMU: a leaf refused as a supervisor page enters the translation caches if its A is 1. */
  cacheSupervisorLeaves: boolean;
  /** Whether walks may be made step by step, and which of them an invalidation waits for. */
  walks: "atomic" | "stepwise";
  drain: Drain;
}

/** What a translation is made in. */
export interface Context {
  /** Frame number of the root table. */
  root: number;
  controls: Controls;
  /** Tag of the cached entries: PCID or PASID index. */
  tag: number;
  /** IOMMU: the device that asks, and the domain of the PASID. */
  device?: number;
  domain?: number;
}
