// What an IOMMU of the model is made with (rules.md section 7).

import type { AgentConfig, TranslationCacheConfig } from "./agent-config.js";
import type { PasidEntry } from "./pasid-entry.js";
import type { SupervisorEntries } from "./walk.js";
import type { Drain } from "./walks.js";

/** Domain id if a binding names none. */
export const DEFAULT_DOMAIN = 1;

/** What a PASID is bound to. */
export interface PasidBinding {
  /** PASID, 20 bits. */
  pasid: number;
  /** Frame number of the root table. */
  root: number;
  /** Fields that are not as a driver sets them for shared virtual addressing. */
  fields?: Partial<Omit<PasidEntry, "root">>;
  /** Domain id, 16 bits; 1 by default. */
  domain?: number;
}

/** What a device with a TLB does. */
export interface DeviceOptions {
  /** It sends page requests. */
  pageRequests: boolean;
  /** Its translation requests for reads say No-Write. */
  noWrite: boolean;
}

/** An IOMMU as it starts. */
export interface IommuConfig extends AgentConfig {
  /** Bindings at the start; the index of a PASID is its place here, later ones follow. */
  pasids: PasidBinding[];
  /** One device TLB per device; undefined for a device without. */
  devices: (TranslationCacheConfig | undefined)[];
  supervisorEntries: SupervisorEntries;
  /** What each device with a TLB does; nothing of it by default. */
  deviceOptions?: DeviceOptions[];
  /** Whether a translation request may say No-Write (ECAP.NWFS). */
  noWriteRequests?: boolean;
  /** Source-id of each device; its number by default. */
  sourceIds?: number[];
  /** What its queue takes; VT-d's descriptors by default. */
  dialect?: "vtd" | "amd";
  cacheSupervisorLeaves: boolean;
  /** Default `atomic`. */
  walks?: "atomic" | "stepwise";
  /** Default `all`. */
  drain?: Drain;
}
