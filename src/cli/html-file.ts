// Writing a page: what is checked before the work, and the file as a whole at its end. Node-only.
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Command } from "commander";
import { InputError } from "./errors.js";

/** What can be known before the work begins. */
export function checkTarget(file: string): void {
  const folder = dirname(file);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InputError(`--html ${file}: ${folder} is no folder`);
  }
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new InputError(`--html ${file}: is a folder`);
}

/** Writes a file as a whole: beside its place first, so that nobody ever sees half of it. */
export function writeWhole(file: string, text: string): void {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
  try {
    writeFileSync(temporary, text, { flag: "wx" });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The command that is running, for a POSIX shell: what a reader types to repeat it. */
export function commandLine(command: Command): string {
  const { rawArgs } = command.parent as Command & { rawArgs: readonly string[] };
  const words = ["stalewalk", ...rawArgs];
  return words.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
