// How the parts of the kernel say which operations they have: a type of operations, and a function for each kind.

import type { Kernel } from "./kernel.js";
import type { Answer } from "./refusals.js";

type OfKind<Call, Kind> = Call extends { kind: unknown } ? (Kind extends Call["kind"] ? Call : never) : never;

/** Runs the operations of one part of the kernel, by kind. */
export type Calls<Call extends { kind: string }> = {
  readonly [Kind in Call["kind"]]: (k: Kernel, call: OfKind<Call, Kind>) => Answer;
};
