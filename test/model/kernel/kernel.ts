// The kernel of the model: frames, address spaces, agents, and what its operations work on (rules.md sections 8 to 13).
// The operations themselves are functions over a Kernel, one file per part of the kernel.

import type { AgentConfig, InvlpgScope, Vendor } from "../agent-config.js";
import type { CacheEntry } from "../cache.js";
import { Cpu, type CpuConfig } from "../cpu.js";
import { type Level, levelShift } from "../entry.js";
import { Iommu } from "../iommu.js";
import type { IommuConfig } from "../iommu-config.js";
import type { MachineDump } from "../machine.js";
import type { FrameState, RamFrames } from "../memory.js";
import type { MachineParameters } from "../walk.js";
import { Walks } from "../walks.js";
import { AddressSpaces } from "./address-spaces.js";
import { type Counters, counted, zeroes } from "./counters.js";
import type { Range } from "./driver.js";
import { FrameStore } from "./frame-store.js";
import { type HazardDump, Hazards } from "./hazards.js";
import type { KernelOperation } from "./operations.js";
import { Points } from "./points.js";
import type { Policy } from "./policy.js";
import { type Traits, traitsOf, type Version } from "./versions.js";

/** A CPU as it starts: in init_mm, with PCID 0. */
export interface KernelCpuConfig extends AgentConfig {
  controls: CpuConfig["controls"];
  vendor?: Vendor;
  invlpgScope: InvlpgScope;
  walks?: NonNullable<CpuConfig["walks"]>;
  drain?: NonNullable<CpuConfig["drain"]>;
}

/** An IOMMU as it starts: its PASIDs in the order of their indexes, none bound. */
export type KernelIommuConfig = Omit<IommuConfig, "pasids"> & { pasids: number[] };

/** A kernel at the start. */
export interface KernelConfig extends MachineParameters {
  /** A version of rules.md 11.8. */
  version: Version;
  /** Page-table isolation. */
  pti?: boolean;
  /** The CPUs have INVLPGB. */
  invlpgb?: boolean;
  /** First frame number of the pool. */
  poolBase: number;
  /** Frames in the pool, at least 1. */
  pool: number;
  /** Rules.md section 18: the pool may lie in it. */
  ram?: RamFrames | undefined;
  cpus: KernelCpuConfig[];
  iommus: KernelIommuConfig[];
  policy: Policy;
  /** Whether vfree purges when there is too much to purge. */
  autoPurge: boolean;
  /** Whether hazards are detected and translations marked stale. */
  detect: boolean;
  /** Records of hazards that are kept. */
  ring: number;
}

/** State of the kernel and of all agents. */
export interface KernelDump extends MachineDump {
  /** Those that are not 0. */
  counters: Partial<Counters>;
  /** Tables released, by site; sites that released none are left out. */
  tablesFreed: Record<number, number>;
  hazards: HazardDump;
  /** By frame number. */
  frames: { frame: number; state: FrameState; generation: number }[];
  /** The next frame to be allocated last. */
  freeStack: number[];
}

/** The kernel. */
export class Kernel {
  readonly parameters: MachineParameters;
  readonly policy: Policy;
  readonly traits: Traits;
  readonly pti: boolean;
  /** Flushes of the kernel half are broadcast. */
  readonly broadcasts: boolean;
  readonly autoPurge: boolean;
  readonly detect: boolean;
  readonly memory: FrameStore;
  readonly spaces: AddressSpaces;
  readonly cpus: readonly Cpu[];
  readonly iommus: readonly Iommu[];
  readonly hazards: Hazards;
  readonly walks = new Walks();
  readonly points = new Points<KernelOperation>();
  /** Queued requests of asynchronous invalidation, oldest first. */
  readonly requests: Range[] = [];
  /** Tables that wait for the worker, with the sites that freed them, and when. */
  readonly deferred: { frame: number; site: number; operation: number; time: bigint }[] = [];
  /** Those that the worker has taken from the list and not released yet. */
  taken: Kernel["deferred"] = [];
  /** What time it is, ns: what the program has told. */
  time = 0n;
  /** Whether the worker runs. */
  working = false;
  /** Lazily freed part of vmalloc space: pages so far, and the range that holds them. */
  lazy = { pages: 0, start: 0n, end: 0n };
  /** "site address" -> table that `table-clear` unlinked. */
  readonly remembered = new Map<string, number>();
  readonly counters = zeroes();

  /** @throws RangeError if the pool has no frame for init_mm's root */
  constructor(config: KernelConfig) {
    const { levels, maxPhyAddr, pages1G } = config;
    this.parameters = { levels, maxPhyAddr, pages1G };
    this.policy = config.policy;
    this.traits = traitsOf(config.version);
    this.pti = config.pti ?? false;
    this.broadcasts = config.invlpgb === true && this.traits.usesInvlpgb;
    this.autoPurge = config.autoPurge;
    this.detect = config.detect;
    this.memory = new FrameStore(config.poolBase, config.pool);
    if (config.ram) this.memory.addRam(config.ram);
    const root = this.memory.allocateTable(levels, "none");
    if (root === undefined) throw new RangeError(`pool of ${config.pool} frames: expected at least 1`);
    this.spaces = new AddressSpaces(root, config.cpus.length);
    this.cpus = config.cpus.map((cpu) => new Cpu(this.memory, this.parameters, { ...cpu, root, pcid: 0 }));
    this.iommus = config.iommus.map((iommu) => {
      const made = new Iommu(this.memory, this.parameters, { ...iommu, pasids: [] });
      for (const pasid of iommu.pasids) made.declare(pasid);
      return made;
    });
    this.hazards = new Hazards(this.memory, config.ring, () => this.time);
    if (!config.detect) return;
    const agents = [...this.cpus, ...this.iommus].map(({ agent }) => agent);
    for (const [number, agent] of agents.entries()) agent.watch = this.hazards.watchOf(number);
  }

  /** @throws RangeError if there is no such CPU */
  cpu(index: number): Cpu {
    const cpu = this.cpus[index];
    if (cpu === undefined) throw new RangeError(`CPU ${index}: expected 0..${this.cpus.length - 1}`);
    return cpu;
  }

  /** @throws RangeError if there is no such IOMMU */
  iommu(index: number): Iommu {
    const iommu = this.iommus[index];
    if (iommu === undefined) throw new RangeError(`IOMMU ${index}: expected 0..${this.iommus.length - 1}`);
    return iommu;
  }

  /** Frames on the deferred list; what the worker has taken is still held until it is released. */
  held(): number {
    return this.deferred.length + this.taken.length;
  }

  /** Whether a cached translation is of a leaf: its page, in its size. */
  isOf({ address, level }: { address: bigint; level: Level }, { pageNumber, pageShift }: CacheEntry): boolean {
    const translated = BigInt.asUintN(12 + 9 * this.parameters.levels, address);
    return pageShift === levelShift(level) && translated >> BigInt(pageShift) === pageNumber;
  }

  /** Everything that can be compared. */
  dump(): KernelDump {
    const { tablesAllocated, tablesReleased, outOfFrames } = this.memory;
    const framesHeld = this.held();
    // Frames that are still held count up to now: the operation that has just ended is over.
    const still = this.deferred.reduce((sum, { operation }) => sum + this.hazards.operation + 1 - operation, 0);
    const operationsHeld = this.counters.operationsHeld + still;
    return {
      counters: counted({
        ...this.counters,
        ...{ tablesAllocated, tablesReleased, outOfFrames, framesHeld, operationsHeld },
      }),
      tablesFreed: this.memory.freedBy(),
      cpus: this.cpus.map((cpu) => ({ ...cpu.agent.dump(), invalidations: cpu.invalidations })),
      iommus: this.iommus.map((iommu) => ({
        ...iommu.agent.dump(),
        pageRequests: iommu.pageRequests,
        invalidations: iommu.invalidations,
        devices: iommu.devices.map((device) => device?.dump()),
      })),
      walks: this.walks.dump(),
      hazards: this.hazards.dump(),
      frames: this.memory.frames().map((frame) => ({
        frame,
        state: this.memory.state(frame),
        generation: this.memory.generation(frame),
      })),
      freeStack: this.memory.freeStack(),
    };
  }
}
