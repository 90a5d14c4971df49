// JSON files that options name. Node-only.
import { existsSync, readFileSync } from "node:fs";
import { StalewalkError } from "../base/errors.js";
import { didYouMean } from "../base/suggest.js";
import { InputError } from "./errors.js";

/** The contents of a file. @throws InputError */
export function readJson(path: string): unknown {
  const text = readFileSync(path, "utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path}: no JSON: ${(error as Error).message}`);
  }
}

/** Puts the file's name in front of what is wrong with its contents. */
export function inFile<T>(path: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof StalewalkError || error instanceof RangeError || error instanceof TypeError) {
      throw new InputError(`${path}: ${(error as Error).message}`);
    }
    throw error;
  }
}

/** Refuses the value of an option that is neither one of these names, which the caller knows, nor can be a file. @throws InputError */
export function expectFile(option: string, text: string, names: readonly string[]): void {
  if (looksLikeFile(text) || existsSync(text)) return;
  const wrong = `${option} is ${JSON.stringify(text)}; expected ${names.join(", ")}, or a JSON file`;
  throw new InputError(wrong + didYouMean(text, names));
}

/** Whether a text can't be the name of a preset, only that of a file. */
function looksLikeFile(text: string): boolean {
  return /[./\\]/.test(text);
}
