// As much of a build of the library as the benchmark plays, and where one comes from: this package, another build in a folder, another
// engine under this package's wrapper, or version 0.1.0 in one file. Nothing here needs Node.
import { createMachineSync, type Machine, type MachineConfig } from "stalewalk";
import { type ReplayOptions, type ReplayResult, replay } from "stalewalk/replay";
import type { TraceSource } from "stalewalk/trace";
import { type VerdictRecord, type VerdictsOptions, verdicts } from "stalewalk/verdicts";

/** A build of the library. Versions answer to the same names in all that the benchmark uses. */
export interface Library {
  createMachineSync(config: MachineConfig): Machine;
  /** Missing where a build has no such door. */
  replay?(source: TraceSource, options: ReplayOptions): Promise<ReplayResult>;
  verdicts?(options: VerdictsOptions): AsyncIterable<VerdictRecord>;
}

/** Where a build comes from. */
export type LibrarySource =
  /** The folder of the entry points: index.js, replay/index.js, … */
  | { kind: "folder"; path: string }
  /** A module of this package's ABI. */
  | { kind: "module"; path: string }
  /** One file that exports what index.js does. */
  | { kind: "file"; path: string };

/** The build under test. */
export const present: Library = { createMachineSync, replay, verdicts };

/** Thrown where a contestant cannot play a case at all, which is no fault: it is named among what was not measured. */
export class NotPlayedError extends Error {
  override name = "NotPlayedError";
}
