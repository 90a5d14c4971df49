// The images tests run on: the cut-down ones of this repository always, the recorded ones where they are there.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sharedData } from "../support/shared-data.js";

export interface TestImage {
  name: string;
  /** Path of the core; undefined if this checkout does not have it. */
  path: string | undefined;
  recorded: boolean;
}

const fixture = (name: string): TestImage => ({
  name,
  path: fileURLToPath(new URL(`../fixtures/images/${name}.core.gz`, import.meta.url)),
  recorded: false,
});
const shared = (name: string): TestImage => ({ name, path: sharedData(`images/${name}.core.gz`), recorded: true });

export const fixtures = ["reduced-4level", "reduced-5level"].map(fixture);
export const recordedImages = [
  "linux612-4level-nopti-vsyscall-emulate",
  "linux612-4level-nopti-vsyscall-none",
  "linux612-4level-pti-kernel",
  "linux612-4level-pti",
  "linux612-5level-nopti",
].map(shared);
export const images = [...fixtures, ...recordedImages];

/** The JSON record beside an image. */
export function recordOf(image: TestImage): Record<string, unknown> {
  return JSON.parse(readFileSync(image.path!.replace(/core\.gz$/, "json"), "utf8"));
}

/** Title of a suite on an image, which says so if the image is not there. */
export function title(image: TestImage): string {
  return image.path ? image.name : `${image.name} (skipped: recorded image not in this checkout)`;
}
