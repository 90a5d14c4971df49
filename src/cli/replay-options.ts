// Options of `stalewalk replay`, and the files they name. Node-only.
import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { InvalidOptionError } from "../base/errors.js";
import { type CostModel, checkCostModel } from "../cost/index.js";
import { type CheckedPolicy, checkPolicy, type PolicyName, policies } from "../kernel/policies.js";
import { checkHardware, type ReplayHardware, replayHardware } from "../replay/index.js";
import { joinMapping, type Mapping } from "../trace/index.js";
import { InputError } from "./errors.js";

function readJson(path: string): unknown {
  const text = readFileSync(path, "utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path}: no JSON: ${(error as Error).message}`);
  }
}

/** Puts the file's name in front of what is wrong with its contents. */
function inFile<T>(path: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError || (error as Error).name === "MappingError") {
      throw new InputError(`${path}: ${(error as Error).message}`);
    }
    throw error;
  }
}

/** Policies by name or file; `all` is every preset. Without any, all. */
export function choosePolicies(names: readonly string[] | undefined): (CheckedPolicy | PolicyName)[] {
  const presets = Object.keys(policies) as PolicyName[];
  const chosen = (names ?? ["all"]).flatMap((name): (CheckedPolicy | PolicyName)[] => {
    if (name === "all") return presets;
    if (name in policies) return [name as PolicyName];
    if (!looksLikeFile(name))
      throw new InvalidOptionError("--policy", name, `${presets.join(", ")}, all, or a JSON file`);
    return [inFile(name, () => checkPolicy(readJson(name)))];
  });
  return chosen.filter((policy, i) => chosen.indexOf(policy) === i);
}

/** Hardware by name or file. */
export function chooseHardware(name: string): ReplayHardware {
  if (name in replayHardware) return replayHardware[name as keyof typeof replayHardware];
  if (!looksLikeFile(name)) {
    throw new InvalidOptionError("--geometry", name, `${Object.keys(replayHardware).join(", ")}, or a JSON file`);
  }
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

function looksLikeFile(name: string): boolean {
  return /[./\\]/.test(name);
}

/** Parses a number that may have a fraction. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError("expected a number");
  return value;
}

/** For options that may be given several times. */
export function collect(value: string, list: string[] | undefined): string[] {
  return [...(list ?? []), value];
}
