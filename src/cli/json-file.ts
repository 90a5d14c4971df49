// JSON files that options name. Node-only.
import { readFileSync } from "node:fs";
import { StalewalkError } from "../base/errors.js";
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

/** Whether a text can't be the name of a preset, only that of a file. */
export function looksLikeFile(text: string): boolean {
  return /[./\\]/.test(text);
}
