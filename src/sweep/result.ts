// What comes of a job, as a line of JSON.

import type { SweepJob } from "./plan.js";

/** Of a cell. */
export interface VerdictResult {
  readonly says: "hazard" | "proved safe" | "no hazard found";
  readonly hazard?: string;
  readonly story?: readonly string[];
  readonly race?: string | null;
  readonly states?: number;
  readonly transitions?: number;
  readonly raceStates?: number;
  readonly raceTransitions?: number;
}

/** Of a simulation or a replay. */
export interface PlayedResult {
  readonly lostNs: number;
  readonly totalNs: number;
  readonly invalidations: Readonly<Record<string, number>>;
  readonly hazards: Readonly<Record<string, number>>;
  readonly heldPeak: number;
}

/** Of either. */
export type SweepResult = VerdictResult | PlayedResult;

/** A line of results: the job whole, so that nobody needs the plan to read it. */
export interface SweepLine {
  readonly job: SweepJob;
  readonly result: SweepResult;
}

/** What tells jobs apart: all of them, with their fields in one order. */
export const jobKey = (job: SweepJob): string =>
  JSON.stringify(job, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
