// Packs the package as it would be published and installs it, without any registry, into an empty folder.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/**
 * Installs the packed package in a new folder. Its one dependency comes as a tarball packed from this checkout's
 * node_modules, so that nothing is fetched.
 * @throws Error if dist is not there: the package is packed as it was built
 */
export function installAsStranger(): Stranger {
  if (!existsSync(join(ROOT, "dist/index.js"))) throw new Error("dist/index.js is not there: run npm run build first");
  const folder = mkdtempSync(join(tmpdir(), "stalewalk-stranger-"));
  const tarballs = join(folder, "tarballs");
  mkdirSync(tarballs);
  const own = pack(ROOT, tarballs);
  const commander = pack(join(ROOT, "node_modules/commander"), tarballs);
  const manifest = {
    name: "stranger",
    private: true,
    type: "module",
    dependencies: { stalewalk: `file:${own.path}`, commander: `file:${commander.path}` },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  execute(folder, "npm", ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts"]);
  const installed = readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."));
  if (installed.join() !== "commander,stalewalk")
    throw new Error(`installed: ${installed.join()}; expected two packages`);
  return { folder, packed: own.files, run: (command, ...args) => execute(folder, command, args) };
}
