// `stalewalk check-image CORE…`: the walker against QEMU's own listings of the same tables. Node-only.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import {
  type CheckInput,
  type CheckPart,
  type CheckResult,
  type CoreCpu,
  checkImage,
  ImageError,
  type LoadedImage,
  loadImage,
  type NamedText,
} from "../image/index.js";
import { type Companions, MAX_RECORD_BYTES, readText } from "../image/node.js";
import { failResult, InputError } from "./errors.js";
import { addImageOptions, type ImageFlags, openImage, parseCount } from "./image-options.js";
import { print, printJson, startProgress } from "./output.js";

interface Flags extends ImageFlags {
  json?: boolean;
  differences: number;
}

/** Registers `check-image`. */
export function register(program: Command): void {
  const command = program
    .command("check-image")
    .argument("<core...>", "cores NAME.core[.gz], or folders of them")
    .summary("compare the walker with QEMU's listings of a page-table image")
    .description(
      "Walks the tables of a core and compares every leaf with the listings beside it: " +
        "NAME.info-tlb.txt, NAME.info-mem.txt, NAME.info-registers.txt and NAME.json, each also as .gz. " +
        "Where they differ and neither --cpu nor --root says whose tables they are, those of the other CPUs are tried. " +
        "Exits with 0 if everything is equal and 1 if not.",
    )
    .option("--differences <number>", "differences shown for each comparison", parseCount, 10)
    .option("--json", "print the result as JSON");
  addImageOptions(command)
    .addHelpText("after", "\nExample:\n  stalewalk check-image test/fixtures/images/reduced-4level.core.gz")
    .action(run);
}

async function run(paths: string[], flags: Flags): Promise<void> {
  const results = [];
  for (const path of paths.flatMap(coresOf)) {
    const result = await checkOne(path, flags);
    if (!result.equal) failResult();
    results.push(result);
    if (!flags.json) report(result);
  }
  if (flags.json) printJson(results);
}

/** The result for one CPU's tables. */
interface CpuCheck extends CheckResult {
  cpu: number | undefined;
  cr3: bigint;
  levels: number;
}

/** What became of one CPU where several were tried. */
interface Tried {
  cpu: number | undefined;
  /** Number of differences; undefined if its tables can't be walked. */
  differences?: number;
  /** Why its tables can't be walked. */
  reason?: string;
}

async function checkOne(path: string, flags: Flags) {
  const opened = await openImage(path, flags);
  try {
    const first = await loadImage(opened.image, opened.load);
    const { input, absent } = await readCompanions(opened.companions);
    if (!input.tlb && !input.mem) {
      throw new InputError(
        `${path}: no listing beside it: expected NAME.info-tlb.txt or NAME.info-mem.txt, or .gz of it`,
      );
    }
    const progress = startProgress(path);
    try {
      const check = (loaded: LoadedImage): CpuCheck => {
        const result = checkImage(loaded, input, { maxDifferences: flags.differences, onProgress: progress.update });
        return {
          ...result,
          cpu: loaded.context.cpu?.index,
          cr3: loaded.context.root,
          levels: loaded.context.rules.levels,
        };
      };
      const checked = check(first);
      const others = checked.equal || flags.cpu !== undefined || flags.root !== undefined ? [] : opened.image.cpus;
      const { best, tried } = await tryOthers(checked, others, async (cpu) =>
        check(await loadImage(opened.image, await opened.loadFor(cpu))),
      );
      const several = tried.filter(({ differences }) => differences !== undefined).length > 1;
      return { ...best, ...(several && { tried }), absent, warnings: opened.image.warnings };
    } finally {
      progress.end();
    }
  } finally {
    opened.close();
  }
}

/** The CPU whose tables differ least from the listings, the first one on a tie, and what became of each. */
async function tryOthers(
  first: CpuCheck,
  cpus: readonly CoreCpu[],
  check: (cpu: number) => Promise<CpuCheck>,
): Promise<{ best: CpuCheck; tried: Tried[] }> {
  let best = first;
  const tried: Tried[] = [{ cpu: first.cpu, differences: differencesOf(first) }];
  for (const { index } of cpus) {
    if (index === first.cpu || best.equal) continue;
    try {
      const other = await check(index);
      tried.push({ cpu: index, differences: differencesOf(other) });
      if (differencesOf(other) < differencesOf(best)) best = other;
    } catch (error) {
      // A CPU that is not in 64-bit mode, or whose root is not in the core, is none that the listings can be of.
      if (!(error instanceof ImageError)) throw error;
      tried.push({ cpu: index, reason: error.message });
    }
  }
  return { best, tried };
}

function differencesOf(check: CheckResult): number {
  return check.parts.reduce((sum, part) => sum + part.differences, 0);
}

async function readCompanions(companions: Companions): Promise<{ input: CheckInput; absent: string[] }> {
  const read = async (path: string | undefined, options = {}): Promise<NamedText | undefined> =>
    path === undefined ? undefined : { file: path, text: await readText(path, options) };
  const [tlb, mem, registers, record] = await Promise.all([
    read(companions.tlb),
    read(companions.mem),
    read(companions.registers, { maxBytes: MAX_RECORD_BYTES }),
    read(companions.json, { maxBytes: MAX_RECORD_BYTES }),
  ]);
  const input: CheckInput = {
    ...(tlb && { tlb }),
    ...(mem && { mem }),
    ...(registers && { registers }),
    ...(record && { record }),
  };
  const absent = Object.entries({ "info tlb": tlb, "info mem": mem, "info registers": registers, record })
    .filter(([, text]) => text === undefined)
    .map(([name]) => name);
  return { input, absent };
}

function report(result: Awaited<ReturnType<typeof checkOne>>): void {
  const whose = result.tried ? `, CPU ${result.cpu}` : "";
  print(`${result.file}: ${result.equal ? "equal" : "DIFFERENT"} (${result.levels} levels${whose})`);
  for (const { cpu, differences, reason } of result.tried ?? []) {
    print(`  CPU ${cpu}: ${reason ?? (differences === 0 ? "equal" : `${differences} DIFFERENT`)}`);
  }
  for (const part of result.parts) reportPart(part);
  for (const name of result.absent) print(`  ${name.padEnd(15)} not there`);
  for (const warning of result.warnings) print(`  warning: ${warning}`);
}

function reportPart(part: CheckPart): void {
  const verdict = part.differences === 0 ? "equal" : `${part.differences} DIFFERENT`;
  print(`  ${part.name.padEnd(15)} ${part.compared} compared, ${verdict}`);
  for (const { walker, listing, line } of part.first) {
    print(`    walker   ${walker ?? "(nothing)"}`);
    print(`    listing  ${listing ?? "(nothing)"}${line === undefined ? "" : `  (line ${line})`}`);
  }
  const more = part.differences - part.first.length;
  if (more > 0 && part.first.length > 0) print(`    and ${more} more`);
}

function coresOf(path: string): string[] {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => /\.core(\.gz)?$/.test(name));
  if (names.length === 0) throw new InputError(`${path}: expected files named NAME.core or NAME.core.gz in the folder`);
  return names.sort().map((name) => join(path, name));
}
