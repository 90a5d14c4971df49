// A case as a file, between the processes that play it.
import { readFileSync, writeFileSync } from "node:fs";
import { packCase, unpackCase } from "./case-bytes.js";
import type { BenchCase } from "./cases.js";

/** Writes a case. */
export function writeCase(path: string, benchCase: BenchCase): void {
  writeFileSync(path, Buffer.concat(packCase(benchCase)));
}

/** Reads a case. */
export function readCase(path: string): BenchCase {
  return unpackCase(readFileSync(path));
}
