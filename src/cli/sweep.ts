// `stalewalk sweep PLAN.json`: many verdicts, simulations and replays over all cores, into a folder; it goes on where it was. Node-only.
import type { Command } from "commander";
import { checkPlan, type SweepLine, sweep, sweepResults } from "../sweep/node.js";
import { inFile, readJson } from "./json-file.js";
import { print, printJson, printTable, startProgress } from "./output.js";
import { workersOption } from "./workers-option.js";

interface Flags {
  out: string;
  workers?: number;
  json?: boolean;
}

/** Registers `sweep`. */
export function register(program: Command): void {
  program
    .command("sweep")
    .argument("<plan>", "a plan in JSON: axes of verdicts, simulations, replays (docs/sweeps.md)")
    .summary("verdicts, simulations and replays over every combination of a plan's axes")
    .description(
      "Does every job of a plan on all cores and writes a line of JSON for each into a folder. Ended in whatever way, the same\n" +
        "command goes on where it was: what is there is not done again.",
    )
    .requiredOption("--out <folder>", "where results.jsonl is, or will be")
    .addOption(workersOption())
    .option("--json", "print all results as JSON")
    .addHelpText("after", "\nExample:\n  stalewalk sweep plan.json --out results")
    .action(run);
}

async function run(path: string, { out, workers, json }: Flags): Promise<void> {
  const plan = inFile(path, () => checkPlan(readJson(path)));
  const progress = startProgress("sweep, jobs");
  try {
    const options = { ...(workers !== undefined && { workers }), onProgress: progress.update };
    const { jobs, before, now, file } = await sweep(plan, out, options);
    progress.end();
    if (json) {
      printJson(sweepResults(out));
      return;
    }
    print(`${jobs} jobs, ${before} of them done before, ${now} now: ${file}`);
    printTable([["jobs", "result", "number"], ...countsOf(sweepResults(out))]);
  } finally {
    progress.end();
  }
}

/** How often each sort of job came to what. */
function countsOf(lines: readonly SweepLine[]): string[][] {
  const counts = new Map<string, number>();
  for (const { job, result } of lines) {
    const what = "says" in result ? result.says : (result.hazards["iommu"] ?? 0) > 0 ? "hazards" : "no hazard";
    const key = JSON.stringify([job.kind, what]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].toSorted().map(([key, count]) => [...(JSON.parse(key) as string[]), String(count)]);
}
