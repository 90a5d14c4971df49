// The yardstick: version 0.1.0, its module with its own wrapper, kept as it was. It plays beside the present build in every run,
// so that a change of speed is seen as a ratio whatever the machine is doing.
import { join } from "node:path";
import type { Library } from "../library.js";
import { loadLibrary } from "../load-library.js";
import { benchFolder } from "../root.js";

/** What it is called as a contestant. */
export const YARDSTICK = "0.1.0";

/** Where it is. */
export const yardstickFile: string = join(benchFolder, "yardstick", "stalewalk-0.1.0.mjs");

/** Version 0.1.0. */
export const yardstick: Library = await loadLibrary({ kind: "file", path: yardstickFile });
