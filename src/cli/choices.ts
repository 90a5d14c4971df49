// Options whose values have names: checked, with the nearest name for a mistyped one, and known to the shell's completion.
// Node-only by place, not by need.
import { Argument, InvalidArgumentError, Option } from "commander";
import { didYouMean } from "../base/suggest.js";

/** What may stand behind an option. */
export interface Choices {
  names: readonly string[];
  /** A file may stand there too. */
  files?: boolean;
}

const known = new WeakMap<Option, Choices>();

/** What may stand behind an option, for completion; undefined: anything. */
export function choicesOf(option: Option): Choices | undefined {
  return known.get(option) ?? (option.argChoices && { names: option.argChoices });
}

/** An option that takes one of a few names. */
export function choiceOption<T extends string>(flags: string, description: string, names: readonly T[]): Option {
  return remember(new Option(flags, description), { names }).argParser((text: string) => oneOf(text, names));
}

/** An option that takes one of a few names, and may be given several times. */
export function repeatedChoice<T extends string>(flags: string, description: string, names: readonly T[]): Option {
  return remember(new Option(flags, description), { names }).argParser((text: string, before: T[] = []) => [
    ...before,
    oneOf(text, names),
  ]);
}

/** An argument that is one of a few names. */
export function choiceArgument<T extends string>(flags: string, description: string, names: readonly T[]): Argument {
  return new Argument(flags, description).choices(names).argParser((text: string) => oneOf(text, names));
}

/** Arguments that are some of a few names. */
export function choiceArguments<T extends string>(flags: string, description: string, names: readonly T[]): Argument {
  return new Argument(flags, description)
    .choices(names)
    .default([])
    .argParser((text: string, before: T[]) => [...before, oneOf(text, names)]);
}

/** An option that takes a name or a file; what it takes is checked where the file is read. */
export function fileOption(flags: string, description: string, names: readonly string[] = []): Option {
  return remember(new Option(flags, description), { names, files: true });
}

/** An option for which some names are known, and which takes others too; what it takes is checked by whoever uses it. */
export function suggestingOption(flags: string, description: string, names: readonly string[]): Option {
  return remember(new Option(flags, description), { names });
}

function remember(option: Option, choices: Choices): Option {
  known.set(option, choices);
  return option;
}

function oneOf<T extends string>(text: string, names: readonly T[]): T {
  const found = names.find((name) => name === text);
  if (found === undefined) {
    throw new InvalidArgumentError(`Expected one of ${names.join(", ")}${didYouMean(text, names) || "."}`);
  }
  return found;
}
