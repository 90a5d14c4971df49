// `stalewalk completion SHELL`: the script with which a shell completes the command. Node-only.
import type { Command } from "commander";
import { choiceArgument } from "./choices.js";
import { completionScripts } from "./completion-scripts.js";
import { printJson, printText } from "./output.js";

/** Registers `completion`. */
export function register(program: Command): void {
  program
    .command("completion")
    .addArgument(choiceArgument("<shell>", "the shell that is to complete", Object.keys(completionScripts)))
    .summary("print the script with which bash, zsh or fish completes the command")
    .description(
      "Prints a script for a shell. Loaded there, the Tab key completes commands, options, names of policies, sites and\n" +
        "presets, and files. The script asks the command itself, so it need not be made again for a new version.",
    )
    .option("--json", "print the script as a JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  stalewalk completion bash > ~/.local/share/bash-completion/completions/stalewalk",
    )
    .action((shell: keyof typeof completionScripts, flags: { json?: boolean }) => {
      const script = completionScripts[shell];
      if (flags.json) printJson({ shell, script });
      else printText(script);
    });
}
