// What a process of the benchmark plays: one contestant at one case. Which one, a line of JSON says (tasks.ts opens it).
import type { Check } from "./check.js";

/** Work that is played in pieces, each short. */
export interface PiecewiseTask {
  /** Operations of one play. */
  operations: number;
  /** Plays the work, or its first so many operations, where nothing has been played before, and says what it came to. */
  check(operations?: number): Promise<Check> | Check;
  /** Untimed, before every play. */
  prepare(): void;
  /** The work in pieces of about so many operations. */
  pieces(operations: number): (() => void)[];
}

/** Work that is one piece, however long. */
export interface WholeTask {
  operations: number;
  check(): Promise<Check> | Check;
  /** Whether `sample` tells processor time, which other processes do not add to. */
  processorTime: boolean;
  /** Plays it once and says how many nanoseconds that took. */
  sample(): Promise<number> | number;
}

/** Either kind. */
export type Task = PiecewiseTask | WholeTask;
