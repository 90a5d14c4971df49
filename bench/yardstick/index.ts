// The yardstick: version 0.1.0, its module with its own wrapper, kept as it was. It plays beside the present build in every run,
// so that a change of speed is seen as a ratio whatever the machine is doing.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createMachineSync, type Machine, type MachineConfig } from "stalewalk";
import { benchFolder } from "../root.js";

/** As much of a version of the library as the benchmark plays. */
export interface Library {
  createMachineSync(config: MachineConfig): Machine;
}

/** The build under test. */
export const present: Library = { createMachineSync };

/** Version 0.1.0. Its machines answer to the same names in all that the benchmark uses. */
export const yardstick = (await import(
  pathToFileURL(join(benchFolder, "yardstick", "stalewalk-0.1.0.mjs")).href
)) as Library;
