// `stalewalk replay TRACE`: a kernel trace played through kernel, policy, CPUs and IOMMU. Node-only.
import { statSync } from "node:fs";
import type { Command } from "commander";
import { policies } from "../kernel/policies.js";
import {
  type DeviceModel,
  defaultDeviceModel,
  type ReplayOptions,
  type ReplayResult,
  replay,
  replayHardware,
  toCsv,
  toJson,
} from "../replay/index.js";
import { openTrace } from "../trace/node.js";
import { failResult, InputError } from "./errors.js";
import { checkTarget, commandLine, writeWhole } from "./html-file.js";
import { parseCount } from "./image-options.js";
import { refuseNothing } from "./nothing-read.js";
import { print, startProgress } from "./output.js";
import { packageVersion } from "./program.js";
import { chooseHardware, choosePolicies, collect, parseNumber, readCost, readMapping } from "./replay-options.js";
import { damageLine, printReplay } from "./replay-text.js";

interface Flags {
  policy?: string[];
  cpus?: number;
  geometry: string;
  stopAtSupervisor?: boolean;
  cost?: string;
  mapping?: string;
  levels?: number;
  pool?: number;
  workDelay?: number;
  seed?: number;
  rate?: number;
  workingSet?: number;
  probes?: number;
  perStep?: number;
  reuse: boolean;
  frees: number;
  strict?: boolean;
  json?: boolean;
  csv?: boolean;
  html?: string;
}

/** Registers `replay`. */
export function register(program: Command): void {
  const { seed, ratePerMs, workingSet, kernelProbes, perStep } = defaultDeviceModel;
  program
    .command("replay")
    .argument("<trace>", "a text trace, plain or gzip; - reads standard input")
    .summary("play a kernel trace under one or all policies, and compare what they cost and let through")
    .description(
      "Plays a kernel trace through kernel, policy, CPUs and an IOMMU: what each policy would have invalidated, waited for\n" +
        "and held back, and which walks would have gone through freed page tables. A trace does not say which addresses\n" +
        "devices touch: that is a model, whose numbers are options here and are printed with the results. Exit code 1 if a\n" +
        "policy named with --policy lets an IOMMU walk through a freed table.",
    )
    .option("--policy <name|file|all>", `${Object.keys(policies).join(", ")}, or a JSON file; may be repeated`, collect)
    .option("--cpus <number>", "CPUs (default: as the trace's header says)", parseCount)
    .option("--geometry <preset|file>", `caches: ${Object.keys(replayHardware).join(", ")}, or a JSON file`, "skylake")
    .option("--stop-at-supervisor", "a walk of the IOMMU ends at the first non-leaf entry with U/S = 0")
    .option("--cost <file>", "a cost model in JSON; figures that it leaves out are the defaults")
    .option("--mapping <file>", "what further events mean, in JSON")
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
    .option("--frees <number>", "table frees that are listed", parseCount, 40)
    .option("--strict", "the first damage of the trace is an error")
    .option("--json", "print the whole result as JSON")
    .option("--csv", "print one line a policy as CSV")
    .option("--html <file>", "write the result as one page that opens offline, too")
    .addHelpText("after", "\nExample:\n  stalewalk replay test/fixtures/traces/hugevmap.trace.txt --policy all")
    .action(run);
}

async function run(path: string, flags: Flags, self: Command): Promise<void> {
  if (flags.json && flags.csv) throw new InputError("--json and --csv exclude each other");
  if (flags.html !== undefined) checkTarget(flags.html);
  const progress = startProgress(`replay ${path}`);
  const bytes = path === "-" ? 0 : statSync(path).size;
  try {
    const options = {
      ...replayOptions(path, flags),
      onProgress: ({ sourceBytes = 0 }) => progress.update(sourceBytes, bytes),
    };
    const result = await replay(openTrace(path), options);
    progress.end();
    refuseNothing(result);
    if (flags.html !== undefined) await writePage(flags.html, result, commandLine(self));
    if (flags.json) print(toJson(result));
    else if (flags.csv) process.stdout.write(toCsv(result));
    else printReplay(result, flags.frees);
    if (result.trace.damaged && (flags.json || flags.csv)) process.stderr.write(`stalewalk: ${damageLine(result)}\n`);
    const named = flags.policy && !flags.policy.includes("all");
    if (named && result.policies.some((policy) => policy.hazards.byAgent.iommu > 0)) failResult();
  } finally {
    progress.end();
  }
}

async function writePage(file: string, result: ReplayResult, command: string): Promise<void> {
  // What draws charts is loaded only when there are some.
  const { renderReport } = await import("../report/index.js");
  const versions = { "Node.js": process.version, platform: `${process.platform} ${process.arch}` };
  writeWhole(file, await renderReport(result, { command, versions }));
}

function replayOptions(path: string, flags: Flags): ReplayOptions {
  const devices: Partial<DeviceModel> = {
    reuse: flags.reuse,
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
    hardware: { ...hardware, stopAtSupervisor: flags.stopAtSupervisor ?? hardware.stopAtSupervisor },
    devices,
    mode: flags.strict ? "strict" : "lenient",
    ...(flags.cpus !== undefined && { cpus: flags.cpus }),
    ...(flags.cost !== undefined && { cost: readCost(flags.cost) }),
    ...(flags.mapping !== undefined && { mapping: readMapping(flags.mapping) }),
    ...(flags.levels !== undefined && { levels: flags.levels as 4 | 5 }),
    ...(flags.pool !== undefined && { pool: flags.pool }),
    ...(flags.workDelay !== undefined && { workDelayNs: flags.workDelay }),
  };
}
