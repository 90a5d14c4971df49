// Which traces are read and played.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { benchFolder, dataFolder, packageRoot } from "./root.js";
import { tableOfTrace } from "./trace-tasks.js";

/** The traces of a run. */
export interface Traces {
  /** Those that are read. */
  read: string[];
  /** The one that is played. */
  played: string;
  /** Whether zcat can read them too. */
  zcat: boolean;
  /** What the recorded ones are replaced by; undefined if they are there. */
  instead: string | undefined;
}

const RECORDED = "linux612-hugevmap-unprivileged.trace.txt.gz";
/** What the package has with it: the beginning of a recording of 6.18.15, all that concerns kernel page tables. */
const EXCERPT = "linux618-frees.trace.txt.gz";

/** The trace that was asked for, else the recorded ones, else the excerpt. `few`: the excerpt in any case. */
export function findTraces(asked: string | undefined, few: boolean): Traces {
  if (asked !== undefined) return tracesOf([asked], asked);
  const folder = dataFolder === undefined ? undefined : join(dataFolder, "traces");
  const names = folder !== undefined && existsSync(folder) ? readdirSync(folder) : [];
  const found = names.filter((name) => name.endsWith(".trace.txt.gz")).map((name) => join(folder as string, name));
  const played = found.find((path) => path.endsWith(RECORDED)) ?? found[0];
  if (played !== undefined && !few) return tracesOf(found.sort(), played);
  const places = [join(packageRoot, "test", "fixtures", "traces", EXCERPT), join(benchFolder, EXCERPT)];
  const excerpt = places.find((path) => existsSync(path));
  if (excerpt === undefined) throw new Error(`${EXCERPT} is neither in the checkout nor in the package`);
  return { ...tracesOf([excerpt], excerpt), instead: played === undefined ? `an excerpt, ${EXCERPT}` : undefined };
}

function tracesOf(read: string[], played: string): Traces {
  // zcat refuses what is not compressed.
  const zcat = read.every((path) => path.endsWith(".gz")) && spawnSync("zcat", ["--version"]).status === 0;
  return { read, played, zcat, instead: undefined };
}

/** The table that a trace's rows stand in. */
export function traceTable(path: string): string {
  return tableOfTrace(basename(path));
}
