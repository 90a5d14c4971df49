// JSON files that options name. Node-only.
import { existsSync, readFileSync } from "node:fs";
import { StalewalkError } from "../base/errors.js";
import { didYouMean } from "../base/suggest.js";
import { InputError } from "./errors.js";

/** The contents of a file; a byte order mark before them is no matter. @throws InputError */
export function readJson(path: string): unknown {
  const text = readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path}: no JSON: ${(error as Error).message}`);
  }
  const twice = memberGivenTwice(text);
  // JSON.parse() takes the last one, and nobody would hear of the first.
  if (twice !== undefined) throw new InputError(`${path}: ${JSON.stringify(twice)} is given twice`);
  return value;
}

function readText(path: string): string {
  try {
    return new TextDecoder().decode(readFileSync(path));
  } catch (error) {
    // Node does not say it where a file can be opened but not read: a folder.
    throw Object.assign(error as Error, { path });
  }
}

/** The name of a member that an object of this JSON, which is well-formed, has twice. */
function memberGivenTwice(text: string): string | undefined {
  const objects: Set<string>[] = [];
  for (const [token, name] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === "{") objects.push(new Set());
    else if (token === "}") objects.pop();
    else if (name !== undefined) {
      const names = objects.at(-1)!;
      const plain = JSON.parse(name) as string;
      if (names.has(plain)) return plain;
      names.add(plain);
    }
  }
  return undefined;
}

/** Puts the file's name in front of what is wrong with its contents. */
export function inFile<T>(path: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof InputError && error.message.startsWith(`${path}: `)) throw error;
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
