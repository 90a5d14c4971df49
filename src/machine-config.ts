// What a machine is made with, and how it is checked.

import { boolean, integer, list, object, optional, parse } from "./base/schema.js";
import { type EngineOptions, engineFields } from "./engine/instance.js";
import { MAX_WORKLOAD_PAGES } from "./engine/limits.js";
import { type CpuConfig, cpuSchema } from "./hardware/cpu.js";
import { type IommuConfig, iommuSchema } from "./hardware/iommu-config.js";
import { type KernelConfig, kernelSchema } from "./kernel/kernel.js";
import { type PagingMode, pagingFields } from "./paging/paging-mode.js";
import { type RamConfig, ramSchema } from "./paging/ram.js";

/** A machine. Everything is created at once; afterwards its memory does not grow. */
export interface MachineConfig extends PagingMode, EngineOptions {
  /** Capacity in frames that are or were tables, 1 to 2^19 (4 KiB each); those of RAM do not count. Default 1024. */
  tables?: number;
  /** Guest memory in the engine's own, see {@link Machine.ram}. Default none. */
  ram?: RamConfig;
  /** Default one CPU without caches. */
  cpus?: readonly CpuConfig[];
  /** Default none. */
  iommus?: readonly IommuConfig[];
  /** A kernel that owns the tables; its pool counts as `tables`. Default none: the tables are the caller's. */
  kernel?: KernelConfig;
  /** Longest page list of a workload. Default 65536. */
  workloadPages?: number;
}

/** What a snapshot holds besides. */
export interface SnapshotOptions {
  /**
   * What RAM holds, too: a copy of all of it, which each restore brings back whole. Default false: a restore leaves RAM alone. Memory
   * that the host keeps is in no snapshot: true is refused there.
   */
  ram?: boolean;
}

/** Schema of {@link SnapshotOptions}. @internal */
export const snapshotSchema = object({ ram: optional(boolean()) });

/** How a program is played. */
export interface PlayOptions {
  /** Whether results are wanted; false: none are written, and none returned. Default: true */
  results?: boolean;
}

const playSchema = object({ results: optional(boolean()) });

/** Whether a program's results are wanted. @internal @throws InvalidOptionError naming the field, the value and what is allowed */
export function resultsWanted(options: PlayOptions): boolean {
  return (parse(playSchema, options, "options") as PlayOptions).results ?? true;
}

/** What every kind of machine has. @internal */
export function machineFields() {
  return {
    ...pagingFields,
    ...engineFields,
    cpus: optional(list(cpuSchema, "a list of CPUs")),
    iommus: optional(list(iommuSchema, "a list of IOMMUs")),
    kernel: optional(kernelSchema),
    workloadPages: optional(integer(1, MAX_WORKLOAD_PAGES)),
  };
}

/** Schema of {@link MachineConfig}. @internal */
export const machineSchema = object({
  ...machineFields(),
  ram: optional(ramSchema),
});
