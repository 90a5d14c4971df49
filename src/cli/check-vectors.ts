// `stalewalk check-vectors FILE…`: the walker against recorded accesses of an emulator's MMU. Node-only.
import { statSync } from "node:fs";
import type { Command } from "commander";
import { openFile, withZlib } from "../formats/node.js";
import {
  checkRiscvVectors,
  checkVectors,
  DEFAULT_MAX_LINE,
  openVectors,
  type RiscvCheck,
  type VectorCheck,
} from "../vectors/index.js";
import { reportVectors } from "./check-vectors-text.js";
import { failResult } from "./errors.js";
import { parseCount } from "./image-options.js";
import { printJson, startProgress } from "./output.js";
import { riscvModule } from "./riscv-module.js";

interface Flags {
  json?: boolean;
  differences: number;
  maxLine: number;
}

/** A file's check; `levels` are of x86-64, `modes` of RISC-V. */
type FileCheck = (VectorCheck | RiscvCheck) & { file: string; seconds: number };

/** Registers `check-vectors`. */
export function register(program: Command): void {
  program
    .command("check-vectors")
    .argument("<file...>", "files of walk vectors, one JSON object a line, gzip or plain; - is standard input")
    .summary("compare the walker with recorded accesses of an emulator's MMU")
    .description(
      "Plays each recorded access on the walker and compares the outcome, the physical address, the page size, the " +
        "error code and every entry afterwards; also what probe and explain say before. Where the emulator deviates " +
        "from the manual, the line says so and the manual's result counts. Exits with 0 if everything is equal, 1 if not. " +
        "Files of RISC-V accesses (mode sv39, sv48, sv57) need the engine's RISC-V build, which only a checkout has.",
    )
    .option("--differences <number>", "vectors that differ shown in full, for each file", parseCount, 5)
    .option("--max-line <characters>", "longest line accepted", parseCount, DEFAULT_MAX_LINE)
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  stalewalk check-vectors test/fixtures/walks/walk-vectors.jsonl.gz")
    .action(run);
}

async function run(paths: string[], flags: Flags): Promise<void> {
  const results: FileCheck[] = [];
  for (const path of paths) {
    const result = await checkFile(path, flags);
    if (!result.equal) failResult();
    results.push(result);
    if (!flags.json) reportVectors(result);
  }
  if (flags.json) printJson(results);
}

async function checkFile(file: string, flags: Flags): Promise<FileCheck> {
  const progress = startProgress(file);
  const size = file === "-" ? 0 : statSync(file).size;
  let read = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of openFile(file)) {
      read += chunk.length;
      yield chunk;
    }
  }
  const start = performance.now();
  try {
    const opened = await openVectors(withZlib(chunks()), { file, maxLine: flags.maxLine });
    const options = {
      maxDifferences: flags.differences,
      onProgress: () => progress.update({ done: read, total: size, unit: "bytes" }),
    };
    const check =
      opened.form === "riscv"
        ? await checkRiscvVectors(opened.vectors, { ...options, module: riscvModule(file) })
        : await checkVectors(opened.vectors, options);
    return { file, ...check, seconds: (performance.now() - start) / 1000 };
  } finally {
    progress.end();
  }
}
