// Where the recorded data lives (walk vectors, images, traces): beside the checkout, or where STALEWALK_DATA says.
// A checkout without it still passes its tests: suites that need the data skip and say so.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = process.env["STALEWALK_DATA"] ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** Absolute path of a file of the recorded data, or undefined if this checkout does not have it. */
export function sharedData(relative: string): string | undefined {
  const path = `${root}/${relative}`;
  return existsSync(path) ? path : undefined;
}
