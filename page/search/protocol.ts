// What the page and its workers say to each other.

import type { ProfileName } from "../../src/replay/index.js";
import type { ReportData } from "../../src/report/data.js";
import type { VerdictRecord, VerdictsOptions } from "../../src/verdicts/index.js";

/** What a worker is to search; everything in it can be sent. */
export type Search = Pick<
  VerdictsOptions,
  "kernel" | "policies" | "scenarios" | "hardware" | "cpus" | "agents" | "depth" | "prove" | "explainSafe" | "maxStates"
>;

/** What a worker answers: cells as they are judged, then the end. */
export type Answer = { record: VerdictRecord; done: number; total: number } | { end: true } | { error: string };

/** What a worker is to play: a file, or a synthetic workload. */
export type PlayTask = { file: File; name: string } | { profile: ProfileName; operations: number };

/** What it answers: the result, or what there is of it so far with the share that has been read. */
export type PlayAnswer = { result: ReportData["result"]; partial?: number } | { error: string };
