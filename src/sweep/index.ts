// What pages and tables need to know of a sweep; nothing of Node.
export { policyName, sweepCsvHead, sweepCsvRow } from "./csv.js";
export type { SweepJob } from "./plan.js";
export type { SweepLine, SweepResult, VerdictResult } from "./result.js";
