// `stalewalk sweep PLAN.json`: many verdicts, simulations and replays over all cores, or over a queue that workers of any machine take from,
// into a folder; it goes on where it was. Node-only.
import { basename } from "node:path";
import type { Command } from "commander";
import { sweepCsvHead, sweepCsvRow } from "../sweep/index.js";
import { checkPlan, eachSweepResult, type SweepPlan, sweep, sweepByQueue } from "../sweep/node.js";
import { fileOption } from "./choices.js";
import { InputError } from "./errors.js";
import { inFile, readJson } from "./json-file.js";
import { print, printCsv, printJsonText, printTable, say, startProgress, startTables } from "./output.js";
import { checkOutputFile } from "./output-file.js";
import { addQueueName } from "./queue-options.js";
import { stateTables } from "./sweep-state.js";
import { packageVersion } from "./version.js";
import { workersOption } from "./workers-option.js";

interface Flags {
  out: string;
  workers?: number;
  queue?: string;
  queueName?: string;
  json?: boolean;
  csv?: boolean;
  html?: string;
}

/** Registers `sweep`. */
export function register(program: Command): void {
  const command = program
    .command("sweep")
    .argument("<plan>", "a plan in JSON: axes of verdicts, simulations, replays (docs/sweeps.md)")
    .summary("verdicts, simulations and replays over every combination of a plan's axes")
    .description(
      "Does every job of a plan on all cores and writes a line of JSON for each into a folder. Ended in whatever way, the same\n" +
        "command goes on where it was: what is there is not done again. With --queue the jobs are done by `stalewalk work`, on\n" +
        "any number of machines, over a Redis or Valkey.",
    )
    .requiredOption("--out <folder>", "where results.jsonl is, or will be")
    .addOption(workersOption())
    .option("--queue <url>", "have workers of this queue do the jobs: redis://HOST:6379 (needs bullmq and ioredis)");
  addQueueName(command)
    .option("--json", "print all results as JSON")
    .option("--csv", "print one line per job as CSV")
    .addOption(fileOption("--html <file>", "write the results as one page that opens offline, too"))
    .addHelpText(
      "after",
      "\nExamples:\n  stalewalk sweep plan.json --out results\n  stalewalk sweep plan.json --out results --queue redis://127.0.0.1:6379",
    )
    .action(run);
}

async function run(path: string, flags: Flags): Promise<void> {
  const { out, queue, workers, queueName, json, csv } = flags;
  if (json && csv) throw new InputError("--json and --csv exclude each other");
  if (queue !== undefined && workers !== undefined) {
    throw new InputError("--workers is of a sweep on this machine: with --queue, stalewalk work has it");
  }
  if (queue === undefined && queueName !== undefined) throw new InputError("--queue-name needs --queue");
  const plan = inFile(path, () => checkPlan(readJson(path)));
  const page = flags.html === undefined ? undefined : checkOutputFile("--html", flags.html, [path]);
  const line = await (queue === undefined ? onThisMachine(plan, out, workers) : byQueue(plan, out, queue, queueName));
  if (page) {
    const { renderSweep } = await import("../report/index.js");
    const name = basename(path).replace(/\.json$/i, "");
    await page.write(await renderSweep(eachSweepResult(out), { name, packageVersion: packageVersion() }));
  }
  if (json) printAllJson(out);
  else if (csv) {
    printCsv(sweepCsvHead());
    for (const it of eachSweepResult(out)) printCsv(sweepCsvRow(it));
  } else {
    print(line);
    printTable([["jobs", "result", "number"], ...countsOf(out)]);
  }
}

async function onThisMachine(plan: SweepPlan, out: string, workers: number | undefined): Promise<string> {
  const progress = startProgress("sweep, jobs");
  try {
    const options = { ...(workers !== undefined && { workers }), onProgress: progress.update };
    const { jobs, before, now, file } = await sweep(plan, out, options);
    return `${jobs} jobs, ${before} of them done before, ${now} now: ${file}`;
  } finally {
    progress.end();
  }
}

async function byQueue(plan: SweepPlan, out: string, queue: string, queueName: string | undefined): Promise<string> {
  const live = startTables();
  const since = performance.now();
  try {
    const { jobs, before, now, retried, takenOver, file } = await sweepByQueue(plan, out, queue, {
      ...(queueName !== undefined && { queueName }),
      onState: (state) => live.draw(stateTables(state, performance.now() - since)),
      onNote: (text) => {
        live.end();
        say(`stalewalk: ${text}`);
      },
    });
    return `${jobs} jobs, ${before} of them done before, ${now} now, ${retried} tried again, ${takenOver} taken over of workers that died: ${file}`;
  } finally {
    live.end();
  }
}

/** A line for each result, since there may be more than fit into one text. */
function printAllJson(out: string): void {
  let before = "[";
  for (const line of eachSweepResult(out)) {
    printJsonText(`${before}${JSON.stringify(line)}`);
    before = ",";
  }
  printJsonText(before === "[" ? "[]" : "]");
}

/** How often each sort of job came to what. */
function countsOf(out: string): string[][] {
  const counts = new Map<string, number>();
  for (const { job, result } of eachSweepResult(out)) {
    const what = "says" in result ? result.says : (result.hazards["iommu"] ?? 0) > 0 ? "hazards" : "no hazard";
    const key = JSON.stringify([job.kind, what]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].toSorted().map(([key, count]) => [...(JSON.parse(key) as string[]), String(count)]);
}
