// The command line as a whole: builds the program out of the commands and turns its end into an exit code. Node-only.
import { Command, CommanderError } from "commander";
import { commandsFor } from "./commands.js";
import { COMPLETE, completionLines } from "./complete.js";
import { EXIT, EXIT_HELP, reportError, takeResult } from "./errors.js";
import { beginOutput, isMessageLost, outputWidth, printText, say, setWidth } from "./output.js";
import { packageVersion } from "./version.js";
import { LEAST_WIDTH, widthOption } from "./width-option.js";

/** Where help is not for a terminal. */
const HELP_WIDTH = 80;

/** Builds the program with the commands that these arguments may need; without arguments, with every one. */
export async function createProgram(args: readonly string[] = []): Promise<Command> {
  const program = new Command("stalewalk");
  const helpWidth = (): number => {
    const width = program.opts<{ width?: number }>().width ?? outputWidth();
    return Number.isFinite(width) ? width : HELP_WIDTH;
  };
  program
    .description("Which IOMMU and CPU walks go through freed page tables, and what each cure costs")
    .version(packageVersion())
    .addOption(widthOption())
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: LEAST_WIDTH })
    .configureOutput({
      // Asked here: commander would look at the process's own stream, and make a pipe non-blocking for all who have it.
      getOutHelpWidth: helpWidth,
      getErrHelpWidth: helpWidth,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      writeOut: printText,
      writeErr: (text) => text.trimEnd().split("\n").forEach(say),
      outputError: (text) => say(errorLine(text)),
    })
    .addHelpText("after", `\n${EXIT_HELP}`)
    .hook("preAction", (_, command) => setWidth(command.optsWithGlobals<{ width?: number }>().width));
  for (const register of await commandsFor(args)) register(program);
  // A command with commands of its own: what stands behind their names is theirs, in its order.
  const asked = program.commands.find((command) => command.commands.length > 0 && args.includes(command.name()));
  if (asked) {
    program.enablePositionalOptions();
    for (const one of [asked, ...asked.commands]) one.enablePositionalOptions().addOption(widthOption().hideHelp());
  }
  return program;
}

/**
 * Runs one command line. Results go to stdout, errors and progress to stderr.
 *
 * @param args the arguments after the program's name
 * @returns the exit code, one of {@link EXIT}
 */
export async function run(args: readonly string[]): Promise<number> {
  const code = await runCommand(args);
  // Something was to be said beside the result, and is not: the result alone would be taken for all there is.
  return isMessageLost() && (code === EXIT.ok || code === EXIT.negative) ? EXIT.badInput : code;
}

async function runCommand(args: readonly string[]): Promise<number> {
  beginOutput();
  takeResult();
  try {
    if (args[0] === COMPLETE) {
      // The shells' scripts put -- before the words, so that none of these is taken for an option of this call.
      const words = args.slice(args[1] === "--" ? 2 : 1);
      printText(completionLines(await createProgram(words), words).join("\n"));
    } else await (await createProgram(args)).parseAsync(args, { from: "user" });
    return takeResult();
  } catch (error) {
    // commander has printed its own message; help and version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    return reportError(error);
  }
}

/** commander's message as one line of ours. */
function errorLine(text: string): string {
  const line = text.trimEnd().replace(/\n\(Did you mean (.+)\?\)$/, "; did you mean $1?");
  return line.replace(/^error: /, "stalewalk: ");
}
