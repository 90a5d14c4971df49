// `stalewalk check-vectors FILE…`: the walker against recorded accesses of an emulator's MMU. Node-only.
import { statSync } from "node:fs";
import type { Command } from "commander";
import { openFile, withZlib } from "../formats/node.js";
import {
  checkRiscvVectors,
  checkVectors,
  checkVtdSequences,
  checkVtdVectors,
  DEFAULT_MAX_LINE,
  openVectors,
  type VectorFile,
} from "../vectors/index.js";
import { type AnyCheck, reportVectors } from "./check-vectors-text.js";
import { failResult } from "./errors.js";
import { parseCount } from "./image-options.js";
import { printJson, startProgress } from "./output.js";
import { riscvModule } from "./riscv-module.js";

interface Flags {
  json?: boolean;
  differences: number;
  maxLine: number;
}

/** A file's check; `levels` are of x86-64, `modes` of RISC-V, `unordered` of VT-d, `requests` of sequences on VT-d. */
type FileCheck = AnyCheck & { file: string; seconds: number };

interface CheckOptions {
  maxDifferences: number;
  onProgress: () => void;
}

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
        "Files of device requests on VT-d are played on an IOMMU: single walks, and sequences with invalidations between " +
        "them; there the result is VT-d's reason of a fault, of which any that a line lists is right. " +
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

function checkOpened(opened: VectorFile, options: CheckOptions, file: string): Promise<AnyCheck> {
  switch (opened.form) {
    case "riscv":
      return checkRiscvVectors(opened.vectors, { ...options, module: riscvModule(file) });
    case "vtd":
      return checkVtdVectors(opened.vectors, options);
    case "vtd-sequences":
      return checkVtdSequences(opened.vectors, options);
    case "x86-64":
      return checkVectors(opened.vectors, options);
  }
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
    const check = await checkOpened(opened, options, file);
    return { file, ...check, seconds: (performance.now() - start) / 1000 };
  } finally {
    progress.end();
  }
}
