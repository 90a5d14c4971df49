// The library's table of contents. Works unchanged in Node, Deno, Bun, browsers and workers: no built-ins, nothing
// happens at import.

export { Access, type AccessName, type Controls, linuxControls } from "./access.js";
export type { AgentCounters } from "./agent.js";
export type { Cache, CacheCounters, CacheEntry } from "./cache.js";
export type { Explanation, WalkStep } from "./context.js";
export type { Cpu, CpuConfig } from "./cpu.js";
export { compileEngine, compileEngineSync, type EngineOptions } from "./engine/instance.js";
export { InvalidOptionError } from "./errors.js";
export type { FrameState, Frames } from "./frames.js";
export { geometries } from "./geometries.js";
export type {
  AgentGeometry,
  PageSizeName,
  PagingStructureCacheGeometry,
  Replacement,
  TranslationCacheGeometry,
} from "./geometry.js";
export { type Hazard, type HazardCounts, type HazardKind, hazardKinds } from "./hazards.js";
export type { Binding, Device, DeviceConfig, Iommu, IommuConfig } from "./iommu.js";
export type { Kernel, KernelConfig, KernelCounters } from "./kernel.js";
export type { KernelMix, KernelWorkloadOptions } from "./kernel-workload.js";
export {
  createMachine,
  createMachineSync,
  type Machine,
  type MachineConfig,
  type RunOptions,
  type Snapshot,
} from "./machine.js";
export type { MappingBatch } from "./mappings.js";
export { type FaultReason, isTranslated, type LeafLevel, type Outcome, pageSizes, unpackOutcome } from "./outcome.js";
export type { PagingMode } from "./paging-mode.js";
export { checkPolicy, type Policy, type PolicyName, policies } from "./policies.js";
export {
  everyCpu,
  type HotAddOptions,
  Operation,
  operationBytes,
  ProgramBuilder,
  type ReuseContents,
} from "./program.js";
export { type Site, sites } from "./sites.js";
export { createWalker, createWalkerSync, type Walker, type WalkerOptions } from "./walker.js";
export type { FlushMix, Stream, WorkloadOptions, WorkloadPage } from "./workload.js";
