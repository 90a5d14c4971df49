// What may stand at a place of a command line, for the shells' completion: read off the program itself, so it can't be out
// of date. The scripts that ask are in completion-scripts.ts. Node-only by place, not by need.
import type { Argument, Command, Option } from "commander";
import { choicesOf } from "./choices.js";

/** The first argument with which the scripts call the command; not for people. */
export const COMPLETE = "__complete";

/** A line that asks the shell for names of files. */
export const FILES = ":files";

/** A candidate, with a few words about it. */
type Candidate = readonly [value: string, about: string];

/**
 * Candidates for the last word, one per line: `value TAB about`, or {@link FILES}.
 *
 * @param args the words after the command's name, the last one as far as it is typed
 */
export function completionLines(program: Command, args: readonly string[]): string[] {
  const words = joinEquals(args);
  const current = words.pop() ?? "";
  const { command, pending, operands, onlyOperands } = follow(program, words);
  if (pending) return valuesOf(pending, current, "");
  const equals = /^(--[\w-]+)=(.*)$/s.exec(current);
  if (equals && !onlyOperands) {
    const option = optionOf(command, equals[1] ?? "");
    return option ? valuesOf(option, equals[2] ?? "", `${equals[1]}=`) : [];
  }
  if (current.startsWith("-") && !onlyOperands) return matching(optionsOf(command), current);
  if (command === program) return matching(commandsOf(program), current);
  const below = operands === 0 ? matching(commandsOf(command), current) : [];
  return [...argumentValues(command.registeredArguments, operands, current), ...below];
}

/** bash takes `--name=value` for three words; nothing may be typed of the last one yet. */
function joinEquals(args: readonly string[]): string[] {
  return args.flatMap((word, i) => {
    if (word !== "=" || !args[i - 1]?.startsWith("--")) return [word];
    return i === args.length - 1 ? [""] : [];
  });
}

/** Reads the words before the one to complete: which command, and whether an option still waits for its value. */
function follow(program: Command, words: readonly string[]) {
  let command = program;
  let pending: Option | undefined;
  let operands = 0;
  let onlyOperands = false;
  for (const word of words) {
    if (pending) pending = undefined;
    else if (word === "--" && !onlyOperands) onlyOperands = true;
    else if (word.startsWith("-") && word !== "-" && !onlyOperands) {
      const option = word.includes("=") ? undefined : optionOf(command, word);
      if (option?.required) pending = option;
    } else {
      const below = operands === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      if (below) command = below;
      else if (command !== program) operands++;
    }
  }
  return { command, pending, operands, onlyOperands };
}

function optionOf(command: Command, word: string): Option | undefined {
  return allOptions(command).find(({ long, short }) => long === word || short === word);
}

function allOptions(command: Command): readonly Option[] {
  const own = command.createHelp().visibleOptions(command);
  return command.parent ? [...own, ...programOf(command).options] : own;
}

function programOf(command: Command): Command {
  return command.parent ? programOf(command.parent) : command;
}

function optionsOf(command: Command): Candidate[] {
  return allOptions(command).flatMap(({ long, description }): Candidate[] => (long ? [[long, description]] : []));
}

function commandsOf(program: Command): Candidate[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .map((command) => [command.name(), command.summary() || command.description()]);
}

function valuesOf(option: Option, current: string, before: string): string[] {
  const { names = [], files = false } = choicesOf(option) ?? {};
  const candidates = names.map((name): Candidate => [before + name, ""]);
  return [...matching(candidates, before + current), ...(files ? [FILES] : [])];
}

function argumentValues(expected: readonly Argument[], operands: number, current: string): string[] {
  const last = expected.at(-1);
  const argument = expected[operands] ?? (last?.variadic ? last : undefined);
  if (!argument) return [];
  if (argument.argChoices)
    return matching(
      argument.argChoices.map((name): Candidate => [name, ""]),
      current,
    );
  return /address/.test(argument.name()) ? [] : [FILES];
}

function matching(candidates: readonly Candidate[], current: string): string[] {
  return candidates
    .filter(([value]) => value.startsWith(current))
    .map(([value, about]) => (about === "" ? value : `${value}\t${about.replace(/\s+/g, " ")}`));
}
