// A result read back from its JSON.

import { InvalidOptionError } from "../base/errors.js";
import type { ReplayResult } from "./result.js";

/** Fields that are bigints in a result, strings like `"0x1a2b"` in JSON. */
const BIGINTS = new Set(["address", "page", "structPage"]);

/** What a result must have for anything to be made of it. */
const PARTS = {
  configuration: "object",
  assumptions: "array",
  trace: "object",
  program: "object",
  frees: "array",
  timeline: "object",
  queue: "object",
  policies: "array",
  throughput: "object",
} as const;

/**
 * Reads what `toJson()` wrote.
 * @throws InvalidOptionError if it is no JSON, or no result of a replay of this version
 */
export function fromJson(text: string): ReplayResult {
  let value: unknown;
  try {
    value = JSON.parse(text, (key, item) => (BIGINTS.has(key) && isHex(item) ? BigInt(item) : item));
  } catch (error) {
    throw new InvalidOptionError("result", (error as Error).message, "JSON");
  }
  const { format, version, ...parts } = (value ?? {}) as Record<string, unknown>;
  if (format !== "stalewalk-replay" || version !== 1) {
    throw new InvalidOptionError(
      "result",
      `format ${String(format)}, version ${String(version)}`,
      "a result of replay --json, version 1",
    );
  }
  for (const [name, kind] of Object.entries(PARTS)) {
    const part = parts[name];
    const is = Array.isArray(part) ? "array" : typeof part;
    if (is !== kind || part === null)
      throw new InvalidOptionError(`result.${name}`, is, `an ${kind}, as replay --json has it`);
  }
  return value as ReplayResult;
}

function isHex(item: unknown): item is string {
  return typeof item === "string" && /^0x[0-9a-f]{1,16}$/.test(item);
}
