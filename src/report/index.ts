// The report: a replay as one HTML document. No Node built-ins; Vega, a dependency of the command, draws the charts.
export { withExample } from "./application.js";
export { type ReportOptions, renderReport } from "./page.js";
export type { Versions } from "./repeat.js";
export { renderSweep, type SweepPageOptions } from "./sweep.js";
