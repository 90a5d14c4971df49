// What comes of a job, as a line of JSON.

import type { SweepJob } from "./plan.js";

/** Of a cell. */
export interface VerdictResult {
  /** The verdict in words. */
  readonly says: "hazard" | "proved safe" | "no hazard found";
  /** The worst kind of its hazard. */
  readonly hazard?: string;
  /** The steps of the shortest program with a hazard. */
  readonly story?: readonly string[];
  /** The kind of hazard that deferred work inside operations adds; null: none. */
  readonly race?: string | null;
  /** States of the proof. */
  readonly states?: number;
  /** Transitions of the proof. */
  readonly transitions?: number;
  /** The same with deferred work inside operations, where that was explored by itself. */
  readonly raceStates?: number;
  /** See `raceStates`. */
  readonly raceTransitions?: number;
}

/** Of a simulation or a replay. */
export interface PlayedResult {
  /** Time that the policy cost, ns. */
  readonly lostNs: number;
  /** The whole bill, ns. */
  readonly totalNs: number;
  /** Invalidations by kind. */
  readonly invalidations: Readonly<Record<string, number>>;
  /** Hazards by whose walks. */
  readonly hazards: Readonly<Record<string, number>>;
  /** Most frames held back at a time. */
  readonly heldPeak: number;
}

/** Of either. */
export type SweepResult = VerdictResult | PlayedResult;

/** A line of results: the job whole, so that nobody needs the plan to read it. */
export interface SweepLine {
  /** The job. */
  readonly job: SweepJob;
  /** What came of it. */
  readonly result: SweepResult;
}

/** What tells jobs apart: all of them, with their fields in one order. */
export const jobKey = (job: SweepJob): string =>
  JSON.stringify(job, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
