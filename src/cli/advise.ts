// `stalewalk advise`: which change makes every cell safe, proved, and what it costs. Node-only.
import { type Command, InvalidArgumentError } from "commander";
import { type Advice, advise, type Cure, type Prover, simulatedCosts } from "../advice/index.js";
import { openOfText } from "../advice/text.js";
import { resolveKernel } from "../kernel/versions.js";
import { type ProfileName, profiles } from "../replay/index.js";
import { verdicts } from "../verdicts/node.js";
import { type ScenarioName, scenarioNames } from "../verdicts/scenarios.js";
import { choiceOption, fileOption, repeatedChoice } from "./choices.js";
import { failResult } from "./errors.js";
import { kernelLine, kernelOption } from "./kernel-option.js";
import { print, printJson, printTable, startProgress } from "./output.js";
import { playTrace } from "./replay-options.js";
import { workersOption } from "./workers-option.js";

interface Flags {
  kernel?: string;
  costOf: string;
  changes: number;
  hardware: "usual" | "few" | "all";
  site?: ScenarioName[];
  walks: "atomic" | "stepwise";
  maxStates?: number;
  workers?: number;
  json?: boolean;
}

const PROFILES = Object.keys(profiles) as ProfileName[];
/** Operations that each policy is costed with: of the order of what the benchmark's profiles take a second for. */
const OPERATIONS = 200_000;

/** Registers `advise`. */
export function register(program: Command): void {
  program
    .command("advise")
    .summary("which change makes every cell safe, proved, and what each costs")
    .description(
      "Enumerates cures: fields of the policy that the kernel has, changed one by one and together, and what later kernels do.\n" +
        "Proves every cell of an IOMMU's matrix under each, costs each on a profile or a trace, and prints those that no other\n" +
        "beats, the smallest change that makes every cell safe, and what that hangs on. Exit code 1 if there is none.",
    )
    .addOption(kernelOption())
    .addOption(
      fileOption(
        "--cost-of <profile|trace>",
        `what cures are costed on: ${PROFILES.join(", ")}, or a trace`,
        PROFILES,
      ).default(PROFILES[0]),
    )
    .option("--changes <n>", "most changes of a cure, 1 to 4; each more takes several times as long", parseChanges, 2)
    .addOption(
      choiceOption(
        "--hardware <which>",
        "which IOMMUs: the usual one, each option changed by itself, all combinations",
        ["usual", "few", "all"],
      ).default("usual"),
    )
    .addOption(repeatedChoice("--site <name>", `one of ${scenarioNames.join(", ")}; may be repeated`, scenarioNames))
    .addOption(
      choiceOption("--walks <how>", "whether a walk may stop between two reads of memory: stepwise or atomic", [
        "stepwise",
        "atomic",
      ]).default("stepwise"),
    )
    .option("--max-states <n>", "most states of a cell", parseStates)
    .addOption(workersOption())
    .option("--json", "print everything that was tried as JSON")
    .addHelpText("after", "\nExample:\n  stalewalk advise --kernel 6.18.7 --cost-of vmalloc-churn --changes 1")
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const kernel = resolveKernel(flags.kernel, "--kernel");
  const progress = startProgress("cells");
  const { workers } = flags;
  const prover: Prover = (options) => verdicts({ ...options, ...(workers !== undefined && { workers }) });
  let advice: Advice;
  try {
    advice = await advise({
      kernel: kernel.version,
      changes: flags.changes,
      hardware: flags.hardware,
      walks: flags.walks,
      ...(flags.site && { scenarios: flags.site }),
      ...(flags.maxStates !== undefined && { maxStates: flags.maxStates }),
      costs: costsOf(flags.costOf),
      prover,
      onProgress: progress.update,
    });
  } finally {
    progress.end();
  }
  if (flags.json) printJson(advice);
  else {
    print(kernelLine(kernel));
    report(advice, flags.costOf);
  }
  if (!advice.smallest) failResult();
}

function costsOf(name: string): Parameters<typeof advise>[0]["costs"] {
  if (Object.hasOwn(profiles, name)) return simulatedCosts({ profile: name as ProfileName, operations: OPERATIONS });
  return async (policies, kernel) => {
    const result = await playTrace(name, { name, policies: [...policies], kernel });
    return result.policies.map(({ lostNs }) => lostNs);
  };
}

function report(advice: Advice, costOf: string): void {
  const { cures, smallest, cheapest, smallestButForRaces, hangsOnDrain, assumptions, proved, kernel } = advice;
  print(`what no other beats, of ${cures.length} that were tried; costs on ${costOf}`);
  printTable([
    ["change", "hazards", "races", "not settled", "safe", "cost, µs"],
    ...cures.filter(({ front }) => front).map(row),
  ]);
  print();
  const later = cures.filter((cure) => cure.kernel !== kernel);
  for (const cure of [cures[0] as Cure, ...later]) {
    const open = openOfText(cure.open);
    print(`${nameOf(cure)}: ${open === "" ? "every cell is safe" : `open are ${open}`}`);
  }
  print();
  if (smallest && cheapest) {
    print(`smallest change that makes every cell safe: ${nameOf(smallest)}; ${micros(smallest)} µs`);
    if (cheapest !== smallest) print(`cheapest: ${nameOf(cheapest)}; ${micros(cheapest)} µs`);
    const hanging = openOfText(hangsOnDrain);
    print(
      hanging === ""
        ? "no cell hangs on what invalidations wait for"
        : `hang on what invalidations wait for: ${hanging}`,
    );
  } else print("no cure that was tried makes every cell safe");
  if (smallestButForRaces && smallestButForRaces !== smallest) {
    print(
      `as long as deferred work runs between operations only: ${nameOf(smallestButForRaces)}; ${micros(smallestButForRaces)} µs`,
    );
  }
  print();
  print(`${proved.cells} cells proved: ${proved.states} states, ${proved.transitions} transitions`);
  for (const assumption of assumptions) print(`assumed: ${assumption}`);
}

const nameOf = ({ changes }: Cure): string => changes.join("; ") || "as it is";
const micros = ({ costNs }: Cure): string => (costNs / 1000).toFixed(1);
const row = (cure: Cure): string[] => [
  nameOf(cure),
  String(cure.cells.hazard),
  String(cure.cells.race),
  String(cure.cells.unsettled),
  String(cure.cells.safe),
  micros(cure),
];

const MOST_CHANGES = 4;
const MOST_STATES = 2 ** 30;

const parseChanges = (text: string): number => parseCount(text, MOST_CHANGES);
const parseStates = (text: string): number => parseCount(text, MOST_STATES);

function parseCount(text: string, most: number): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > most) throw new InvalidArgumentError(`Expected 1 to ${most}.`);
  return count;
}
