// One machine under one policy, and what is collected from it while it plays: hazards, samples for the timeline, time spent.

import type { CostModel } from "../cost/index.js";
import { cost } from "../cost/index.js";
import type { WasmModule } from "../engine/wasm-module.js";
import type { Agent } from "../hardware/agent.js";
import { type Hazard, type HazardKind, hazardKinds, isHit } from "../kernel/hazards.js";
import type { Kernel } from "../kernel/kernel.js";
import type { CheckedPolicy } from "../kernel/policy.js";
import type { Machine } from "../machine.js";
import { createMachineSync } from "../make-machine.js";
import { operationBytes } from "../program/operations.js";
import type { Site } from "../program/sites.js";
import type { TableFrees } from "./frees.js";
import type { ReplayHardware } from "./machines.js";
import type { AgentTotals, FreeHazards, PolicyResult, PolicyTimeline, ReplayHazard } from "./policy-result.js";
import { RECORDS } from "./records.js";
import type { PolicySample } from "./timeline.js";
import type { FlushCalls } from "./trace-result.js";

/** The PASID that the device uses. */
export const PASID = 1;

/** Hazards through one freed table that are put on record, so that the first table does not take all the room. */
const RECORDS_PER_FREE = 3;

/** What machines of a replay are made with. */
export interface PlayerOptions {
  readonly module: WasmModule;
  readonly hardware: ReplayHardware;
  /** Version of Linux. */
  readonly kernel: string;
  readonly cpus: number;
  readonly levels: 4 | 5;
  readonly pool: number;
  readonly mms: number;
  readonly maxHazards: number;
  /** The device has a TLB and sends page requests. */
  readonly pageRequests: boolean;
}

/** The TLB of a device that sends page requests. */
export const DEVICE_TLB = { entries: 64, ways: 4 } as const;

type KindCounts = Record<HazardKind, number>;
const noKinds = (): KindCounts => Object.fromEntries(hazardKinds.map((kind) => [kind, 0])) as KindCounts;

/** Plays a program under one policy. */
export class Player {
  readonly machine: Machine;
  readonly policy: CheckedPolicy;
  readonly #kernel: Kernel;
  readonly #cpus: number;
  readonly #maxHazards: number;
  readonly #byKind = noKinds();
  readonly #bySite: Partial<Record<Site, KindCounts>> = {};
  readonly #byFree = new Map<number, { -readonly [K in keyof FreeHazards]: FreeHazards[K] } & { byKind: KindCounts }>();
  readonly #records: ReplayHazard[] = [];
  #total = 0;
  #onCpus = 0;
  #seconds = 0;
  #operations = 0;

  /** @param onHazard gets the time of every walk and hit with a hazard, ns */
  constructor(
    policy: CheckedPolicy,
    options: PlayerOptions,
    private readonly onHazard: (ns: number) => void,
  ) {
    const { hardware, cpus, pool } = options;
    this.policy = policy;
    this.#cpus = cpus;
    this.#maxHazards = options.maxHazards;
    this.machine = createMachineSync({
      module: options.module,
      levels: options.levels,
      maxPhyAddr: 46,
      tables: pool,
      workloadPages: 1,
      cpus: Array.from({ length: cpus }, () => hardware.cpu),
      iommus: [
        {
          ...hardware.iommu,
          pasids: [PASID],
          dialect: hardware.dialect,
          supervisorEntries: hardware.supervisorEntries,
          ...(options.pageRequests && { devices: [{ deviceTlb: DEVICE_TLB, pageRequests: true }] }),
        },
      ],
      // The trace's own purges flush; the model must not add any.
      kernel: { version: options.kernel, pool, mms: options.mms, policy, autoPurge: false, hazardRecords: RECORDS },
    });
    this.#kernel = this.machine.kernel!;
  }

  /** Operations played, and seconds that took. */
  get operations(): number {
    return this.#operations;
  }

  get seconds(): number {
    return this.#seconds;
  }

  /** Plays the next records, then takes the hazards out of the ring. `frees`: what the program has freed so far. */
  play(program: Uint8Array, frees: TableFrees): void {
    const start = performance.now();
    this.machine.play(program);
    this.#seconds += (performance.now() - start) / 1000;
    this.#operations += program.length / operationBytes;
    const counts = this.#kernel.hazardCounts;
    if (counts.total === 0) return;
    this.#total += counts.total;
    for (const kind of hazardKinds) this.#byKind[kind] += counts.byKind[kind];
    for (const [site, kinds] of Object.entries(counts.bySite) as [Site, KindCounts][]) {
      this.#bySite[site] ??= noKinds();
      for (const kind of hazardKinds) this.#bySite[site][kind] += kinds[kind];
    }
    for (const hazard of this.#kernel.hazards()) this.#take(hazard, frees);
    this.#kernel.clearHazards();
  }

  #take(hazard: Hazard, frees: TableFrees): void {
    const onCpu = hazard.agent < this.#cpus;
    this.onHazard(hazard.time);
    if (onCpu) this.#onCpus++;
    const free = isHit(hazard) ? undefined : frees.byOperation.get(hazard.freedAt);
    const walks = free === undefined || onCpu ? 0 : this.#addTo(free, hazard, frees);
    if (this.#records.length >= this.#maxHazards || walks > RECORDS_PER_FREE) return;
    this.#records.push({ ...hazard, who: onCpu ? `CPU ${hazard.agent}` : `IOMMU, PASID ${PASID}`, free });
  }

  #addTo(free: number, hazard: Hazard, frees: TableFrees): number {
    const after = Math.max(0, hazard.time - (frees.list[free]?.timeNs ?? hazard.time));
    let row = this.#byFree.get(free);
    if (!row) {
      row = { free, total: 0, byKind: noKinds(), firstAfterNs: after, lastAfterNs: after };
      this.#byFree.set(free, row);
    }
    row.total++;
    for (const kind of hazard.kinds) row.byKind[kind]++;
    row.lastAfterNs = after;
    return row.total;
  }

  /** For the timeline. */
  sample(): PolicySample {
    const { counters } = this.#kernel;
    const invalidations = counters.iotlbInvalidations + counters.deviceTlbInvalidations;
    return [invalidations, counters.queueWaits, this.#total, counters.framesHeld];
  }

  /** Everything about this policy. */
  result(timeline: PolicyTimeline, flushes: FlushCalls, model: CostModel): PolicyResult {
    const kernel = this.#kernel.counters;
    const iommu = totals(this.machine.iommus);
    const cpu = totals(this.machine.cpus);
    const released = kernel.framesDeferred - kernel.framesHeld;
    const bill = cost({ kernel, iommuEntryReads: iommu.entryReads, cpuEntryReads: cpu.entryReads }, model);
    return {
      policy: this.policy,
      kernel,
      tablesFreed: this.#kernel.tablesFreed,
      iommu,
      pageRequests: this.machine.iommus.reduce((sum, { pageRequests }) => sum + pageRequests, 0),
      cpu,
      invalidations: {
        pageSelective: kernel.pageSelectiveInvalidations,
        pasidSelective: kernel.pasidSelectiveInvalidations,
        global: kernel.globalInvalidations,
        pasidCache: kernel.pasidCacheInvalidations,
        deviceTlb: kernel.deviceTlbInvalidations,
      },
      needlessRounds: kernel.needlessRounds,
      held: {
        frames: kernel.framesDeferred,
        peak: kernel.maxFramesHeld,
        left: kernel.framesHeld,
        meanNs: released === 0 ? 0 : kernel.nanosecondsHeld / released,
      },
      refills: iommu.invalidated,
      lostNs: bill.iommuNs + (iommu.invalidated - iommu.entryReads) * model.figures.iommuEntryRead.ns,
      cost: bill,
      hazards: {
        total: this.#total,
        byAgent: { iommu: this.#total - this.#onCpus, cpu: this.#onCpus },
        byKind: this.#byKind,
        bySite: this.#bySite,
        byFree: [...this.#byFree.values()].sort((a, b) => a.free - b.free),
        records: this.#records,
        dropped: this.#total - this.#records.length,
      },
      outOfFrames: kernel.outOfFrames,
      flushesMatch:
        kernel.kernelRangeFlushes === flushes.kernelRange &&
        kernel.flushAlls === flushes.all &&
        kernel.localFlushAlls === flushes.local &&
        kernel.mmFlushes === flushes.mm,
      timeline,
      seconds: this.#seconds,
    };
  }
}

function totals(agents: readonly Agent[]): AgentTotals {
  const sum = {
    translations: 0,
    faults: 0,
    walks: 0,
    entryReads: 0,
    adWrites: 0,
    fills: 0,
    invalidated: 0,
    evictions: 0,
  };
  for (const agent of agents) {
    const { translations, faults, walks, entryReads, adWrites } = agent.counters;
    sum.translations += translations;
    sum.faults += faults;
    sum.walks += walks;
    sum.entryReads += entryReads;
    sum.adWrites += adWrites;
    for (const cache of agent.caches) {
      const { fills, invalidated, evictions } = cache.counters;
      sum.fills += fills;
      sum.invalidated += invalidated;
      sum.evictions += evictions;
    }
  }
  return sum;
}
