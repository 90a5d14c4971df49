// One module with all mutants of some files of the engine, and the bytes of the module in which one of them lives.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { bounded, mutate, switchFile } from "./mutants.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ASC = join(ROOT, "node_modules/assemblyscript/bin/asc.js");
/** Takes five bytes as a LEB128 number, as every number can. */
const PLACEHOLDER = 0x5ace_1dea;
/** Times that mutants which do not compile are dropped before it is given up. */
const ROUNDS = 12;

/** A number in the five bytes that the placeholder has. */
const bytesOf = (number) =>
  Buffer.from([0, 7, 14, 21, 28].map((shift, i) => ((number >>> shift) & 0x7f) | (i < 4 ? 0x80 : 0)));

/** All files of the engine, `assembly/…`. */
export function engineFiles() {
  return readdirSync(join(ROOT, "assembly"), { recursive: true })
    .map((name) => posix.join("assembly", name.replaceAll("\\", "/")))
    .filter((name) => name.endsWith(".ts") && !name.includes("/debug") && !name.includes("/riscv/"))
    .sort();
}

/** Places that the compiler complains about. */
function complaints(output) {
  return [...output.matchAll(/in (assembly\/[\w/.-]+)\((\d+),\d+\)/g)].map(([, path, line]) => ({
    path,
    line: Number(line),
  }));
}

/**
 * Compiles the engine with all mutants of `files` in a folder of its own. Returns the module's bytes, of which none lives, and
 * the mutants; those that do not compile are marked `dropped`.
 */
export function buildMutants(files, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const part of ["assembly", "asconfig.json", "scripts"])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  // The transform in the copy imports the compiler, wherever the folder stands.
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"), "junction");
  writeFileSync(join(folder, "assembly", "base", "mutant.ts"), switchFile(PLACEHOLDER));
  const sources = new Map(engineFiles().map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
  for (const [path, text] of sources) if (!files.includes(path)) writeFileSync(join(folder, path), bounded(path, text));

  const dropped = new Set();
  for (let round = 0; round < ROUNDS; round++) {
    const mutants = [];
    for (const path of files) {
      const text = sources.get(path);
      if (text === undefined) throw new Error(`${path} is no file of the engine`);
      const written = mutate(path, text, mutants.length + 1, (number) => dropped.has(number));
      mutants.push(...written.mutants);
      writeFileSync(join(folder, path), written.text);
    }
    const out = join(folder, "mutants.wasm");
    // Anything that is optimized may fold the number of the living mutant into the code.
    const plain = ["--optimizeLevel", "0", "--shrinkLevel", "0"];
    const options = ["--config", "asconfig.json", "--target", "release", ...plain, "--outFile", out];
    try {
      const args = [ASC, ...options, "--transform", "./scripts/drop-assertions.mjs"];
      execFileSync(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    } catch (error) {
      const output = `${error.stdout}${error.stderr}`;
      const found = complaints(output).flatMap(({ path, line }) =>
        mutants.filter((it) => it.path === path && it.line <= line && line <= it.end && !dropped.has(it.number)),
      );
      // The innermost first: what encloses the place is not to blame.
      const least = Math.min(...found.map((it) => it.end - it.line));
      const blamed = found.filter((it) => it.end - it.line === least);
      if (blamed.length === 0) throw new Error(`the engine with mutants does not compile:\n${output}`);
      for (const { number } of blamed) dropped.add(number);
      continue;
    }
    return {
      bytes: readFileSync(out),
      mutants: mutants.map((it) => ({ ...it, dropped: dropped.has(it.number) })),
    };
  }
  throw new Error(`the engine with mutants does not compile after ${ROUNDS} rounds`);
}

/** The module in which one mutant lives; 0: none. */
export function livingIn(bytes, number) {
  const place = bytes.indexOf(bytesOf(PLACEHOLDER));
  if (place < 0 || bytes.indexOf(bytesOf(PLACEHOLDER), place + 1) >= 0) {
    throw new Error("the number of the living mutant stands not once in the module");
  }
  const changed = Buffer.from(bytes);
  bytesOf(number).copy(changed, place);
  return changed;
}
