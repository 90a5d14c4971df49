// Every target, by the name that `npm run fuzz` takes, and the inputs that broke one once (corpus/TARGET/).

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { FuzzTarget } from "./target.js";
import { gzipTargets } from "./targets/gzip.js";
import { imageTarget } from "./targets/image.js";
import { jsonTargets } from "./targets/json.js";
import { listingTargets } from "./targets/listing.js";
import { programTargets } from "./targets/programs.js";
import { traceTarget } from "./targets/trace.js";
import { vectorTarget } from "./targets/vectors.js";

export const targets: readonly FuzzTarget[] = [
  traceTarget,
  ...gzipTargets,
  imageTarget,
  ...listingTargets,
  vectorTarget,
  ...jsonTargets,
  ...programTargets,
];

/** A target's name without spaces, for a folder. */
export function folderOf({ name }: FuzzTarget): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

function corpusOf(target: FuzzTarget): string {
  return fileURLToPath(new URL(`corpus/${folderOf(target)}/`, import.meta.url));
}

/** Inputs that broke a target once. */
export function corpus(target: FuzzTarget): { name: string; bytes: Uint8Array }[] {
  const folder = corpusOf(target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => ({ name, bytes: new Uint8Array(readFileSync(`${folder}${name}`)) }));
}

/** Keeps an input that broke a target; its path. */
export function keep(target: FuzzTarget, bytes: Uint8Array): string {
  const folder = corpusOf(target);
  mkdirSync(folder, { recursive: true });
  const path = `${folder}${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
  writeFileSync(path, bytes);
  return path;
}
