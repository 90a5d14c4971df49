// Policies by name or from files, for every command that judges some. Node-only.
import { existsSync } from "node:fs";
import type { Option } from "commander";
import { checkPolicy, type Policy, type PolicyName, policies } from "../kernel/policies.js";
import { fileOption } from "./choices.js";
import { InputError } from "./errors.js";
import { expectFile, inFile, readJson } from "./json-file.js";

/** Names of the presets. */
export const PRESETS = Object.keys(policies) as PolicyName[];

/** `--policy`, the same in every command. */
export function policyOption(): Option {
  const about = `a preset (${PRESETS.join(", ")}), all of them (all), or a JSON file; may be repeated`;
  return fileOption("--policy <name|file>", about, [...PRESETS, "all"]).argParser(
    (text: string, before: string[] = []) => [...before, text],
  );
}

/** `--diff`: two policies that are compared. */
export function diffOption(): Option {
  const about = "two policies, as --policy takes them: which cells differ, and the hazards of these only";
  return fileOption("--diff <policies...>", about, PRESETS).argParser((text: string, before: string[] = []) => [
    ...before,
    text,
  ]);
}

/** Whether the user asked about certain policies, so that the exit code is about them. */
export function isAboutSome(asked: readonly string[] | undefined): boolean {
  return asked !== undefined && !asked.includes("all");
}

/**
 * Policies by name or file, in the order asked for; without any, all presets. Rows of a result are told apart by their
 * names, so each name is there once.
 *
 * @throws InputError
 */
export function choosePolicies(asked: readonly string[] = ["all"]): (Policy | PolicyName)[] {
  const texts = new Set(asked.flatMap((text) => (text === "all" ? PRESETS : [text])));
  const files = new Map<string, string>();
  return [...texts].map((text) => {
    if (isPreset(text)) return text;
    const policy = readPolicy(text);
    if (isPreset(policy.name)) {
      throw new InputError(`${text}: policy.name is "${policy.name}", a preset's; expected a name of its own`);
    }
    const other = files.get(policy.name);
    if (other !== undefined) {
      throw new InputError(`${text}: policy.name is "${policy.name}", as in ${other}; expected a name of its own`);
    }
    files.set(policy.name, text);
    return policy;
  });
}

function readPolicy(text: string): Policy {
  expectFile("--policy", text, [...PRESETS, "all"]);
  if (!existsSync(text)) throw new InputError(`--policy ${text}: neither a preset (${PRESETS.join(", ")}) nor a file`);
  return inFile(text, () => {
    const given = readJson(text);
    const policy = checkPolicy(given);
    // Without one it would be called as the preset that its defaults are from.
    if ((given as Partial<Policy>).name === undefined) {
      throw new InputError(`${text}: policy.name is undefined; expected a name`);
    }
    return policy;
  });
}

function isPreset(text: string): text is PolicyName {
  return Object.hasOwn(policies, text);
}
