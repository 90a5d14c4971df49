// What every entry point to machines has, wherever its module comes from.

export { type ErrorCode, InvalidOptionError, StalewalkError } from "./base/errors.js";
export { jsonText } from "./base/notation.js";
export type { Progress, RunOptions } from "./base/progress.js";
export type { Seed } from "./base/seed.js";
export type { EngineOptions } from "./engine/instance.js";
export type { WasmModule } from "./engine/wasm-module.js";
export type { AgentCounters } from "./hardware/agent.js";
export type { Cache, CacheCounters, CacheEntry } from "./hardware/cache.js";
export type { Explanation, WalkStep } from "./hardware/context.js";
export type { Cpu, CpuConfig } from "./hardware/cpu.js";
export type { DescriptorWords, QueueResult } from "./hardware/descriptors.js";
export type { Device } from "./hardware/device.js";
export { geometries } from "./hardware/geometries.js";
export type {
  AgentGeometry,
  CpuGeometry,
  PageSizeName,
  PagingStructureCacheGeometry,
  Replacement,
  TranslationCacheGeometry,
  Vendor,
} from "./hardware/geometry.js";
export type { Iommu } from "./hardware/iommu.js";
export type { DeviceConfig, IommuConfig } from "./hardware/iommu-config.js";
export type { Binding } from "./hardware/pasid-entry.js";
export type { Walker, WalkerOptions } from "./hardware/walker.js";
export type { WalkOptions, Walks, WalkUnderWay } from "./hardware/walks.js";
export { type Hazard, type HazardCounts, type HazardKind, hazardKinds } from "./kernel/hazards.js";
export type { Kernel, KernelConfig, KernelCounters } from "./kernel/kernel.js";
export { type CheckedPolicy, checkPolicy, type Policy, type PolicyName, policies } from "./kernel/policies.js";
export {
  defaultKernel,
  type KernelFact,
  type KernelRecord,
  type KernelTrait,
  type KernelVersion,
  kernelFacts,
  kernelRecords,
  kernelVersions,
  type ResolvedKernel,
  resolveKernel,
} from "./kernel/versions.js";
export type { Machine, Snapshot } from "./machine.js";
export type { MachineConfig, PlayOptions, SnapshotOptions } from "./machine-config.js";
export { Access, type AccessName, type Controls, linuxControls } from "./paging/access.js";
export type { FrameState, Frames } from "./paging/frames.js";
export type { MappingBatch } from "./paging/mappings.js";
export {
  type FaultReason,
  type IommuFault,
  isTranslated,
  type LeafLevel,
  type Outcome,
  pageSizes,
  unpackFault,
  unpackOutcome,
  unpackWalk,
  type WalkOutcome,
} from "./paging/outcome.js";
export type { PagingMode } from "./paging/paging-mode.js";
export type { RamConfig } from "./paging/ram.js";
export type { KernelMix, KernelPattern, KernelWorkloadOptions } from "./program/kernel-workload.js";
export { everyCpu, Operation, type OperationName, operationBytes } from "./program/operations.js";
export type { HotAddOptions, MmapOptions, ReuseContents } from "./program/options.js";
export type { Interleaved, ReachedPoint } from "./program/player.js";
export { ProgramBuilder } from "./program/program.js";
export { type OperationResult, type Refusal, refusalOf } from "./program/results.js";
export {
  type PointName,
  type Site,
  type SitePoint,
  type SiteRecord,
  type SiteStep,
  siteRecords,
  sites,
} from "./program/sites.js";
export type { FlushMix, Stream, WorkloadOptions, WorkloadPage } from "./program/workload.js";
