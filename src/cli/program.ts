// The command line as a whole: builds the program out of the commands and turns its end into an exit code. Node-only.
import { Command, CommanderError } from "commander";
import { commands } from "./commands.js";
import { EXIT, reportError, takeResult } from "./errors.js";
import { packageVersion } from "./version.js";

/** Builds the program with every command registered. */
export function createProgram(): Command {
  const program = new Command("stalewalk")
    .description("Which IOMMU and CPU walks go through freed page tables, and what each cure costs")
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "stalewalk: ")) });
  for (const register of commands) register(program);
  return program;
}

/**
 * Runs one command line. Results go to stdout, errors and progress to stderr.
 *
 * @param args the arguments after the program's name
 * @returns the exit code: 0, 1 for a negative result, 2 for bad input or usage, 3 for an internal error
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: "user" });
    return takeResult();
  } catch (error) {
    // commander has printed its own message; help and version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    return reportError(error);
  }
}
