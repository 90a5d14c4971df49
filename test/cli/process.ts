// Runs the built command as a process of its own, with real pipes, FIFOs and devices: what a shell's user gets.
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The built command; `npm test` builds it first. */
export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
export const TRACE = fixture("traces/hugevmap.trace.txt");
export const CORE = fixture("images/reduced-4level.core.gz");
export const VECTORS = fixture("walks/walk-vectors.jsonl.gz");

/** Every command with a result on stdout, by its name, and the exit code that is right for it. */
export const COMMANDS: readonly (readonly [args: readonly string[], code: number])[] = [
  [["check-vectors", VECTORS], 0],
  [["check-vectors", VECTORS, "--json"], 0],
  [["check-image", CORE], 0],
  [["audit", CORE], 0],
  [["audit", CORE, "--json"], 0],
  [["walk", CORE, "ffffffffff600000"], 0],
  [["verdicts", "--quick", "--policy", "none", "--site", "pud_free_pmd_page"], 1],
  [["verdicts", "--quick", "--policy", "sva-off", "--site", "munmap", "--json"], 0],
  [["replay", TRACE, "--policy", "none"], 1],
  [["replay", TRACE, "--policy", "none", "--csv"], 1],
  [["replay", TRACE, "--policy", "sva-off", "--json"], 0],
  [["simulate", "--operations", "2k", "--policy", "none"], 1],
  [["simulate", "--operations", "2k", "--policy", "sva-off", "--json"], 0],
  [["simulate", "--list-profiles"], 0],
  [["report", TRACE, "--policy", "none", "--no-verdicts", "--html", "page.html"], 0],
  [["page", "--out", "playground"], 0],
  [["record-help"], 0],
  [["bench", "verdicts", "--quick", "--seconds", "0"], 0],
  [["completion", "bash"], 0],
  [["--help"], 0],
  [["replay", "--help"], 0],
  [["--version"], 0],
];

/** Why real pipes can't be had here; undefined if they can. */
export const noShell =
  process.platform === "win32" || !existsSync("/bin/bash") || !existsSync("/dev/full")
    ? "SKIPPED, no /dev/full or no bash on this platform: "
    : undefined;

/** The command as a word list for a shell. */
export function quoted(args: readonly string[]): string {
  return [process.execPath, MAIN, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/** Runs a line of bash in a folder. */
export function bash(line: string, folder?: string): SpawnSyncReturns<string> {
  if (!existsSync(MAIN)) throw new Error("dist/cli/main.js is not there: run npm run build first");
  const env = { ...process.env, DEBUG: "", NO_COLOR: "1" };
  return spawnSync("/bin/bash", ["-c", line], { encoding: "utf8", env, cwd: folder, timeout: 110_000 });
}
