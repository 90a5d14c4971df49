// Verdicts: which policy is safe at which site on which hardware, with the shortest program that shows a hazard.

export { machineAt, retell, type StoryChange, type StoryPlace } from "./follow.js";
export { iotlbOccupancy, type Occupancy } from "./occupancy.js";
export {
  type CpuChangeName,
  type CpuOptions,
  changedCpu,
  changedIommu,
  cpuChangeNames,
  cpuChanges,
  describeOptions,
  everyCpu,
  everyIommu,
  type IommuChange,
  type IommuChangeName,
  type IommuOptions,
  iommuChangeNames,
  iommuChanges,
  iommuOptionNames,
  pageRequestsLine,
  usualCpu,
  usualIommu,
} from "./options.js";
export type { VerdictsOptions } from "./plan.js";
export type { Support } from "./prove/explain.js";
export type { Proof, ProofBounds } from "./prove/prove.js";
export { type ScenarioName, scenarioNames } from "./scenarios.js";
export type { AgentKind } from "./stage.js";
export type { Actor, Step, Told, Witness } from "./story.js";
export type { HazardVerdict, VerdictRecord } from "./verdict.js";
export { verdicts } from "./verdicts.js";
