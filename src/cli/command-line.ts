// The command line as a reader would type it again. Node-only by place, not by need.
import type { Command } from "commander";

/** The command that is running, for a POSIX shell: what a reader types to repeat it. */
export function commandLine(command: Command): string {
  const { rawArgs } = command.parent as Command & { rawArgs: readonly string[] };
  const words = ["stalewalk", ...rawArgs];
  return words.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
