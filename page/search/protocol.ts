// What the page and its workers say to each other.

import type { VerdictRecord, VerdictsOptions } from "../../src/verdicts/index.js";

/** What a worker is to search; everything in it can be sent. */
export type Search = Pick<
  VerdictsOptions,
  "kernel" | "policies" | "scenarios" | "hardware" | "cpus" | "agents" | "depth"
>;

/** What a worker answers: cells as they are judged, then the end. */
export type Answer = { record: VerdictRecord; done: number; total: number } | { end: true } | { error: string };
