// `stalewalk check-vectors FILE…`: the walker against recorded accesses of an emulator's MMU. Node-only.
import { statSync } from "node:fs";
import type { Command } from "commander";
import { openFile, withZlib } from "../formats/node.js";
import {
  checkVectors,
  DEFAULT_MAX_LINE,
  readWalkVectors,
  type VectorCheck,
  type VectorDifference,
} from "../vectors/index.js";
import { describeSize, hexAddress } from "./describe.js";
import { failResult } from "./errors.js";
import { parseCount } from "./image-options.js";
import { print, printJson, startProgress } from "./output.js";

interface Flags {
  json?: boolean;
  differences: number;
  maxLine: number;
}

interface FileCheck extends VectorCheck {
  file: string;
  seconds: number;
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
        "from the manual, the line says so and the manual's result counts. Exits with 0 if everything is equal, 1 if not.",
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
    if (!flags.json) report(result);
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
    const vectors = readWalkVectors(withZlib(chunks()), { file, maxLine: flags.maxLine });
    const check = await checkVectors(vectors, {
      maxDifferences: flags.differences,
      onProgress: () => progress.update(read, size),
    });
    return { file, ...check, seconds: (performance.now() - start) / 1000 };
  } finally {
    progress.end();
  }
}

function report(check: FileCheck): void {
  const { results, levels, deviations } = check;
  print(`${check.file}: ${check.equal ? "equal" : "DIFFERENT"}`);
  print(`  ${check.vectors} vectors in ${check.seconds.toFixed(1)} s (${levels[4]} of 4 levels, ${levels[5]} of 5)`);
  print(`  expected: ${results.ok} translated, ${results.fault} faults, ${results["non-canonical"]} not canonical`);
  const corrected = Object.entries(deviations).filter(([, count]) => count > 0);
  if (corrected.length > 0) {
    print(`  the manual's result in place of the emulator's: ${corrected.map(([why, n]) => `${n} ${why}`).join(", ")}`);
  }
  for (const { name, compared, differences } of check.parts) {
    print(`  ${name.padEnd(8)} ${compared} compared, ${differences === 0 ? "equal" : `${differences} DIFFERENT`}`);
  }
  for (const difference of check.first) reportDifference(difference);
  const more = check.differing - check.first.length;
  if (more > 0) print(`  ${check.first.length > 0 ? "and " : ""}${more} more vectors that differ`);
}

function reportDifference({ line, vector, mismatches }: VectorDifference): void {
  const { access, controls, levels, maxPhyAddr, tables, expected, deviation } = vector;
  const on = Object.entries(controls).filter(([, value]) => value === true);
  const who = access.implicit ? "implicit" : access.user ? "user" : "supervisor";
  print(`  line ${line}, id ${vector.id}: ${who} ${access.type} of ${hexAddress(vector.virtualAddress)}`);
  print(
    `    ${levels} levels, ${maxPhyAddr} physical bits, root frame 0x${vector.root.toString(16)}, ` +
      `controls ${on.map(([name]) => name.toUpperCase()).join(" ") || "none"}, PKRU 0x${controls.pkru.toString(16)}`,
  );
  for (const [i, { frame, index, before, after }] of tables.entries()) {
    const slot = `frame 0x${frame.toString(16)} index ${String(index).padStart(3)}`;
    print(`    level ${levels - i}  ${slot}  ${hexAddress(before)} -> ${hexAddress(after)}`);
  }
  if (expected.kind === "ok") print(`    recorded: ${describeSize(expected.pageSize)} page`);
  if (deviation) print(`    the recorded result is corrected to the manual's: ${deviation}`);
  for (const { part, expected, got } of mismatches) {
    print(`    ${part.padEnd(8)} expected ${expected}`);
    print(`    ${"".padEnd(8)} got      ${got}`);
  }
}
