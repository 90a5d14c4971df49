// What runs JavaScript outside a browser, and is installed here: the same workers are played in each (`bench --runtimes`).
import { spawnSync } from "node:child_process";

/** One of them, as it is called. */
export interface Runtime {
  /** With its version: the contestant's name. */
  name: string;
  program: string;
  /** What stands before the file that it runs. */
  args: readonly string[];
}

/** How they are called, and how they say their version. */
const KNOWN: Readonly<Record<string, Omit<Runtime, "name"> & { title: string; version: RegExp }>> = {
  node: { title: "Node", program: process.execPath, args: [], version: /^v(\S+)/ },
  deno: { title: "Deno", program: "deno", args: ["run", "--quiet", "--allow-all"], version: /^deno (\S+)/ },
  bun: { title: "Bun", program: "bun", args: ["run"], version: /^(\S+)/ },
};

/** Those of these names that are installed, and why the others are not played. @throws Error if none is */
export function findRuntimes(names: readonly string[]): { runtimes: Runtime[]; missing: string[] } {
  const runtimes: Runtime[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const { title, program, args, version } = KNOWN[name] as (typeof KNOWN)[string];
    const said = spawnSync(program, ["--version"], { encoding: "utf8" });
    const [, number] = (said.status === 0 && version.exec(said.stdout)) || [];
    if (number === undefined) missing.push(`${title}: ${program} is not installed here`);
    else runtimes.push({ name: `${title} ${number}`, program, args });
  }
  if (runtimes.length === 0) throw new Error(`--runtimes ${names.join(",")}: none of these is installed here`);
  return { runtimes, missing };
}
