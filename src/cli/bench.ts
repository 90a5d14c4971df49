// `stalewalk bench`: how fast this machine runs the engine, beside other ways to do the same. The benchmark itself is bench/,
// bundled into dist/bench/ and loaded only here. Node-only.
import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type BenchResult, type SuiteName, suiteNames, usualSuites } from "../benchmark/result.js";
import { type BenchModule, type BenchOptions, runtimeNames, runtimeOf } from "./bench-contract.js";
import { registerFiles } from "./bench-files.js";
import { choiceArguments, fileOption } from "./choices.js";
import { commandLine } from "./command-line.js";
import { failResult, InputError } from "./errors.js";
import { parseCount } from "./image-options.js";
import { print, printTable, say, startNotes } from "./output.js";
import { checkOutputFile } from "./output-file.js";

interface Flags {
  quick?: boolean;
  full?: boolean;
  seconds?: number;
  filter?: RegExp;
  trace?: string;
  baseline?: string;
  against?: string[];
  runtimes?: string[];
  json?: string;
  html?: string;
}

/** Registers `bench`. */
export function register(program: Command): void {
  const bench = program.command("bench");
  bench
    .helpCommand(false)
    .addArgument(
      choiceArguments("[suites...]", "what is measured (default: all but growth, which has curves)", suiteNames),
    )
    .summary("measure this machine: translations, flushes, kernel programs, replays and verdicts beside other ways")
    .description(
      "Measures the engine beside the one of version 0.1.0, C compiled for this machine, and tuned and plain JavaScript. Before\n" +
        "a case is timed, all of them must have come to the same outcomes and counters. What needs a C compiler or recorded\n" +
        "data is left out where there are none, and the report says so. Takes about two minutes. Exit code 1 if results differ.",
    )
    .option("--quick", "half a minute: smaller tables and programs, no recorded tables")
    .option("--full", "35 minutes: as many rounds as fit")
    .option("--seconds <number>", "measure for about so long", parseCount)
    .option(
      "--filter <regex>",
      'only cases whose "table: case" matches, e.g. "synthetic.*L1 hit"; ignores case',
      parseRegex,
    )
    .addOption(fileOption("--trace <file>", "the trace that the suite replay reads and plays"))
    .addOption(
      fileOption(
        "--baseline <dir|module>",
        "another build beside this one: a built checkout, a package, a module of the same ABI",
        ["0.1.0"],
      ),
    )
    .option("--against <names>", "only these contestants beside stalewalk, e.g. baseline or 0.1.0,native C", parseNames)
    .option(
      "--runtimes <names>",
      `stalewalk in each of these that is installed, in the place of contestants: ${runtimeNames.join(",")}, or paths of such`,
      parseRuntimes,
    )
    .addOption(fileOption("--json <file>", "write all samples as JSON, too: for bench compare and bench show"))
    .addOption(fileOption("--html <file>", "write a page with the tables, and a picture of every curve of growth, too"))
    .addOption(
      new Option("--only <regex>", "the former name of --filter").hideHelp().argParser(() => {
        throw new InvalidArgumentError("This option is called --filter now.");
      }),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  stalewalk bench flush --quick --json before.json\n  stalewalk bench compare before.json after.json\n  stalewalk bench growth --html curves.html",
    )
    .action(run);
  registerFiles(bench);
}

async function run(suites: SuiteName[], flags: Flags, self: Command): Promise<void> {
  if (flags.quick && flags.full) throw new InputError("--quick and --full exclude each other");
  for (const other of ["baseline", "against"] as const) {
    if (flags.runtimes && flags[other]) throw new InputError(`--runtimes and --${other} exclude each other`);
  }
  if (flags.trace !== undefined && !existsSync(flags.trace))
    throw new InputError(`${flags.trace}: no such file or directory`);
  const file =
    flags.json === undefined ? undefined : checkOutputFile("--json", flags.json, flags.trace ? [flags.trace] : []);
  const page =
    flags.html === undefined ? undefined : checkOutputFile("--html", flags.html, flags.json ? [flags.json] : []);
  const { runBench } = await loadBench();
  const notes = startNotes();
  const door = { print, table: printTable, show: notes.show, clear: notes.end };
  let result: BenchResult | undefined;
  try {
    result = await runBench(benchOptions(suites, flags, commandLine(self)), door);
  } catch (error) {
    if ((error as Error).name !== "MismatchError") throw error;
    notes.end();
    say(`stalewalk: ${(error as Error).message}`);
    failResult();
  } finally {
    notes.end();
  }
  if (page && result) {
    const { renderBench } = await import("../report/bench.js");
    await page.write(await renderBench(result));
  }
  if (file && result) await file.write(`${JSON.stringify(result, undefined, 1)}\n`);
}

function benchOptions(suites: readonly SuiteName[], flags: Flags, command: string): BenchOptions {
  return {
    suites: suites.length === 0 ? usualSuites : suiteNames.filter((name) => suites.includes(name)),
    effort: flags.quick ? "quick" : flags.full ? "full" : "usual",
    filter: flags.filter,
    seconds: flags.seconds,
    trace: flags.trace,
    baseline: flags.baseline,
    against: flags.against,
    runtimes: flags.runtimes,
    command,
  };
}

/** The bundle beside this one. From the source, in tests, it is the one that was built last. */
async function loadBench(): Promise<BenchModule> {
  return (await import(/* @vite-ignore */ new URL("../../dist/bench/main.js", import.meta.url).href)) as BenchModule;
}

function parseNames(text: string): string[] {
  return text.split(",").map((name) => name.trim());
}

function parseRuntimes(text: string): string[] {
  const names = [...new Set(parseNames(text))];
  if (names.some((name) => runtimeOf(name) === undefined))
    throw new InvalidArgumentError(`Expected some of ${runtimeNames.join(",")}, or paths of such programs.`);
  return names;
}

function parseRegex(text: string): RegExp {
  try {
    return new RegExp(text, "i");
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}
