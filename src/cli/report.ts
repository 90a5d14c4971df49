// `stalewalk report TRACE`: a replay under all policies and the matrix of verdicts as one HTML file. Node-only.
import { statSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import { policies } from "../kernel/policies.js";
import { type ReplayResult, replay, replayHardware } from "../replay/index.js";
import { openTrace } from "../trace/node.js";
import { usualIommu, type VerdictRecord, verdicts } from "../verdicts/index.js";
import { checkTarget, commandLine, writeWhole } from "./html-file.js";
import { parseCount } from "./image-options.js";
import { refuseNothing } from "./nothing-read.js";
import { print, printJson, startProgress } from "./output.js";
import { packageVersion } from "./program.js";
import { chooseHardware, choosePolicies, collect, readCost, readMapping } from "./replay-options.js";
import { damageLine } from "./replay-text.js";

interface Flags {
  html?: string;
  policy?: string[];
  geometry: string;
  cost?: string;
  mapping?: string;
  cpus?: number;
  seed?: number;
  strict?: boolean;
  verdicts: boolean;
  json?: boolean;
}

/** Registers `report`. */
export function register(program: Command): void {
  program
    .command("report")
    .argument("<trace>", "a text trace, plain or gzip; - reads standard input")
    .summary("write a replay and the verdicts as one HTML file that opens offline")
    .description(
      "Plays a kernel trace under all policies, judges the same policies by search, and writes both as one HTML file\n" +
        "without scripts, which opens offline: comparison, time line, costs, hazards with witnesses, and all that is needed\n" +
        "to repeat it. The file is written at the end, as a whole, or not at all.",
    )
    .option("--html <file>", "the file (default: the trace's name with .report.html, in this folder)")
    .option("--policy <name|file|all>", `${Object.keys(policies).join(", ")}, or a JSON file; may be repeated`, collect)
    .option("--geometry <preset|file>", `caches: ${Object.keys(replayHardware).join(", ")}, or a JSON file`, "skylake")
    .option("--cost <file>", "a cost model in JSON; figures that it leaves out are the defaults")
    .option("--mapping <file>", "what further events mean, in JSON")
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
  checkTarget(file);
  const chosen = choosePolicies(flags.policy);
  const result = await play(path, flags, chosen);
  refuseNothing(result);
  const records = flags.verdicts ? await judge(chosen) : [];
  // Only this command draws charts: the others need not load what draws them.
  const { renderReport } = await import("../report/index.js");
  const text = await renderReport(result, {
    verdicts: records,
    command: commandLine(self),
    versions: { "Node.js": process.version, platform: `${process.platform} ${process.arch}` },
  });
  writeWhole(file, text);
  if (flags.json) {
    const rows = result.policies.map(({ policy, hazards, lostNs }) => ({
      policy: policy.name,
      iommuHazards: hazards.byAgent.iommu,
      cpuHazards: hazards.byAgent.cpu,
      lostNs,
    }));
    printJson({ file, bytes: Buffer.byteLength(text), damaged: result.trace.damaged, policies: rows });
  } else print(`${file}: ${Math.ceil(Buffer.byteLength(text) / 1024)} KiB`);
  if (result.trace.damaged) process.stderr.write(`stalewalk: ${damageLine(result)}\n`);
}

type Chosen = ReturnType<typeof choosePolicies>;

async function play(path: string, flags: Flags, chosen: Chosen): Promise<ReplayResult> {
  const progress = startProgress(`replay ${path}`);
  try {
    const bytes = path === "-" ? 0 : statSync(path).size;
    return await replay(openTrace(path), {
      name: path,
      packageVersion: packageVersion(),
      policies: chosen,
      hardware: chooseHardware(flags.geometry),
      mode: flags.strict ? "strict" : "lenient",
      ...(flags.seed !== undefined && { devices: { seed: flags.seed } }),
      ...(flags.cpus !== undefined && { cpus: flags.cpus }),
      ...(flags.cost !== undefined && { cost: readCost(flags.cost) }),
      ...(flags.mapping !== undefined && { mapping: readMapping(flags.mapping) }),
      onProgress: ({ sourceBytes }) => progress.update(sourceBytes, bytes),
    });
  } finally {
    progress.end();
  }
}

async function judge(chosen: Chosen): Promise<VerdictRecord[]> {
  const progress = startProgress("verdicts, cells");
  try {
    const records: VerdictRecord[] = [];
    const options = {
      policies: chosen,
      hardware: [usualIommu, { ...usualIommu, stopAtSupervisor: true }],
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
