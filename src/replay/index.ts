// Entry point `stalewalk/replay`: kernel traces played through kernel, policy, CPUs and IOMMU. No Node built-ins.
export type { DeviceModel } from "./device-model.js";
export { checkDeviceModel, defaultDeviceModel } from "./device-model.js";
export { fromJson } from "./from-json.js";
export { toCsv, toJson } from "./json.js";
export { checkHardware, type ReplayHardware, type ReplayHardwareName, replayHardware } from "./machines.js";
export { type MarkKind, type MarkSeries, markKinds, type PolicyMarks, type ReplayMarks } from "./marks.js";
export { toPerfetto } from "./perfetto.js";
export type * from "./policy-result.js";
export { checkProfile, type Profile, type Sourced } from "./profile.js";
export { type ProfileName, profiles } from "./profiles.js";
export { type ReplayOptions, replay } from "./replay.js";
export type * from "./result.js";
export type { RunSettings } from "./run.js";
export { type SimulateOptions, simulate } from "./simulate.js";
export { describeFree, describeHazard, duration, type FreeSource, witnesses } from "./stories.js";
export type * from "./trace-result.js";
export { kernelSentence } from "./traced-kernel.js";
