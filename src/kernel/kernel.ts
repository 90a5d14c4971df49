// The kernel of a machine: its frames, its policy, what it did and what that cost (docs/rules.md sections 8 to 11).

import { InvalidOptionError } from "../base/errors.js";
import { boolean, either, integer, kept, object, oneOf, optional, text } from "../base/schema.js";
import {
  type KernelCounterValues,
  kernelCounters,
  maxMms,
  pti as ptiBit,
  type QueueCounterValues,
  queueCounters,
} from "../engine/abi.js";
import type { Engine } from "../engine/instance.js";
import { MAX_FRAME, MAX_HAZARD_RECORDS, MAX_POOL } from "../engine/limits.js";
import { readCounters } from "../engine/structures.js";
import type { FrameRange } from "../paging/ram.js";
import { ProgramBuilder } from "../program/program.js";
import { type OperationResult, operationResults } from "../program/results.js";
import { type Site, sites } from "../program/sites.js";
import { type Hazard, type HazardCounts, readCounts, readHazards } from "./hazards.js";
import { checkPolicy, type PolicyName, policyNames } from "./policies.js";
import { type CheckedPolicy, type Policy, policyBits, policySchema } from "./policy.js";
import { type ResolvedKernel, resolveKernel, traitBits } from "./versions.js";

/** A kernel. */
export interface KernelConfig {
  /**
   * Which Linux: a version (`6.12`, `6.18.15`) or what `uname -r` prints. It says what the kernel does to tables; see
   * {@link resolveKernel} for what an unknown one is taken for. Default: the newest that is known.
   */
  version?: string;
  /** First frame of its pool; default 0x1000 (16 MiB). */
  poolBase?: number;
  /** Frames in its pool, for tables and for whoever takes freed ones. Default 512. */
  pool?: number;
  /** Address spaces are numbered 0 to this - 1. Default 16, at most 4096. */
  mms?: number;
  /** A preset's name, or a policy. Default `none`. */
  policy?: PolicyName | Partial<Policy>;
  /**
   * Page-table isolation (`pti=on`): user mode has a root and PCIDs of its own, and a flush of a kernel page makes the other address
   * spaces of a CPU be flushed at their next switch. Default false.
   */
  pti?: boolean;
  /**
   * The CPUs, all of `vendor: "amd"`, have INVLPGB: kernels from 6.15 on broadcast their flushes of kernel addresses, and each drops
   * everything everywhere. Default false.
   */
  invlpgb?: boolean;
  /** Purge lazily unmapped areas as soon as there are more than the kernel's threshold. Default true. */
  autoPurge?: boolean;
  /** Default true. */
  detectHazards?: boolean;
  /** Hazard records that are kept, the latest ones; counts never drop any. Default 1024. */
  hazardRecords?: number;
}

/**
 * What the kernel did, and what it cost, in counts. `iommuRounds` are rounds of IOMMU invalidation that had at least one
 * bound PASID: `synchronousRounds` inside a kernel flush, `userRounds` by the notifier, the rest in deferred work;
 * `needlessRounds` are synchronous ones whose flush freed no table. `queueWaits` counts the waits that the submitter spins
 * for. `operationsHeld` and `nanosecondsHeld` are summed over the frames that were deferred; `pagesInvalidated` is what
 * page-selective descriptors name, 4 KiB each.
 */
export interface KernelCounters extends KernelCounterValues, QueueCounterValues {}

/** A kernel. A policy that has been checked is one by what it is, not by its fields. @internal */
export const kernelSchema = object(
  {
    version: optional(text("a version of Linux")),
    poolBase: optional(integer(1, MAX_FRAME)),
    pool: optional(integer(2, MAX_POOL)),
    mms: optional(integer(1, maxMms)),
    policy: optional(kept(either(oneOf(policyNames), policySchema))),
    pti: optional(boolean()),
    invlpgb: optional(boolean()),
    autoPurge: optional(boolean()),
    detectHazards: optional(boolean()),
    hazardRecords: optional(integer(0, MAX_HAZARD_RECORDS)),
  },
  "an object that describes a kernel",
);

/** The frames of a kernel's pool. @internal */
export function poolOf({ poolBase = 0x1000, pool = 512 }: KernelConfig): FrameRange {
  return { first: poolBase, count: pool };
}

/** A kernel, through whose operations tables change. */
export class Kernel {
  /** The policy in force. */
  readonly policy: CheckedPolicy;
  /** Which Linux it is, and what that was taken for. */
  readonly version: ResolvedKernel;
  private readonly ring: number;

  /** @internal */
  constructor(
    private readonly engine: Engine,
    private readonly play: (program: Uint8Array) => BigUint64Array,
    config: KernelConfig,
    cpus: number,
  ) {
    const { exports } = engine;
    const { first: poolBase, count: pool } = poolOf(config);
    const {
      mms = 16,
      hazardRecords = 1024,
      autoPurge = true,
      detectHazards = true,
      pti = false,
      invlpgb = false,
    } = config;
    if (poolBase + pool > MAX_FRAME) {
      throw new InvalidOptionError("kernel.poolBase", poolBase, `an integer from 1 to ${MAX_FRAME - pool}`);
    }
    this.ring = hazardRecords;
    this.version = resolveKernel(config.version, "kernel.version");
    this.policy = checkPolicy(config.policy ?? "none", "kernel.policy");
    const { bits, scope, deferSites } = policyBits(this.policy);
    exports.setPolicy(bits, scope, deferSites);
    exports.setKernelTraits(traitBits(this.version.record, invlpgb) | (pti ? ptiBit : 0));
    exports.setKernelOptions(autoPurge, detectHazards);
    if (!exports.createKernel(BigInt(poolBase), pool, mms, cpus, this.ring)) {
      throw new InvalidOptionError(
        "kernel.pool",
        pool,
        "a pool that fits into `tables` of the machine, and its memory",
      );
    }
  }

  /** Counters since the kernel was made. */
  get counters(): KernelCounters {
    const { kernelCounter, queueCounter } = this.engine.exports;
    const counters: KernelCounters = {
      ...readCounters(kernelCounters, kernelCounter),
      ...readCounters(queueCounters, queueCounter),
    };
    // The engine sums releases minus arrivals; frames that are still held count up to now.
    const now = Number(this.engine.exports.operationNumber());
    const held = BigInt.asIntN(64, kernelCounter(kernelCounters.indexOf("operationsHeld")));
    counters.operationsHeld = Number(held) + counters.framesHeld * now;
    return counters;
  }

  /** Tables given back, by the site that freed them. */
  get tablesFreed(): Record<Site, number> {
    return Object.fromEntries(sites.map((site, i) => [site, Number(this.engine.exports.freedBySite(i))])) as Record<
      Site,
      number
    >;
  }

  /** Hazards so far. */
  get hazardCounts(): HazardCounts {
    return readCounts(this.engine, this.ring);
  }

  /** The latest hazards, oldest first; {@link HazardCounts.dropped} says how many are no longer there. */
  hazards(): Hazard[] {
    return readHazards(this.engine, this.ring);
  }

  /** Forgets hazards and their counts. */
  clearHazards(): void {
    this.engine.exports.clearHazards();
  }

  /** Frames of the pool that are free, the next to be given out last. */
  freeFrames(): number[] {
    const { freeFrames, freeSlotAt, frameOf } = this.engine.exports;
    return Array.from({ length: freeFrames() }, (_, place) => Number(frameOf(freeSlotAt(place))));
  }

  /** Frame of the root of an mm, or undefined if it does not exist. */
  root(mm: number): number | undefined {
    const slot = this.engine.exports.rootOf(mm);
    return slot === 0 ? undefined : Number(this.engine.exports.frameOf(slot));
  }

  /** Whether deferred work has something to do. */
  get workWaits(): boolean {
    return this.engine.exports.workWaits() !== 0;
  }

  /** Pages unmapped but not purged, and how many start a purge (lazy_max_pages). */
  get lazy(): { pages: number; max: number } {
    const { lazyPages, lazyMaxPages } = this.engine.exports;
    return { pages: Number(lazyPages()), max: Number(lazyMaxPages()) };
  }

  /**
   * Plays operations one by one: `kernel.run((p) => p.vmalloc(va, 4))`.
   * @returns what came of each, refusals with their reasons
   * @throws InvalidOptionError naming the argument, before anything is played
   */
  run(operations: (program: ProgramBuilder) => ProgramBuilder): OperationResult[] {
    const program = typeof operations === "function" ? operations(new ProgramBuilder()) : undefined;
    if (!(program instanceof ProgramBuilder)) {
      throw new InvalidOptionError(
        "operations",
        program ?? operations,
        "a function that returns the program it is given",
      );
    }
    const bytes = program.build();
    return operationResults(bytes, this.play(bytes));
  }
}
