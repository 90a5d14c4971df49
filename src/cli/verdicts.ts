// `stalewalk verdicts`: the matrix policy x site x hardware option, and the stories of its hazards. Node-only.
import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { type CheckedPolicy, type PolicyName, policies } from "../kernel/policies.js";
import {
  type IommuOptions,
  iotlbOccupancy,
  usualIommu,
  type VerdictRecord,
  type VerdictsOptions,
  verdicts,
} from "../verdicts/index.js";
import { type ScenarioName, scenarioNames } from "../verdicts/scenarios.js";
import { matrixRows, occupancyLines, optionLines, same, stories, triedLine } from "../verdicts/text.js";
import { namedPolicy } from "../verdicts/verdicts.js";
import { failResult, InputError } from "./errors.js";
import { formatTable, print, printJson, startProgress } from "./output.js";

interface Flags {
  policy?: string[];
  site?: ScenarioName[];
  option?: OptionName[];
  depth: number;
  quick?: boolean;
  json?: boolean;
}

const OPTIONS = {
  "no-supervisor-leaves": "cacheSupervisorLeaves",
  "stop-at-supervisor": "stopAtSupervisor",
  "no-paging-structure-caches": "pagingStructureCaches",
  "device-tlb": "deviceTlb",
} as const satisfies Record<string, keyof IommuOptions>;

type OptionName = keyof typeof OPTIONS;

/** Registers `verdicts`. */
export function register(program: Command): void {
  program
    .command("verdicts")
    .summary("judge policies: the matrix policy x site x hardware, with a story for every hazard")
    .description(
      "Searches, for every policy, site that frees page tables and choice of hardware, for a program in which a walk goes " +
        "through a freed table. Deferred work, probes, reuse and other frees are placed at every point of a program. Exit " +
        "code 1 if a policy named with --policy has a hazard on an IOMMU.",
    )
    .option(
      "--policy <name|file>",
      `a preset (${Object.keys(policies).join(", ")}) or a JSON file; may be repeated`,
      collect,
    )
    .option("--site <name>", `one of ${scenarioNames.join(", ")}; may be repeated`, collectSite)
    .option(
      "--option <name>",
      `judge only hardware with this changed: ${Object.keys(OPTIONS).join(", ")}; repeated, with all of them`,
      collectOption,
    )
    .option(
      "--depth <moves>",
      "most moves of a program, 1 to 5; one more takes about thirty times as long",
      parseDepth,
      3,
    )
    .option("--quick", "the usual hardware, and walks that stop at U/S = 0, only")
    .option("--json", "print one record for every cell as JSON")
    .addHelpText(
      "after",
      "\nExample:\n  stalewalk verdicts --quick --policy deferred-free --site cpa_collapse_large_pages",
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  // A preset that is named twice is meant once, as for `replay`.
  const named = flags.policy && [...new Set(flags.policy.map(readPolicy))];
  const base = changed(flags.option ?? []);
  const progress = startProgress("cells");
  const options: VerdictsOptions = {
    ...(named && { policies: named }),
    ...(flags.site && { scenarios: flags.site }),
    hardware: flags.option ? [base] : flags.quick ? [usualIommu, changed(["stop-at-supervisor"])] : "all",
    depth: flags.depth,
    onProgress: (done, total) => progress.update(done, total),
  };
  const records: VerdictRecord[] = [];
  try {
    for await (const record of verdicts(options)) records.push(record);
  } finally {
    progress.end();
  }
  if (flags.json) printJson(records);
  else await report(records, base);
  if (named && records.some(({ agent, verdict }) => agent === "iommu" && verdict === "hazard")) failResult();
}

async function report(records: readonly VerdictRecord[], base: IommuOptions): Promise<void> {
  print("IOMMU walks (● hazard, ○ safe, ◐ safe unless deferred work runs inside the operation that frees)");
  print(formatTable(matrixRows(records, "iommu", base)));
  print();
  print("CPU walks");
  print(formatTable(matrixRows(records, "cpu", base)));
  print();
  print(triedLine(records));
  print();
  const lines = optionLines(records);
  if (lines.length > 0) {
    print("hardware options");
    for (const line of lines) print(`  ${line}`);
    print();
  }
  print("IOTLB after the same program of a device that also probes kernel addresses");
  for (const line of occupancyLines(await iotlbOccupancy())) print(`  ${line}`);
  print();
  print("hazards");
  print();
  const shown = records.filter(({ agent, options }) => agent === "cpu" || same(options, base));
  for (const line of stories(shown)) print(line);
}

function changed(names: readonly OptionName[]): IommuOptions {
  const options = { ...usualIommu };
  for (const name of names) options[OPTIONS[name]] = !usualIommu[OPTIONS[name]];
  return options;
}

/** A preset by its name, or a policy from a JSON file. */
function readPolicy(text: string): PolicyName | CheckedPolicy {
  if (text in policies) return text as PolicyName;
  let content: string;
  try {
    content = readFileSync(text, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new InputError(`--policy ${text}: neither a preset (${Object.keys(policies).join(", ")}) nor a file`);
  }
  try {
    return namedPolicy(JSON.parse(content), "policy");
  } catch (error) {
    throw new InputError(`${text}: ${(error as Error).message}`);
  }
}

function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}

function collectSite(text: string, before: ScenarioName[] = []): ScenarioName[] {
  if (!(scenarioNames as readonly string[]).includes(text)) {
    throw new InvalidArgumentError(`Expected one of ${scenarioNames.join(", ")}.`);
  }
  return [...before, text as ScenarioName];
}

function collectOption(text: string, before: OptionName[] = []): OptionName[] {
  if (!(text in OPTIONS)) throw new InvalidArgumentError(`Expected one of ${Object.keys(OPTIONS).join(", ")}.`);
  return [...before, text as OptionName];
}

function parseDepth(text: string): number {
  const depth = Number(text);
  if (!Number.isInteger(depth) || depth < 1 || depth > 5) throw new InvalidArgumentError("Expected 1 to 5.");
  return depth;
}
