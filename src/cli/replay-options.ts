// Options that `replay`, `report` and `simulate` share, the files they name, and the replay itself. Node-only.
import { existsSync, statSync } from "node:fs";
import { type Command, InvalidArgumentError, type Option } from "commander";
import { type CostModel, checkCostModel } from "../cost/index.js";
import {
  checkHardware,
  type ReplayHardware,
  type ReplayOptions,
  type ReplayResult,
  replay,
  replayHardware,
} from "../replay/index.js";
import { joinMapping, type Mapping } from "../trace/index.js";
import { openTrace } from "../trace/node.js";
import { fileOption } from "./choices.js";
import { expectFile, inFile, readJson } from "./json-file.js";
import { tracedKernelOption } from "./kernel-option.js";
import { refuseNothing } from "./nothing-read.js";
import { startProgress } from "./output.js";
import { policyOption } from "./policy-options.js";

const HARDWARE = Object.keys(replayHardware);

/** Adds `--policy`, this `--kernel`, `--geometry` and `--cost`. */
export function addPlayOptions(command: Command, kernel: Option): Command {
  const options = [
    policyOption(),
    kernel,
    fileOption("--geometry <preset|file>", `caches: ${HARDWARE.join(", ")}, or a JSON file`, HARDWARE).default(
      "skylake",
    ),
    fileOption("--cost <file>", "a cost model in JSON; figures that it leaves out are the defaults"),
  ];
  return options.reduce((to, option) => to.addOption(option), command);
}

/** The same for a trace, and `--mapping`. */
export function addFileOptions(command: Command): Command {
  return addPlayOptions(command, tracedKernelOption()).addOption(
    fileOption("--mapping <file>", "what further events mean, in JSON"),
  );
}

/** Values of {@link addPlayOptions}. */
export interface PlayFlags {
  policy?: string[];
  kernel?: string;
  geometry: string;
  cost?: string;
}

/** Values of {@link addFileOptions}. */
export interface FileFlags extends PlayFlags {
  mapping?: string;
}

/** Every file that the command may read: none of them is to be written over. */
export function inputsOf(input: string, { policy = [], geometry, cost, mapping }: FileFlags): string[] {
  const files = [input, ...policy, geometry, cost, mapping];
  return files.filter((file) => file !== undefined && file !== "-" && existsSync(file)) as string[];
}

/** Plays a trace with progress on the terminal. @throws InputError if nothing of it was read */
export async function playTrace(path: string, options: ReplayOptions): Promise<ReplayResult> {
  const progress = startProgress(`replay ${path}`, path === "-" ? 0 : statSync(path).size);
  try {
    const result = await replay(openTrace(path), { ...options, onProgress: progress.update });
    refuseNothing(result);
    return result;
  } finally {
    progress.end();
  }
}

/** Hardware by name or file. */
export function chooseHardware(name: string): ReplayHardware {
  if (Object.hasOwn(replayHardware, name)) return replayHardware[name as keyof typeof replayHardware];
  expectFile("--geometry", name, HARDWARE);
  return inFile(name, () => checkHardware(readJson(name)));
}

/** A cost model from a file. */
export function readCost(path: string): CostModel {
  return inFile(path, () => checkCostModel(readJson(path)));
}

/** Rules for events from a file. */
export function readMapping(path: string): Mapping {
  return inFile(path, () => joinMapping(readJson(path)));
}

/** Parses a number that may have a fraction. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("Expected a number of 0 or more.");
  return value;
}
