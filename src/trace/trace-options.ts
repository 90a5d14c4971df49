// What the reader of traces may be asked for.
import { type FieldsOf, RUN_FIELDS } from "../base/known-fields.js";
import type { RunOptions } from "../base/progress.js";
import type { EventDefinition } from "./events.js";

/** Options of `parseTrace`. */
export interface TraceOptions extends RunOptions {
  /** `lenient` (default): damage is counted and listed, reading goes on. `strict`: the first damage is an error. */
  readonly mode?: "lenient" | "strict";
  /** Name of the input in error messages, e.g. a file name. */
  readonly name?: string;
  /** Further events; one with the name of a built-in event replaces it. */
  readonly events?: readonly EventDefinition[];
  /** Longest line accepted, in bytes, 1024 or more. Default 16384. */
  readonly maxLineLength?: number;
  /** A step forward of more seconds than this is reported as a clock jump. Default 3600. */
  readonly maxGapSeconds?: number;
  /** How many findings are kept in the summary. Default 100. */
  readonly maxDiagnostics?: number;
  /** Lines that are read before forms are learned, for tests: the result is always the same. @internal */
  readonly learnAfter?: number;
}

/** Fields of {@link TraceOptions}. */
export const TRACE_FIELDS: FieldsOf<TraceOptions> = {
  ...RUN_FIELDS,
  ...{ mode: true, name: true, events: true, maxLineLength: true, maxGapSeconds: true, maxDiagnostics: true },
  learnAfter: true,
};
