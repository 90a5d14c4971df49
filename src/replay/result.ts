// The result of a replay: one object for all policies, with everything that is needed to repeat it. Tables, CSV and the
// HTML report are made from this type alone. JSON: bigints become strings like "0x1a2b" (`toJson` in json.ts).

import type { CostModel } from "../cost/model.js";
import type { Cost } from "../cost/result.js";
import type { AgentGeometry } from "../hardware/geometry.js";
import type { Hazard, HazardKind } from "../kernel/hazards.js";
import type { KernelCounters } from "../kernel/kernel.js";
import type { Policy } from "../kernel/policies.js";
import type { Site } from "../program/sites.js";
import type { QueueSummary } from "../queue/summary.js";
import type { TraceFormat } from "../trace/index.js";
import type { DeviceModel } from "./device-model.js";

/** A replay of one trace under one or more policies. */
export interface ReplayResult {
  /** Tells this kind of result from others. */
  readonly format: "stalewalk-replay";
  /** Version of this shape. */
  readonly version: 1;
  /** Version of the package that made it, if the caller told it. */
  readonly packageVersion: string | undefined;
  /** What the replay depends on besides the trace. */
  readonly configuration: ReplayConfiguration;
  /** What the trace cannot say and the replay assumes, one sentence each, numbers included. To be shown with any figure. */
  readonly assumptions: readonly string[];
  /** The trace as it was read. */
  readonly trace: ReplayTrace;
  /** What the trace became. */
  readonly program: ReplayProgram;
  /** Table frees of the trace in order, at most {@link ReplayConfiguration.maxFrees}; `program.frees` counts all. */
  readonly frees: readonly TableFree[];
  /** Events over time, the same for every policy. */
  readonly timeline: Timeline;
  /** Descriptors of the driver's own invalidation queue in the trace. */
  readonly queue: QueueSummary;
  /** One per policy, in the order asked for. */
  readonly policies: readonly PolicyResult[];
  /** How fast it went. */
  readonly throughput: ReplayThroughput;
}

/** All that a replay depends on besides the trace. */
export interface ReplayConfiguration {
  /** The policies, every field filled in. */
  readonly policies: readonly Policy[];
  /** CPUs modelled, and their caches. */
  readonly cpus: number;
  /** Caches of each CPU. */
  readonly cpuGeometry: NamedGeometry;
  /** Caches of the IOMMU. */
  readonly iommuGeometry: NamedGeometry;
  /** Where the sizes of caches are from. */
  readonly geometrySource: string;
  /** How invalidations are encoded. */
  readonly dialect: "vtd" | "amd";
  /** A walk ends at the first non-leaf entry with U/S = 0 (as one emulator behaves). */
  readonly stopAtSupervisor: boolean;
  /** Levels of the tables. */
  readonly levels: 4 | 5;
  /** Frames of the kernel's pool, per policy. */
  readonly pool: number;
  /** Most address spaces at a time. */
  readonly mms: number;
  /** Time from a flush or free until deferred work runs, ns. */
  readonly workDelayNs: number;
  /** The device-access model. */
  readonly devices: DeviceModel;
  /** The cost model, with the source of each figure. */
  readonly costModel: CostModel;
  /** Most frees that the result lists. */
  readonly maxFrees: number;
  /** Most hazard records per policy. */
  readonly maxHazards: number;
}

/** A geometry with the name it was chosen by. */
export interface NamedGeometry {
  /** Name of a preset, or of the user's file. */
  readonly name: string;
  /** The caches themselves. */
  readonly geometry: AgentGeometry;
}

/** The trace as it was read. No figure may be shown without saying if it is {@link damaged}. */
export interface ReplayTrace {
  /** Name of the trace as the caller gave it. */
  readonly name: string;
  /** Form of the text. */
  readonly format: TraceFormat;
  /** The input was read to its end. */
  readonly complete: boolean;
  /** Anything is missing or not trustworthy. */
  readonly damaged: boolean;
  /** The first findings, formatted with line and offset; damage and notes. */
  readonly findings: readonly { readonly severity: "damage" | "note"; readonly text: string }[];
  /** Findings beyond those listed. */
  readonly findingsDropped: number;
  /** Events lost by the tracer itself: a number, and marks without one. */
  readonly lost: { readonly counted: number; readonly uncounted: number };
  /** Lines, comments and blank lines included. */
  readonly lines: number;
  /** Lines that could not be read and were skipped. */
  readonly damagedLines: number;
  /** Bytes of text, after decompression. */
  readonly bytes: number;
  /** Events read, known and unknown. */
  readonly events: number;
  /** Events by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** Events that the reader does not know, by name. */
  readonly unknown: Readonly<Record<string, number>>;
  /** Operations by name (what the events mean). */
  readonly operations: Readonly<Record<string, number>>;
  /** CPUs that the header names. */
  readonly cpus: number | undefined;
  /** Time of the first event, ns on the trace's clock, and from there to the last. */
  readonly firstTimeNs: number;
  /** `ticks`: the trace's clock counts something else than time. */
  readonly timeUnit: "ns" | "ticks";
  /** From the first event to the last, in `timeUnit`. */
  readonly durationNs: number;
}

/** The program that the trace became; the same for every policy. */
export interface ReplayProgram {
  /** Records played by each machine. */
  readonly records: number;
  /** Of these: accesses of the device-access model, and those aimed at the kernel half. */
  readonly accesses: number;
  /** Accesses aimed at the kernel half. */
  readonly kernelProbes: number;
  /** Table frees of the trace by site, as the trace names it; and those that come before any flush. */
  readonly frees: Readonly<Record<string, number>>;
  /** Frees that come before any flush. */
  readonly freesBeforeFlush: number;
  /** Of these frees, those that the traced kernel itself handed to its deferred worker; each counts at its hand-over. */
  readonly freesDeferred: number;
  /** Flush calls of the trace. Equal to every policy's `kernel` counters, see {@link PolicyResult.flushesMatch}. */
  readonly flushes: FlushCalls;
  /** Operations of the trace that the replay has no use for, or could not play, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** Calls of the kernel's flush entry points. */
export interface FlushCalls {
  /** flush_tlb_kernel_range() */
  readonly kernelRange: number;
  /** flush_tlb_all() */
  readonly all: number;
  /** __flush_tlb_all() that is not the execution of flush_tlb_all() */
  readonly local: number;
  /** flush_tlb_mm_range() */
  readonly mm: number;
}

/** A kernel page table that the trace frees. */
export interface TableFree {
  /** Number from 0. */
  readonly index: number;
  /** Line of the trace that frees it, from 1. */
  readonly line: number;
  /** ns from the first event. */
  readonly timeNs: number;
  /** Kernel function, as the trace names it. */
  readonly site: string;
  /** The same as a site of the model. */
  readonly modelSite: Site;
  /** First virtual address that the table served (of the range, where the trace does not tell more). */
  readonly address: bigint;
  /** Level of the table: 1 = PT, 2 = PD. */
  readonly level: number;
  /** Frame number of the page in the traced machine, if the trace tells. */
  readonly frame: number | undefined;
  /** Its address in the direct map of the traced kernel, if the trace tells. */
  readonly page: bigint | undefined;
  /** Address of its struct page in the traced kernel, if the trace tells. */
  readonly structPage: bigint | undefined;
  /** Whether the traced kernel handed it to its deferred worker; {@link timeNs} is the time of that. */
  readonly deferred: boolean;
  /** CPU that freed it. */
  readonly cpu: number;
  /** Thread that freed it. */
  readonly pid: number;
  /** Whether the free comes before the flush that should precede it (same thread, since the table was unlinked). */
  readonly beforeFlush: boolean;
  /** Time of the flush that belongs to it, ns from the first event: before or after the free; undefined if there is none. */
  readonly flushTimeNs: number | undefined;
  /** Function that flushed. */
  readonly flushCaller: string | undefined;
  /** Number of the record in the program that frees: `Hazard.freedAt` refers to it under policies that free at once. */
  readonly operation: number;
}

/** Bins over the time of the trace; arrays have `bins` elements. */
export interface Timeline {
  /** Length of a bin, ns. */
  readonly binNs: number;
  /** Number of bins. */
  readonly bins: number;
  /** Events of the trace (those that became operations). */
  readonly events: readonly number[];
  /** Flush calls of kernel addresses (ranged and full). */
  readonly kernelFlushes: readonly number[];
  /** Table frees. */
  readonly frees: readonly number[];
}

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
  /** All CPUs. */
  readonly cpu: AgentTotals;
  /** Invalidations by kind, to compare policies with. */
  readonly invalidations: {
    /** IOTLB, an aligned range of one PASID. */
    readonly pageSelective: number;
    /** IOTLB, all of one PASID. */
    readonly pasidSelective: number;
    /** IOTLB, everything. */
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
    /** Still on the list at the end. */
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
  /** By the site that freed; stale translations have none. */
  readonly bySite: Readonly<Partial<Record<Site, Readonly<Record<HazardKind, number>>>>>;
  /** Table frees of the trace whose table an IOMMU walked through afterwards: index in `frees` (may exceed the list) and walks. */
  readonly byFree: readonly FreeHazards[];
  /** The first records, of each freed table at most three, in all at most {@link ReplayConfiguration.maxHazards}. */
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

/** How fast it went. */
export interface ReplayThroughput {
  /** Operations played, over all policies. */
  readonly operations: number;
  /** Seconds inside the engine, over all policies. */
  readonly playSeconds: number;
  /** Seconds of the whole replay: reading, lowering, playing. */
  readonly seconds: number;
  /** Operations played per second inside the engine. */
  readonly operationsPerSecond: number;
}
