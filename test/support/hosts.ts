// Bundlers, browsers' drivers and other runtimes that the package is tried in: far too much for the package's own `npm ci`. They are
// installed from the registry into build/hosts/ (or where STALEWALK_HOSTS says), once for each version of their list.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./pack-package.js";

const LIST = join(ROOT, "test/package/hosts/package.json");
const FOLDER = process.env["STALEWALK_HOSTS"] ?? join(ROOT, "build/hosts");
const DONE = join(FOLDER, "installed.json");

/** Takes the folder for this process, waiting for whichever else installs there: files of tests run side by side. */
function take(): void {
  const lock = `${FOLDER}.lock`;
  mkdirSync(FOLDER, { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : 0;
    if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function install(): string | undefined {
  take();
  try {
    return installNow();
  } finally {
    rmSync(`${FOLDER}.lock`, { force: true });
  }
}

/** @returns what was in the way */
function installNow(): string | undefined {
  const wanted = readFileSync(LIST, "utf8");
  if (existsSync(DONE) && readFileSync(DONE, "utf8") === wanted) return undefined;
  copyFileSync(LIST, join(FOLDER, "package.json"));
  try {
    const args = ["install", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error"];
    execFileSync("npm", args, { cwd: FOLDER, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 900_000 });
  } catch (error) {
    const { stderr = "", message } = error as { stderr?: string; message: string };
    return stderr.split("\n").find((line) => line.includes("npm error")) ?? message;
  }
  writeFileSync(DONE, wanted);
  return undefined;
}

const failure = process.platform === "linux" && process.arch === "x64" ? install() : "only tried on Linux, x86-64";

/** Whether they are there. */
export const hostsInstalled: boolean = failure === undefined;

/** What a skipped suite adds to its name. */
export const hostsNote = failure === undefined ? "" : ` (SKIPPED: hosts could not be installed: ${failure})`;

/** A file of an installed package. */
export const hostFile = (path: string): string => join(FOLDER, "node_modules", path);

/** An installed package, as it is imported from there. */
export async function importHost<T>(name: string): Promise<T> {
  const path = createRequire(join(FOLDER, "package.json")).resolve(name);
  return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as T;
}
