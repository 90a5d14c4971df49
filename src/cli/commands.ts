// The commands, each loaded when it is asked for: a process that runs one does not read the others. To add one: write
// `src/cli/NAME.ts` with an exported `register(program)`, and name it here.
import type { Command } from "commander";

/** Adds one command to the program. */
export type Register = (program: Command) => void;

/** Every command by its name, in the order of `stalewalk --help`. */
export const commands: Readonly<Record<string, () => Promise<{ register: Register }>>> = {
  "check-vectors": () => import("./check-vectors.js"),
  "check-image": () => import("./check-image.js"),
  audit: () => import("./audit.js"),
  walk: () => import("./walk.js"),
  verdicts: () => import("./verdicts.js"),
  advise: () => import("./advise.js"),
  replay: () => import("./replay.js"),
  sweep: () => import("./sweep.js"),
  work: () => import("./work.js"),
  simulate: () => import("./simulate.js"),
  report: () => import("./report.js"),
  page: () => import("./page.js"),
  open: () => import("./open.js"),
  "record-help": () => import("./record-help.js"),
  bench: () => import("./bench.js"),
  completion: () => import("./completion.js"),
};

/**
 * The commands that these arguments may need: the one that their first word names, or all, where that is none of them (an
 * option before it, a misspelt name, a question for help).
 */
export async function commandsFor([first = ""]: readonly string[]): Promise<Register[]> {
  const load = Object.hasOwn(commands, first)
    ? [commands[first] as () => Promise<{ register: Register }>]
    : Object.values(commands);
  return (await Promise.all(load.map((it) => it()))).map(({ register }) => register);
}
