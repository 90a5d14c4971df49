// What `replay` and `simulate` have in common: options of the machine and of the device model, the forms of a result, and how it is
// shown. Node-only.
import type { Command } from "commander";
import { SUPERVISOR_ENTRIES, type SupervisorEntries } from "../hardware/iommu-config.js";
import {
  type DeviceModel,
  defaultDeviceModel,
  type ReplayResult,
  type RunSettings,
  toCsv,
  toJson,
  toPerfetto,
} from "../replay/index.js";
import { choiceOption, fileOption } from "./choices.js";
import { commandLine } from "./command-line.js";
import { failResult, InputError } from "./errors.js";
import { parseCount } from "./image-options.js";
import { printCsv, printJsonText, say } from "./output.js";
import { checkOutputFile, type OutputFile } from "./output-file.js";
import { pageText } from "./page-text.js";
import { choosePolicies, isAboutSome } from "./policy-options.js";
import { chooseHardware, type PlayFlags, parseNumber, readCost } from "./replay-options.js";
import { damageLine, printReplay } from "./replay-text.js";
import { packageVersion } from "./version.js";

/** Values of {@link addMachineOptions}. */
export interface MachineFlags extends PlayFlags {
  cpus?: number;
  supervisorEntries?: SupervisorEntries;
  levels?: number;
  pool?: number;
  workDelay?: number;
  seed?: number;
  rate?: number;
  workingSet?: number;
  probes?: number;
  perStep?: number;
  reuse: boolean;
  pageRequests?: boolean;
}

/** Values of {@link addResultOptions}. */
export interface ResultFlags {
  policy?: string[];
  frees: number;
  json?: boolean;
  csv?: boolean;
  html?: string;
  perfetto?: string;
}

/** Where defaults are from, in words, and the seed's meaning. */
export interface MachineWords {
  readonly cpus: string;
  readonly levels: string;
  readonly seed: string;
  readonly rate: string;
  readonly workingSet: string;
  readonly time: string;
}

/** Adds the options of the machine and of the device model. */
export function addMachineOptions(command: Command, words: MachineWords): Command {
  const { seed, kernelProbes, perStep } = defaultDeviceModel;
  return command
    .option("--cpus <number>", `CPUs (default: ${words.cpus})`, parseCount)
    .addOption(
      choiceOption(
        "--supervisor-entries <reading>",
        `what a request makes of a non-leaf entry with U/S = 0: ${SUPERVISOR_ENTRIES.join(", ")} (default: ${SUPERVISOR_ENTRIES[0]})`,
        SUPERVISOR_ENTRIES,
      ),
    )
    .option("--levels <4|5>", `paging levels (default: ${words.levels})`, parseCount)
    .option("--pool <frames>", "frames for page tables, a policy (default: 4096)", parseCount)
    .option("--work-delay <ns>", "time until deferred work runs (default: 50000)", parseCount)
    .option("--seed <number>", `seed of ${words.seed} (default: ${seed})`, parseCount)
    .option("--rate <number>", `device accesses per millisecond of ${words.time} (default: ${words.rate})`, parseNumber)
    .option("--working-set <pages>", `user pages that the device works on (default: ${words.workingSet})`, parseCount)
    .option(
      "--probes <share>",
      `share of accesses aimed at the kernel half, 0 to 1 (default: ${kernelProbes})`,
      parseNumber,
    )
    .option("--per-step <number>", `accesses at every step of a table free (default: ${perStep})`, parseCount)
    .option("--no-reuse", "nobody takes freed frames and fills them")
    .option("--page-requests", "the device has a TLB of its own and sends a page request for what is refused");
}

/** Adds `--frees`, `--json`, `--csv` and `--html`. */
export function addResultOptions(command: Command): Command {
  return command
    .option("--frees <number>", "table frees that are listed", parseCount, 40)
    .option("--json", "print the whole result as JSON")
    .option("--csv", "print one line per policy as CSV")
    .addOption(fileOption("--html <file>", "write the result as one page that opens offline, too"))
    .addOption(fileOption("--perfetto <file>", "write the events as trace event JSON, which Perfetto opens, too"));
}

/** The options as the library has them. */
export function runSettings(
  flags: MachineFlags & Pick<ResultFlags, "html" | "perfetto">,
): RunSettings & { readonly packageVersion: string } {
  const devices: Partial<DeviceModel> = {
    reuse: flags.reuse,
    ...(flags.pageRequests && { pageRequests: true }),
    ...(flags.seed !== undefined && { seed: flags.seed }),
    ...(flags.rate !== undefined && { ratePerMs: flags.rate }),
    ...(flags.workingSet !== undefined && { workingSet: flags.workingSet }),
    ...(flags.probes !== undefined && { kernelProbes: flags.probes }),
    ...(flags.perStep !== undefined && { perStep: flags.perStep }),
  };
  const hardware = chooseHardware(flags.geometry);
  return {
    packageVersion: packageVersion(),
    marks: flags.html !== undefined || flags.perfetto !== undefined,
    policies: choosePolicies(flags.policy),
    hardware: { ...hardware, supervisorEntries: flags.supervisorEntries ?? hardware.supervisorEntries },
    devices,
    ...(flags.kernel !== undefined && { kernel: flags.kernel }),
    ...(flags.cpus !== undefined && { cpus: flags.cpus }),
    ...(flags.cost !== undefined && { cost: readCost(flags.cost) }),
    ...(flags.levels !== undefined && { levels: flags.levels as 4 | 5 }),
    ...(flags.pool !== undefined && { pool: flags.pool }),
    ...(flags.workDelay !== undefined && { workDelayNs: flags.workDelay }),
  };
}

/** Files that a result is written to besides. */
export interface ResultFiles {
  readonly html: OutputFile | undefined;
  readonly perfetto: OutputFile | undefined;
}

/** Where they go, before anything is played. @throws InputError for forms that exclude each other and for files that cannot be */
export function checkForms(flags: ResultFlags, inputs: readonly string[]): ResultFiles {
  if (flags.json && flags.csv) throw new InputError("--json and --csv exclude each other");
  const { html, perfetto } = flags;
  const file = html === undefined ? undefined : checkOutputFile("--html", html, inputs);
  // Neither of the two may be written over by the other.
  const others = html === undefined ? inputs : [...inputs, html];
  return { html: file, perfetto: perfetto === undefined ? undefined : checkOutputFile("--perfetto", perfetto, others) };
}

/** Shows a result in the form that was asked for; the exit code is about policies that were named. */
export async function showResult(
  result: ReplayResult,
  flags: ResultFlags,
  files: ResultFiles,
  self: Command,
): Promise<void> {
  if (files.html) await writePage(files.html, result, commandLine(self));
  if (files.perfetto) await files.perfetto.write(toPerfetto(result));
  // What was kept for the page is no part of what is printed.
  const { marks: _, ...printed } = result;
  if (flags.json) printJsonText(toJson(printed));
  else if (flags.csv) printCsv(toCsv(result));
  else printReplay(result, flags.frees);
  if (result.trace.damaged && (flags.json || flags.csv)) say(`stalewalk: ${damageLine(result)}`);
  if (isAboutSome(flags.policy) && result.policies.some((policy) => policy.hazards.byAgent.iommu > 0)) failResult();
}

async function writePage(page: OutputFile, result: ReplayResult, command: string): Promise<void> {
  // Loaded only when it is to be written.
  const { renderReport } = await import("../report/index.js");
  const versions = { "Node.js": process.version, platform: `${process.platform} ${process.arch}` };
  await page.write(await renderReport(result, { command, versions, page: pageText() }));
}
