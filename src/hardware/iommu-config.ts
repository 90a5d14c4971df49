// An IOMMU and its devices as configured: options, where hardware differs, and their checks (docs/rules.md section 7).

import { boolean, integer, list, object, oneOf, optional, text } from "../base/schema.js";
import { cacheKeyTag } from "../engine/abi.js";
import { MAX_PASID } from "../engine/limits.js";
import { type AgentGeometry, agentFields, type TranslationCacheGeometry, translationCacheSchema } from "./geometry.js";
import { type WalkOptions, walkFields } from "./walks.js";

/** A device behind an IOMMU. */
export interface DeviceConfig {
  /** For output; default `device0`, … */
  name?: string;
  /** TLB on the device (PCIe ATS); default none. */
  deviceTlb?: TranslationCacheGeometry;
  /**
   * It sends a page request (PCIe PRI) for an access that is refused and that software could mend; the IOMMU then drops what it
   * holds of that page and PASID (VT-d 6.5.3.1). Needs a `deviceTlb`, and VT-d. Default false.
   */
  pageRequests?: boolean;
  /** Its translation requests for reads say No-Write (PCIe ATS). Needs a `deviceTlb`. Default false. */
  noWrite?: boolean;
  /** Bus, device and function, 16 bits, as descriptors name it; each device has another. Default its number. */
  sourceId?: number;
}

/** An IOMMU: its caches (`l1` is the IOTLB), its PASIDs, its devices, and where hardware differs. */
export interface IommuConfig extends AgentGeometry, WalkOptions {
  /** PASIDs that may be bound, each 0 to 2^20 - 1. Default [1]. */
  pasids?: readonly number[];
  /** Default one device without a TLB. */
  devices?: readonly DeviceConfig[];
  /** What a request makes of a non-leaf entry with U/S = 0. Default `cache`. */
  supervisorEntries?: SupervisorEntries;
  /**
   * Translation requests may say No-Write (ECAP.NWFS). Without it, or without the device's saying so, a translation request
   * counts as a read and a write (VT-d 4.2.3.1): it makes a writable page dirty. Default false.
   */
  noWriteRequests?: boolean;
  /** Whose it is: how invalidations are encoded, how the driver batches and waits, how tables are read. Default `vtd`. */
  dialect?: "vtd" | "amd";
  /**
   * A walk refused at a supervisor leaf still puts the leaf into the IOTLB: hardware that does more than VT-d's text allows,
   * by which no walk that meets a fault is cached there (6.2.4.1). Default false.
   */
  cacheSupervisorLeaves?: boolean;
}

/**
 * What a user request makes of a non-leaf entry with U/S = 0; VT-d's text leaves room for three readings (docs/rules.md rule
 * 3.7). `cache`: the walk goes on, and the entry goes into the paging-structure cache (as Intel describes its hardware).
 * `walk`: the walk goes on and sets A, but caches no path from there down. `stop`: it is refused there (as QEMU does).
 */
export type SupervisorEntries = (typeof SUPERVISOR_ENTRIES)[number];

/** The readings, the usual one first. */
export const SUPERVISOR_ENTRIES = ["cache", "walk", "stop"] as const;

/** Tags of a cache; the last value stands for "global". */
const MAX_TAGS = Number(cacheKeyTag);

const DIALECTS = ["vtd", "amd"] as const;

/** An IOMMU. @internal */
export const iommuSchema = object(
  {
    ...agentFields,
    ...walkFields,
    pasids: optional(list(integer(0, MAX_PASID), `1 to ${MAX_TAGS} PASIDs`, 1, MAX_TAGS)),
    devices: optional(
      list(
        object(
          {
            name: optional(text()),
            deviceTlb: optional(translationCacheSchema),
            sourceId: optional(integer(0, 0xffff)),
            pageRequests: optional(boolean()),
            noWrite: optional(boolean()),
          },
          "an object that describes a device",
        ),
      ),
    ),
    supervisorEntries: optional(oneOf(SUPERVISOR_ENTRIES)),
    noWriteRequests: optional(boolean()),
    dialect: optional(oneOf(DIALECTS)),
    cacheSupervisorLeaves: optional(boolean()),
  },
  "an object that describes an IOMMU",
);
