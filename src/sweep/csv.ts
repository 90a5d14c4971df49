// Results of a sweep as CSV: a row for each job; what a job of another kind has is empty.

import { csvRow } from "../base/notation.js";
import type { SweepLine } from "./result.js";

/** The columns, and what stands in them. Stories are not in it: they are in the lines of JSON. */
const COLUMNS: readonly (readonly [string, (line: SweepLine) => string | number | boolean | null | undefined])[] = [
  ["kind", ({ job }) => job.kind],
  ["kernel", ({ job }) => ("kernel" in job ? job.kernel : undefined)],
  ["policy", ({ job }) => policyName(job)],
  ["site", ({ job }) => (job.kind === "verdict" ? job.site : undefined)],
  ["hardware", ({ job }) => (job.kind === "verdict" ? job.hardware.join(" ") : undefined)],
  ["prove", ({ job }) => (job.kind === "verdict" ? job.prove : undefined)],
  ["depth", ({ job }) => (job.kind === "verdict" ? job.depth : undefined)],
  ["walks", ({ job }) => (job.kind === "verdict" ? job.walks : undefined)],
  ["profile", ({ job }) => (job.kind === "simulate" ? job.profile : undefined)],
  ["trace", ({ job }) => (job.kind === "replay" ? job.trace : undefined)],
  ["geometry", ({ job }) => (job.kind === "verdict" ? undefined : job.geometry)],
  ["seed", ({ job }) => (job.kind === "verdict" ? undefined : job.seed)],
  ["operations", ({ job }) => (job.kind === "simulate" ? job.operations : undefined)],
  ["says", ({ result }) => ("says" in result ? result.says : undefined)],
  ["hazard", ({ result }) => ("says" in result ? result.hazard : undefined)],
  [
    "race",
    ({ result }) => ("says" in result && result.race === null ? "none" : "says" in result ? result.race : undefined),
  ],
  ["steps", ({ result }) => ("says" in result ? result.story?.length : undefined)],
  ["states", ({ result }) => ("says" in result ? result.states : undefined)],
  ["transitions", ({ result }) => ("says" in result ? result.transitions : undefined)],
  ["lost_ns", ({ result }) => ("says" in result ? undefined : result.lostNs)],
  ["total_ns", ({ result }) => ("says" in result ? undefined : result.totalNs)],
  ["invalidations", ({ result }) => ("says" in result ? undefined : sum(result.invalidations))],
  ["hazards_iommu", ({ result }) => ("says" in result ? undefined : result.hazards["iommu"])],
  ["hazards_cpu", ({ result }) => ("says" in result ? undefined : result.hazards["cpu"])],
  ["held_peak", ({ result }) => ("says" in result ? undefined : result.heldPeak)],
];

/** The name of a job's policy. */
export const policyName = ({ policy }: SweepLine["job"]): string =>
  typeof policy === "string" ? policy : (policy.name ?? "");

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** The row of headings. */
export const sweepCsvHead = (): string => csvRow(COLUMNS.map(([name]) => name));

/** The row of a job. */
export const sweepCsvRow = (line: SweepLine): string => csvRow(COLUMNS.map(([, value]) => value(line)));
