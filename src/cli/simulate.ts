// `stalewalk simulate`: a synthetic workload, drawn by a profile, played as a trace is. Node-only.
import { type Command, InvalidArgumentError } from "commander";
import { checkProfile, defaultDeviceModel, type Profile, type ProfileName, profiles } from "../replay/index.js";
import { type ParallelSimulateOptions, simulate } from "../replay/node.js";
import { fileOption } from "./choices.js";
import { InputError } from "./errors.js";
import { expectFile, inFile, readJson } from "./json-file.js";
import { simulatedKernelOption } from "./kernel-option.js";
import { printJson, printTable, startProgress } from "./output.js";
import { addPlayOptions, inputsOf } from "./replay-options.js";
import {
  addMachineOptions,
  addResultOptions,
  checkForms,
  type MachineFlags,
  type ResultFlags,
  runSettings,
  showResult,
} from "./run-options.js";
import { workersOption } from "./workers-option.js";

interface Flags extends MachineFlags, ResultFlags {
  policy?: string[];
  profile: string;
  operations: number;
  workers?: number;
  listProfiles?: boolean;
}

const PROFILES = Object.keys(profiles) as ProfileName[];

/** Registers `simulate`. */
export function register(program: Command): void {
  const command = program
    .command("simulate")
    .summary("play a synthetic kernel workload under one or all policies, without a trace")
    .description(
      "Draws what a kernel does by a profile (areas mapped and unmapped, tables freed, flushes, processes; rates and sizes\n" +
        "measured in recordings), and plays it as replay plays a trace, with the same results. The same profile, seed and\n" +
        "options give the same figures on every machine. Exit code 1 if a policy named with --policy lets an IOMMU walk\n" +
        "through a freed table.",
    )
    .addOption(
      fileOption("--profile <name|file>", `what is drawn: ${PROFILES.join(", ")}, or a JSON file`, PROFILES).default(
        PROFILES[0],
      ),
    )
    .option(
      "--operations <number>",
      "operations that each policy plays, device accesses included: 2000000, 500k, 10M",
      parseAmount,
      1_000_000,
    )
    .option("--list-profiles", "print the profiles that are built in, with --json whole, and end");
  addPlayOptions(command, simulatedKernelOption());
  addMachineOptions(command, {
    cpus: "as the profile says, else 2",
    levels: "4",
    seed: "all that is drawn",
    time: "the workload's time",
    rate: `as the profile says, else ${defaultDeviceModel.ratePerMs}`,
    workingSet: `as the profile says, else ${defaultDeviceModel.workingSet}`,
  });
  command.addOption(workersOption());
  addResultOptions(command)
    .addHelpText("after", "\nExample:\n  stalewalk simulate --profile module-loading --operations 500k --policy all")
    .action(run);
}

async function run(flags: Flags, self: Command): Promise<void> {
  if (flags.listProfiles) {
    if (flags.csv || flags.html !== undefined || flags.perfetto !== undefined)
      throw new InputError("--list-profiles prints text, or JSON with --json");
    listProfiles(flags.json === true);
    return;
  }
  const files = checkForms(flags, inputsOf(flags.profile, flags));
  const options: ParallelSimulateOptions = {
    ...runSettings(flags),
    profile: chooseProfile(flags.profile),
    operations: flags.operations,
    ...(flags.workers !== undefined && { workers: flags.workers }),
    ...(flags.seed !== undefined && { seed: flags.seed }),
  };
  const progress = startProgress(`simulate ${flags.profile}`);
  try {
    const result = await simulate({ ...options, onProgress: progress.update });
    progress.end();
    await showResult(result, flags, files, self);
  } finally {
    progress.end();
  }
}

function listProfiles(json: boolean): void {
  const all: readonly Profile[] = Object.values(profiles);
  if (json) printJson(all);
  else {
    const rows = all.map(({ name, kernel = "", about = "", source = "" }) => [name, kernel, source, about]);
    printTable([["profile", "Linux", "modelled on", "what runs"], ...rows]);
  }
}

function chooseProfile(name: string): ProfileName | Profile {
  if (Object.hasOwn(profiles, name)) return name as ProfileName;
  expectFile("--profile", name, PROFILES);
  return inFile(name, () => checkProfile(readJson(name)));
}

/** `500k`, `10M`, `1.5M`: whole numbers, thousands, millions. */
function parseAmount(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)([kMG]?)$/i.exec(text) ?? [];
  const value = Number(digits) * { "": 1, k: 1e3, m: 1e6, g: 1e9 }[unit.toLowerCase()]!;
  if (digits === "" || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("Expected a whole number such as 2000000, 500k or 10M.");
  }
  return value;
}
