// Packs the package as it would be published and installs it, without any registry, into an empty folder.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the checkout. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A folder of a stranger, with the package in its node_modules. */
export interface Stranger {
  folder: string;
  /** Files of the tarball. */
  packed: string[];
  /** Runs a program in the folder; throws with what it printed if it fails. */
  run(command: string, ...args: string[]): string;
}

function execute(folder: string, command: string, args: readonly string[]): string {
  try {
    // The settings that npm hands to its scripts (npm test) are not the stranger's.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
    return execFileSync(command, args, { cwd: folder, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}

/** Packs a folder; returns the tarball's path and the files in it. */
function pack(folder: string, into: string): { path: string; files: string[] } {
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", into];
  const [result] = JSON.parse(execute(folder, "npm", args)) as [{ filename: string; files: { path: string }[] }];
  return { path: join(into, result.filename), files: result.files.map(({ path }) => path) };
}

/** Folders of the packages that the package needs at run time, as this checkout has them. */
function runTimePackages(): string[] {
  const listed = execute(ROOT, "npm", ["ls", "--omit=dev", "--all", "--parseable"]);
  return listed.split("\n").filter((path) => path.includes("node_modules"));
}

/**
 * Installs the packed package in a new folder as npm would, without a registry: the tarball unpacked into node_modules,
 * beside it what it needs at run time and nothing else, taken from this checkout's node_modules.
 * @throws Error if dist is not there: the package is packed as it was built
 */
export function installAsStranger(): Stranger {
  if (!existsSync(join(ROOT, "dist/index.js"))) throw new Error("dist/index.js is not there: run npm run build first");
  const folder = mkdtempSync(join(tmpdir(), "stalewalk-stranger-"));
  const modules = join(folder, "node_modules");
  const home = join(modules, "stalewalk");
  mkdirSync(home, { recursive: true });
  mkdirSync(join(modules, ".bin"));
  const own = pack(ROOT, folder);
  execute(folder, "tar", ["-xzf", own.path, "-C", home, "--strip-components=1"]);
  for (const path of runTimePackages()) {
    cpSync(path, join(modules, relative(join(ROOT, "node_modules"), path)), { recursive: true });
  }
  const { bin } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { bin: Record<string, string> };
  for (const [name, target] of Object.entries(bin))
    symlinkSync(join("../stalewalk", target), join(modules, ".bin", name));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "stranger", private: true, type: "module" }));
  return { folder, packed: own.files, run: (command, ...args) => execute(folder, command, args) };
}
