// `stalewalk verdicts`: the matrix policy x site x hardware option, and the stories of its hazards. Node-only.
import { type Command, InvalidArgumentError } from "commander";
import { InvalidOptionError } from "../base/errors.js";
import { type ResolvedKernel, resolveKernel } from "../kernel/versions.js";
import { differences } from "../verdicts/differences.js";
import {
  type CpuChangeName,
  type CpuOptions,
  changedCpu,
  changedIommu,
  cpuChangeNames,
  describeOptions,
  type IommuChangeName,
  type IommuOptions,
  iommuChangeNames,
  iotlbOccupancy,
  pageRequestsLine,
  usualCpu,
  usualIommu,
  type VerdictRecord,
} from "../verdicts/index.js";
import { type ParallelVerdictsOptions, verdicts } from "../verdicts/node.js";
import { type ScenarioName, scenarioNames } from "../verdicts/scenarios.js";
import {
  matrixRows,
  occupancyLines,
  optionLines,
  proofLines,
  same,
  signsLine,
  stories,
  supportLines,
  triedLine,
} from "../verdicts/text.js";
import { choiceOption, fileOption, repeatedChoice } from "./choices.js";
import { failResult, InputError } from "./errors.js";
import { kernelLine, kernelOption } from "./kernel-option.js";
import { print, printJson, printTable, startProgress } from "./output.js";
import { checkOutputFile } from "./output-file.js";
import { choosePolicies, diffOption, isAboutSome, policyOption } from "./policy-options.js";
import { verdictsSarif } from "./sarif.js";
import { storySvg, witnessOf } from "./story-svg.js";
import { workersOption } from "./workers-option.js";

interface Flags {
  kernel?: string;
  policy?: string[];
  diff?: string[];
  site?: ScenarioName[];
  option?: IommuChangeName[];
  cpu?: CpuChangeName;
  depth: number;
  quick?: boolean;
  walks: "atomic" | "stepwise";
  drain: "all" | "page" | "none";
  moves: "usual" | "wide";
  prove?: boolean;
  explainSafe?: boolean;
  maxStates?: number;
  maxSeconds?: number;
  workers?: number;
  json?: boolean;
  svg?: string;
  sarif?: string;
}

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
    .addOption(kernelOption())
    .addOption(policyOption())
    .addOption(diffOption())
    .addOption(repeatedChoice("--site <name>", `one of ${scenarioNames.join(", ")}; may be repeated`, scenarioNames))
    .addOption(
      repeatedChoice(
        "--option <name>",
        `judge only hardware with this changed: ${iommuChangeNames.join(", ")}; repeated, with all of them`,
        iommuChangeNames,
      ),
    )
    .addOption(
      choiceOption(
        "--cpu <name>",
        "judge only this CPU: with page-table isolation (pti), AMD's INVLPG with TCE = 0 or 1, or with INVLPGB",
        cpuChangeNames,
      ),
    )
    .option(
      "--depth <moves>",
      "most moves of a program, 1 to 5; one more takes about thirty times as long",
      parseDepth,
      3,
    )
    .addOption(
      choiceOption("--walks <how>", "whether a walk may stop between two reads of memory: stepwise or atomic", [
        "stepwise",
        "atomic",
      ]).default("stepwise"),
    )
    .addOption(
      choiceOption("--drain <which>", "which walks an invalidation waits for: all of the PASID, of the page, none", [
        "all",
        "page",
        "none",
      ]).default("all"),
    )
    .addOption(
      choiceOption(
        "--moves <which>",
        "usual, or wide: bind, unbind and exit, a second walk under way, page requests on their way; takes far longer",
        ["usual", "wide"],
      ).default("usual"),
    )
    .option(
      "--prove",
      "explore all states of each cell: proved safe, for programs of any length, or a hazard with fewest moves; no --depth",
    )
    .option("--explain-safe", "with --prove: what the safety of each cell rests on, by taking each thing away in turn")
    .option("--max-states <n>", "with --prove: most states of a cell", (text) => parseCount(text, MOST_STATES))
    .option("--max-seconds <s>", "with --prove: most seconds for a cell", (text) => parseCount(text, MOST_SECONDS))
    .addOption(workersOption())
    .option("--quick", "the usual hardware, and walks that stop at U/S = 0, only")
    .option("--json", "print one record for every cell as JSON")
    .addOption(fileOption("--svg <file>", "draw the story of the first hazard, too"))
    .addOption(fileOption("--sarif <file>", "write the hazards as SARIF, which code hosts and editors show, too"))
    .addHelpText(
      "after",
      "\nExample:\n  stalewalk verdicts --quick --policy deferred-free --site cpa_collapse_large_pages",
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  for (const [option, value] of [
    ["--max-states", flags.maxStates],
    ["--max-seconds", flags.maxSeconds],
    ["--explain-safe", flags.explainSafe],
  ] as const) {
    if (value !== undefined && !flags.prove) throw new InvalidOptionError(option, value, "together with --prove");
  }
  if (flags.diff && (flags.diff.length !== 2 || flags.policy)) {
    throw new InvalidOptionError("--diff", flags.diff.join(" "), "two policies, without --policy");
  }
  const picture = flags.svg === undefined ? undefined : checkOutputFile("--svg", flags.svg, flags.policy);
  const findings = flags.sarif === undefined ? undefined : checkOutputFile("--sarif", flags.sarif, flags.policy);
  const kernel = resolveKernel(flags.kernel, "--kernel");
  const chosen = choosePolicies(flags.diff ?? flags.policy);
  if (flags.diff && chosen.length !== 2) throw new InvalidOptionError("--diff", flags.diff.join(" "), "two policies");
  const base = changedIommu(flags.option ?? []);
  const cpu = flags.cpu ? changedCpu(flags.cpu) : usualCpu;
  const progress = startProgress("cells");
  const options: ParallelVerdictsOptions = {
    kernel: kernel.version,
    policies: chosen,
    ...(flags.site && { scenarios: flags.site }),
    hardware: flags.option ? [base] : flags.quick ? [usualIommu, changedIommu(["stop-at-supervisor"])] : "all",
    ...(flags.cpu && { cpus: [cpu] }),
    depth: flags.depth,
    walks: flags.walks,
    drain: flags.drain,
    moves: flags.moves,
    ...(flags.prove && { prove: true }),
    ...(flags.explainSafe && { explainSafe: true }),
    ...(flags.maxStates !== undefined && { maxStates: flags.maxStates }),
    ...(flags.maxSeconds !== undefined && { maxMs: flags.maxSeconds * 1000 }),
    ...(flags.workers !== undefined && { workers: flags.workers }),
    onProgress: progress.update,
  };
  const records: VerdictRecord[] = [];
  try {
    for await (const record of verdicts(options)) records.push(record);
  } finally {
    progress.end();
  }
  await findings?.write(verdictsSarif(records));
  await picture?.write(firstStory(records, `--svg ${flags.svg}`));
  if (flags.json) printJson(records);
  else await report(records, base, cpu, kernel, flags.diff !== undefined);
  if (isAboutSome(flags.policy) && records.some(({ agent, verdict }) => agent === "iommu" && verdict === "hazard"))
    failResult();
}

/** The story of the first hazard, drawn; of a race if there is nothing worse. @throws InputError if there is neither */
function firstStory(records: readonly VerdictRecord[], what: string): string {
  const record = records.find(({ verdict }) => verdict === "hazard") ?? records.find(({ race }) => race);
  const found = record && witnessOf(record);
  if (!record || !found) throw new InputError(`${what}: no hazard was found in these cells: there is no story to draw`);
  return storySvg(record, found);
}

async function report(
  records: readonly VerdictRecord[],
  base: IommuOptions,
  cpu: CpuOptions,
  kernel: ResolvedKernel,
  diff: boolean,
): Promise<void> {
  print(kernelLine(kernel));
  print(`IOMMU walks (${signsLine(records)})`);
  printTable(matrixRows(records, base));
  print();
  print(same(cpu, usualCpu) ? "CPU walks" : `CPU walks: ${describeOptions(cpu)}`);
  printTable(matrixRows(records, cpu));
  print();
  for (const line of records.some(({ proof }) => proof) ? proofLines(records) : [triedLine(records)]) print(line);
  print(pageRequestsLine(base));
  print();
  const lines = optionLines(records);
  if (lines.length > 0) {
    print("hardware options");
    for (const line of lines) print(`  ${line}`);
    print();
  }
  const supports = supportLines(records);
  if (supports.length > 0) {
    print("what safety rests on");
    for (const line of supports) print(`  ${line}`);
    print();
  }
  if (diff) {
    const { lines: changes, records: changed } = differences(records);
    print(`what differs, in ${records.length / 2} cells`);
    for (const line of changes) print(`  ${line}`);
    print();
    print("hazards of these");
    print();
    for (const line of stories(changed)) print(line);
    return;
  }
  print("IOTLB after the same program of a device that also probes kernel addresses");
  for (const line of occupancyLines(await iotlbOccupancy())) print(`  ${line}`);
  print();
  print("hazards");
  print();
  const shown = records.filter(({ agent, options }) => agent === "cpu" || same(options, base));
  for (const line of stories(shown)) print(line);
}

const MOST_STATES = 2 ** 30;
const MOST_SECONDS = 2 ** 31;

function parseCount(text: string, most: number): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > most) throw new InvalidArgumentError(`Expected 1 to ${most}.`);
  return count;
}

function parseDepth(text: string): number {
  const depth = Number(text);
  if (!Number.isInteger(depth) || depth < 1 || depth > 5) throw new InvalidArgumentError("Expected 1 to 5.");
  return depth;
}
