// `stalewalk replay TRACE`: a kernel trace played through kernel, policy, CPUs and IOMMU. Node-only.
import type { Command } from "commander";
import { SUPERVISOR_ENTRIES, type SupervisorEntries } from "../hardware/iommu-config.js";
import {
  type DeviceModel,
  defaultDeviceModel,
  type ReplayOptions,
  type ReplayResult,
  toCsv,
  toJson,
} from "../replay/index.js";
import { choiceOption, fileOption } from "./choices.js";
import { commandLine } from "./command-line.js";
import { failResult, InputError } from "./errors.js";
import { parseCount } from "./image-options.js";
import { printCsv, printJsonText, say } from "./output.js";
import { checkOutputFile, type OutputFile } from "./output-file.js";
import { choosePolicies, isAboutSome } from "./policy-options.js";
import {
  addFileOptions,
  chooseHardware,
  type FileFlags,
  inputsOf,
  parseNumber,
  playTrace,
  readCost,
  readMapping,
} from "./replay-options.js";
import { damageLine, printReplay } from "./replay-text.js";
import { packageVersion } from "./version.js";

interface Flags extends FileFlags {
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
  frees: number;
  strict?: boolean;
  json?: boolean;
  csv?: boolean;
  html?: string;
}

/** Registers `replay`. */
export function register(program: Command): void {
  const { seed, ratePerMs, workingSet, kernelProbes, perStep } = defaultDeviceModel;
  addFileOptions(program.command("replay"))
    .argument("<trace>", "a text trace, plain or gzip; - reads standard input")
    .summary("play a kernel trace under one or all policies, and compare what they cost and let through")
    .description(
      "Plays a kernel trace through kernel, policy, CPUs and an IOMMU: what each policy would have invalidated, waited for\n" +
        "and held back, and which walks would have gone through freed page tables. A trace does not say which addresses\n" +
        "devices touch: that is a model, whose numbers are options here and are printed with the results. Exit code 1 if a\n" +
        "policy named with --policy lets an IOMMU walk through a freed table.",
    )
    .option("--cpus <number>", "CPUs (default: as the trace's header says)", parseCount)
    .addOption(
      choiceOption(
        "--supervisor-entries <reading>",
        `what a request makes of a non-leaf entry with U/S = 0: ${SUPERVISOR_ENTRIES.join(", ")} (default: ${SUPERVISOR_ENTRIES[0]})`,
        SUPERVISOR_ENTRIES,
      ),
    )
    .option("--levels <4|5>", "paging levels (default: by the addresses)", parseCount)
    .option("--pool <frames>", "frames for page tables, a policy (default: 4096)", parseCount)
    .option("--work-delay <ns>", "time until deferred work runs (default: 50000)", parseCount)
    .option("--seed <number>", `seed of the device model (default: ${seed})`, parseCount)
    .option("--rate <number>", `device accesses per millisecond of trace time (default: ${ratePerMs})`, parseNumber)
    .option("--working-set <pages>", `user pages that the device works on (default: ${workingSet})`, parseCount)
    .option(
      "--probes <share>",
      `share of accesses aimed at the kernel half, 0 to 1 (default: ${kernelProbes})`,
      parseNumber,
    )
    .option("--per-step <number>", `accesses at every step of a table free (default: ${perStep})`, parseCount)
    .option("--no-reuse", "nobody takes freed frames and fills them")
    .option("--page-requests", "the device has a TLB of its own and sends a page request for what is refused")
    .option("--frees <number>", "table frees that are listed", parseCount, 40)
    .option("--strict", "the first damage of the trace is an error")
    .option("--json", "print the whole result as JSON")
    .option("--csv", "print one line per policy as CSV")
    .addOption(fileOption("--html <file>", "write the result as one page that opens offline, too"))
    .addHelpText("after", "\nExample:\n  stalewalk replay test/fixtures/traces/hugevmap.trace.txt --policy all")
    .action(run);
}

async function run(path: string, flags: Flags, self: Command): Promise<void> {
  if (flags.json && flags.csv) throw new InputError("--json and --csv exclude each other");
  const page = flags.html === undefined ? undefined : checkOutputFile("--html", flags.html, inputsOf(path, flags));
  const result = await playTrace(path, replayOptions(path, flags));
  if (page) await writePage(page, result, commandLine(self));
  if (flags.json) printJsonText(toJson(result));
  else if (flags.csv) printCsv(toCsv(result));
  else printReplay(result, flags.frees);
  if (result.trace.damaged && (flags.json || flags.csv)) say(`stalewalk: ${damageLine(result)}`);
  if (isAboutSome(flags.policy) && result.policies.some((policy) => policy.hazards.byAgent.iommu > 0)) failResult();
}

async function writePage(page: OutputFile, result: ReplayResult, command: string): Promise<void> {
  // What draws charts is loaded only when there are some.
  const { renderReport } = await import("../report/index.js");
  const versions = { "Node.js": process.version, platform: `${process.platform} ${process.arch}` };
  await page.write(await renderReport(result, { command, versions }));
}

function replayOptions(path: string, flags: Flags): ReplayOptions {
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
    name: path,
    packageVersion: packageVersion(),
    policies: choosePolicies(flags.policy),
    hardware: { ...hardware, supervisorEntries: flags.supervisorEntries ?? hardware.supervisorEntries },
    devices,
    mode: flags.strict ? "strict" : "lenient",
    ...(flags.kernel !== undefined && { kernel: flags.kernel }),
    ...(flags.cpus !== undefined && { cpus: flags.cpus }),
    ...(flags.cost !== undefined && { cost: readCost(flags.cost) }),
    ...(flags.mapping !== undefined && { mapping: readMapping(flags.mapping) }),
    ...(flags.levels !== undefined && { levels: flags.levels as 4 | 5 }),
    ...(flags.pool !== undefined && { pool: flags.pool }),
    ...(flags.workDelay !== undefined && { workDelayNs: flags.workDelay }),
  };
}
