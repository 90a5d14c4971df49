// The result of a replay: one object for all policies, with everything that is needed to repeat it. Tables, CSV and the
// HTML report are made from this type alone. JSON: bigints become strings like "0x1a2b" (`toJson` in json.ts).

import type { CostModel } from "../cost/model.js";
import type { CpuGeometry } from "../hardware/geometry.js";
import type { SupervisorEntries } from "../hardware/iommu-config.js";
import type { Policy, PolicyName } from "../kernel/policies.js";
import type { QueueSummary } from "../queue/summary.js";
import type { DeviceModel } from "./device-model.js";
import type { ReplayMarks } from "./marks.js";
import type { PolicyResult } from "./policy-result.js";
import type { Profile } from "./profile.js";
import type { ReplayProgram, ReplayTrace, TableFree, Timeline } from "./trace-result.js";

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
  /** Single events by their times, if the options asked for them. */
  readonly marks?: ReplayMarks;
  /** How fast it went. */
  readonly throughput: ReplayThroughput;
}

/** All that a replay depends on besides the trace. */
export interface ReplayConfiguration {
  /** The policies, every field filled in. */
  readonly policies: readonly Policy[];
  /** What was drawn in the place of a trace; with a recorded trace there is no such field. */
  readonly workload?: ReplayWorkload;
  /** Which Linux the trace is of: it says which tables have the mark that a deferring policy goes by. */
  readonly kernel: ReplayKernel;
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
  /** What a user request makes of a non-leaf entry with U/S = 0. */
  readonly supervisorEntries: SupervisorEntries;
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

/** A synthetic workload: profile, seed and length give it again, record by record. */
export interface ReplayWorkload {
  /** Rates and mixes that it is drawn with, each with its source. */
  readonly profile: Profile;
  /** Seed of what is drawn. */
  readonly seed: number;
  /** Operations asked for, per policy. */
  readonly operations: number;
}

/** The Linux of a trace. */
export interface ReplayKernel {
  /** Its version, as the recording or the caller has it. */
  readonly name: string;
  /** The known version that it is taken for. */
  readonly version: string;
  /** How the two differ, in a few words; empty if they do not. */
  readonly note: string;
  /** The policy that this kernel itself has. */
  readonly ships: PolicyName;
  /**
   * Who told it: the recording goes before the option; without both it is the newest that is known. Without a recording the
   * option goes before the profile.
   */
  readonly toldBy: "recording" | "option" | "profile" | "default";
  /** What the recording says, if anything; with another `toldBy`, nothing is known of that kernel. */
  readonly recorded: string | undefined;
  /** The version of the option, if it is another one and was not used. */
  readonly unused: string | undefined;
}

/** A geometry with the name it was chosen by. */
export interface NamedGeometry {
  /** Name of a preset, or of the user's file. */
  readonly name: string;
  /** The caches themselves. */
  readonly geometry: CpuGeometry;
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
