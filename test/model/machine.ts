// A machine of the model: several CPUs and IOMMUs over one memory (rules.md sections 1 to 7).

import type { AgentDump } from "./agent.js";
import type { CacheDump } from "./cache.js";
import { Cpu, type CpuConfig } from "./cpu.js";
import { Iommu } from "./iommu.js";
import type { IommuConfig } from "./iommu-config.js";
import { type FrameState, Memory, meddlerOf, type RamFrames } from "./memory.js";
import type { MachineParameters } from "./walk.js";
import { Walks } from "./walks.js";

/** A frame at the start: its number, its use, and the entries that are not 0, as [index, entry]. */
export interface FrameConfig {
  frame: number;
  state: FrameState;
  entries: [number, bigint][];
}

/** A whole machine at the start. */
export interface MachineConfig extends MachineParameters {
  frames: FrameConfig[];
  /** Rules.md section 18. */
  ram?: RamFrames | undefined;
  /** A seed for somebody else who writes to RAM, where the host keeps it (rule 18.13). */
  meddler?: number | undefined;
  cpus: CpuConfig[];
  iommus: IommuConfig[];
}

/** An operation that a shootdown sends to every CPU of a mask. */
export type Shootdown =
  | { kind: "invlpg"; address: bigint }
  | { kind: "invpcid"; type: 0 | 1 | 2 | 3; address: bigint; pcid: number }
  | { kind: "flush-range"; start: bigint; end: bigint }
  | { kind: "range-or-all"; start: bigint; pages: number };

/** Caches and counters of everything in a machine. */
export interface MachineDump {
  cpus: (AgentDump & { invalidations: number })[];
  iommus: (AgentDump & { pageRequests: number; invalidations: number; devices: (CacheDump | undefined)[] })[];
  walks: ReturnType<Walks["dump"]>;
}

/** Run one invalidating operation on a CPU. */
export function invalidateOnCpu(cpu: Cpu, operation: Shootdown): void {
  switch (operation.kind) {
    case "invlpg":
      cpu.invlpg(operation.address);
      return;
    case "invpcid":
      cpu.invpcid(operation.type, operation.address, operation.pcid);
      return;
    case "flush-range":
      cpu.flushRange(operation.start, operation.end);
      return;
    case "range-or-all":
      cpu.rangeOrAll(operation.start, operation.pages);
      return;
  }
}

/** A machine. */
export class Machine {
  readonly memory = new Memory();
  readonly cpus: readonly Cpu[];
  readonly iommus: readonly Iommu[];
  readonly walks = new Walks();

  readonly #ram: RamFrames;

  constructor(config: MachineConfig) {
    this.#ram = config.ram ?? { first: 0, count: 0 };
    const { levels, maxPhyAddr, pages1G } = config;
    const parameters = { levels, maxPhyAddr, pages1G };
    if (config.ram) this.memory.addRam(config.ram);
    for (const { frame, state, entries } of config.frames) {
      if (!this.memory.has(frame)) this.memory.add(frame, state);
      for (const [index, entry] of entries) this.memory.writeEntry(frame, index, entry);
    }
    if (config.meddler !== undefined) this.memory.meddler = meddlerOf(config.meddler);
    this.cpus = config.cpus.map((cpu) => new Cpu(this.memory, parameters, cpu));
    this.iommus = config.iommus.map((iommu) => new Iommu(this.memory, parameters, iommu));
  }

  /** Whether a frame is one of RAM. */
  isRam(frame: number): boolean {
    return frame >= this.#ram.first && frame < this.#ram.first + this.#ram.count;
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

  /** The same operation on each CPU of a mask (bit i = CPU i), in CPU order. */
  shootdown(mask: number, operation: Shootdown): void {
    for (const [index, cpu] of this.cpus.entries()) {
      if (((mask >>> index) & 1) === 1) invalidateOnCpu(cpu, operation);
    }
  }

  /** Caches and counters of every agent and device. */
  dump(): MachineDump {
    return {
      cpus: this.cpus.map((cpu) => ({ ...cpu.agent.dump(), invalidations: cpu.invalidations })),
      iommus: this.iommus.map((iommu) => ({
        ...iommu.agent.dump(),
        pageRequests: iommu.pageRequests,
        invalidations: iommu.invalidations,
        devices: iommu.devices.map((device) => device?.dump()),
      })),
      walks: this.walks.dump(),
    };
  }
}
