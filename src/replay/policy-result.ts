// What a replay says of one policy: what it did with the trace, what it cost, what it let through.

import type { Cost } from "../cost/result.js";
import type { Hazard, HazardKind } from "../kernel/hazards.js";
import type { KernelCounters } from "../kernel/kernel.js";
import type { Policy } from "../kernel/policies.js";
import type { Site } from "../program/sites.js";

/** The same bins for one policy. */
export interface PolicyTimeline {
  /** Descriptors of IOMMU invalidation (IOTLB and device TLB). */
  readonly invalidations: readonly number[];
  /** Waits for the queue that the submitter spins for. */
  readonly queueWaits: readonly number[];
  /** Walks and hits with a hazard. */
  readonly hazards: readonly number[];
  /** Frames on the deferred list at the end of the bin. */
  readonly framesHeld: readonly number[];
}

/** Counters of one side of the machine: all CPUs, or all IOMMUs with their device TLBs. */
export interface AgentTotals {
  /** Translations asked for. */
  readonly translations: number;
  /** Faults and non-canonical addresses; speculative walks have none. */
  readonly faults: number;
  /** Walks of tables. */
  readonly walks: number;
  /** Entries that walks read. */
  readonly entryReads: number;
  /** Entries in which a walk set A or D. */
  readonly adWrites: number;
  /** Entries put into caches, translation and paging-structure. */
  readonly fills: number;
  /** Live entries that invalidations dropped. */
  readonly invalidated: number;
  /** Live entries that fills displaced. */
  readonly evictions: number;
}

/** What one policy did with the trace, what it cost, and what it let through. */
export interface PolicyResult {
  /** The policy, every field filled in. */
  readonly policy: Policy;
  /** The kernel's counters. */
  readonly kernel: KernelCounters;
  /** Tables given back, by site. */
  readonly tablesFreed: Readonly<Record<Site, number>>;
  /** All IOMMUs with their device TLBs. */
  readonly iommu: AgentTotals;
  /** Page requests that the device has sent: 0 unless it sends them (`devices.pageRequests`). */
  readonly pageRequests: number;
  /** All CPUs. */
  readonly cpu: AgentTotals;
  /** Invalidations by kind, to compare policies with. */
  readonly invalidations: {
    /** IOTLB, an aligned range of one PASID. */
    readonly pageSelective: number;
    /** IOTLB, all of one PASID. */
    readonly pasidSelective: number;
    /** Invalidations of everything in an IOTLB. */
    readonly global: number;
    /** PASID cache. */
    readonly pasidCache: number;
    /** Device TLBs, of any range. */
    readonly deviceTlb: number;
  };
  /** Hooked flushes that invalidated although they freed no table. */
  readonly needlessRounds: number;
  /** Frames on the deferred list. */
  readonly held: {
    /** Frames that were deferred in all, most at a time, still on the list at the end. */
    readonly frames: number;
    /** Most at a time. */
    readonly peak: number;
    /** Frames still on the list at the end. */
    readonly left: number;
    /** Mean time on the list of those released, ns; 0 if there were none. */
    readonly meanNs: number;
  };
  /**
   * Live entries that invalidations dropped from IOMMU caches, translations and tables: each has to be read again if it is
   * used again, so this is the most refills that the policy caused.
   */
  readonly refills: number;
  /**
   * Time that the policy cost, ns by the cost model: invalidations, waits for the queue, deferred work, second roots, and one
   * entry read for each of {@link refills}. The mmu notifier's own invalidations are in it under every policy.
   */
  readonly lostNs: number;
  /** The bill of this policy. */
  readonly cost: Cost;
  /** What it let through. */
  readonly hazards: ReplayHazards;
  /** The pool ran out of frames: figures of this policy are not complete. */
  readonly outOfFrames: number;
  /** The kernel counters of flush calls equal those of the trace. */
  readonly flushesMatch: boolean;
  /** Its events over time. */
  readonly timeline: PolicyTimeline;
  /** Seconds spent playing this policy's machine. */
  readonly seconds: number;
}

/** Hazards of one policy. */
export interface ReplayHazards {
  /** Walks and hits with a hazard. */
  readonly total: number;
  /** CPUs have the same disease in a milder form, whatever the IOMMU policy. */
  readonly byAgent: { readonly iommu: number; readonly cpu: number };
  /** By kind; a record of several kinds counts in each. */
  readonly byKind: Readonly<Record<HazardKind, number>>;
  /** By the site that freed; hits have none. */
  readonly bySite: Readonly<Partial<Record<Site, Readonly<Record<HazardKind, number>>>>>;
  /** Table frees of the trace whose table an IOMMU walked through afterwards: index in `frees` (may exceed the list) and walks. */
  readonly byFree: readonly FreeHazards[];
  /** The first records, of each freed table at most three, in all at most `ReplayConfiguration.maxHazards`. */
  readonly records: readonly ReplayHazard[];
  /** Records that are not in the list. */
  readonly dropped: number;
}

/** Walks through one freed table. */
export interface FreeHazards {
  /** Index of the free, as in `ReplayResult.frees`. */
  readonly free: number;
  /** Walks through that table. */
  readonly total: number;
  /** The same by kind. */
  readonly byKind: Readonly<Record<HazardKind, number>>;
  /** Time from the free to the first and to the last such walk, ns. */
  readonly firstAfterNs: number;
  /** Time from the free to the last such walk, ns. */
  readonly lastAfterNs: number;
}

/** A hazard with what the replay knows of it. `time` is ns from the first event. */
export interface ReplayHazard extends Hazard {
  /** `IOMMU` with its PASID, or `CPU 0`. */
  readonly who: string;
  /** Index in `frees` of the free that made the frame stale, if the trace's frees include it. */
  readonly free: number | undefined;
}
