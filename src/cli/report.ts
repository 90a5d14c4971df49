// `stalewalk report TRACE`: a replay under all policies and the matrix of verdicts as one HTML file. Node-only.
import { basename } from "node:path";
import type { Command } from "commander";
import type { ReplayOptions } from "../replay/index.js";
import { changedIommu, usualIommu, type VerdictRecord } from "../verdicts/index.js";
import { verdicts } from "../verdicts/node.js";
import { fileOption } from "./choices.js";
import { commandLine } from "./command-line.js";
import { parseCount } from "./image-options.js";
import { print, printJson, say, startProgress } from "./output.js";
import { checkOutputFile } from "./output-file.js";
import { pageText } from "./page-text.js";
import { choosePolicies } from "./policy-options.js";
import {
  addFileOptions,
  chooseHardware,
  type FileFlags,
  inputsOf,
  playTrace,
  readCost,
  readMapping,
} from "./replay-options.js";
import { damageLine } from "./replay-text.js";
import { packageVersion } from "./version.js";

interface Flags extends FileFlags {
  html?: string;
  cpus?: number;
  seed?: number;
  strict?: boolean;
  verdicts: boolean;
  json?: boolean;
}

/** Registers `report`. */
export function register(program: Command): void {
  addFileOptions(program.command("report"))
    .argument("<trace>", "a text trace, plain or gzip; - reads standard input")
    .summary("write a replay and the verdicts as one HTML file that opens offline")
    .description(
      "Plays a kernel trace under all policies, judges the same policies by search, and writes both as one HTML file\n" +
        "that opens offline: comparison, time line, costs, hazards with witnesses, all that is needed to repeat it, and views\n" +
        "to zoom, step through and calculate with. It reads without JavaScript too. The file is written at the end, as a whole, or not at all.",
    )
    .addOption(fileOption("--html <file>", "the file (default: the trace's name with .report.html, in this folder)"))
    .option("--cpus <number>", "CPUs (default: as the trace's header says)", parseCount)
    .option("--seed <number>", "seed of the device model (default: 1)", parseCount)
    .option("--strict", "the first damage of the trace is an error")
    .option("--no-verdicts", "leave out the verdicts by search, which take some seconds")
    .option("--json", "print the file's name and the figures of its summary as JSON")
    .addHelpText("after", "\nExample:\n  stalewalk report test/fixtures/traces/hugevmap.trace.txt --html report.html")
    .action(run);
}

async function run(path: string, flags: Flags, self: Command): Promise<void> {
  const file = flags.html ?? defaultName(path);
  const page = checkOutputFile("--html", file, inputsOf(path, flags));
  const chosen = choosePolicies(flags.policy);
  const result = await playTrace(path, replayOptions(path, flags, chosen));
  const records = flags.verdicts ? await judge(chosen, result.configuration.kernel.version) : [];
  const { renderReport } = await import("../report/index.js");
  const text = await renderReport(result, {
    verdicts: records,
    command: commandLine(self),
    page: pageText(),
    versions: { "Node.js": process.version, platform: `${process.platform} ${process.arch}` },
  });
  await page.write(text);
  if (flags.json) {
    const rows = result.policies.map(({ policy, hazards, lostNs }) => ({
      policy: policy.name,
      iommuHazards: hazards.byAgent.iommu,
      cpuHazards: hazards.byAgent.cpu,
      lostNs,
    }));
    printJson({ file, bytes: Buffer.byteLength(text), damaged: result.trace.damaged, policies: rows });
  } else print(`${file}: ${Math.ceil(Buffer.byteLength(text) / 1024)} KiB`);
  if (result.trace.damaged) say(`stalewalk: ${damageLine(result)}`);
}

type Chosen = ReturnType<typeof choosePolicies>;

function replayOptions(path: string, flags: Flags, chosen: Chosen): ReplayOptions {
  return {
    name: path,
    packageVersion: packageVersion(),
    marks: true,
    policies: chosen,
    hardware: chooseHardware(flags.geometry),
    mode: flags.strict ? "strict" : "lenient",
    ...(flags.seed !== undefined && { devices: { seed: flags.seed } }),
    ...(flags.kernel !== undefined && { kernel: flags.kernel }),
    ...(flags.cpus !== undefined && { cpus: flags.cpus }),
    ...(flags.cost !== undefined && { cost: readCost(flags.cost) }),
    ...(flags.mapping !== undefined && { mapping: readMapping(flags.mapping) }),
  };
}

async function judge(chosen: Chosen, kernel: string): Promise<VerdictRecord[]> {
  const progress = startProgress("verdicts, cells");
  try {
    const records: VerdictRecord[] = [];
    const options = {
      kernel,
      policies: chosen,
      hardware: [usualIommu, changedIommu(["stop-at-supervisor"])],
      onProgress: progress.update,
    };
    for await (const record of verdicts(options)) records.push(record);
    return records;
  } finally {
    progress.end();
  }
}

/** `boot.trace.txt.gz` gives `boot.report.html` in the working folder. */
function defaultName(path: string): string {
  const stem = path === "-" ? "trace" : basename(path).replace(/(\.(gz|txt|trace|log|dat))+$/i, "");
  return `${stem || "trace"}.report.html`;
}
