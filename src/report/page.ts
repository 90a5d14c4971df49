// The report as a whole: head with its policy, contents, sections, and the application with the data if it is to have one. One document;
// nothing is fetched, and without script it says the same.

import { checkFields } from "../base/known-fields.js";
import type { ReplayResult } from "../replay/index.js";
import type { VerdictRecord } from "../verdicts/index.js";
import { applicationOf } from "./application.js";
import type { Section } from "./blocks.js";
import { figure } from "./chart.js";
import { comparison } from "./comparison.js";
import { costs } from "./costs.js";
import { packData } from "./data.js";
import { documentOf } from "./document.js";
import { code } from "./format.js";
import { frees } from "./frees.js";
import { hazards } from "./hazards.js";
import { type Html, html } from "./html.js";
import { assumptions, repetition, type Versions } from "./repeat.js";
import { damage, summary } from "./summary.js";
import { timeline } from "./timeline.js";
import { trace } from "./trace.js";
import { verdicts } from "./verdicts.js";

/** Options of {@link renderReport}. */
export interface ReportOptions {
  /** The matrix of verdicts, as `verdicts()` gives it; without it the page has no such section. */
  readonly verdicts?: readonly VerdictRecord[];
  /** The command that made the page, for repetition. */
  readonly command?: string;
  /** Versions of what made the page, by name; that of the package is in the result. */
  readonly versions?: Versions;
  /** Table frees listed. Default 500. */
  readonly maxFrees?: number;
  /** Hazard records listed, a policy. Default 50. */
  readonly maxHazards?: number;
  /**
   * The text of `stalewalk/page.html`, a file of this package (bundlers give it by `import page from "stalewalk/page.html?raw"` or the
   * like). The report then holds that application with its data: views to zoom, step through and calculate with. Without it the
   * document has no script at all.
   */
  readonly page?: string;
}

/**
 * A replay as one HTML document that opens offline. The same arguments give the same text.
 * Everything that comes from the trace is escaped; the document's own policy forbids the network, and every script but the
 * application's.
 * @throws Error if `page` is not the text of `stalewalk/page.html`
 * @example
 * ```ts
 * import { simulate } from "stalewalk/replay";
 * import { renderReport } from "stalewalk/report";
 *
 * const result = await simulate({ profile: "vmalloc-churn", operations: 1000, policies: ["none"] });
 * const html = await renderReport(result); // with `page`, the text of stalewalk/page.html, the application is in it
 * console.log(html.slice(0, 15)); // <!DOCTYPE html>
 * ```
 */
export async function renderReport(result: ReplayResult, options: ReportOptions = {}): Promise<string> {
  checkFields(options, { verdicts: true, command: true, versions: true, maxFrees: true, maxHazards: true, page: true });
  const application = options.page === undefined ? undefined : applicationOf(options.page);
  const verdictRecords = options.verdicts ?? [];
  const sections: Section[] = [
    { id: "summary", title: "Summary", body: summary(result) },
    { id: "comparison", title: "Policies compared", body: comparison(result) },
    { id: "timeline", title: "Time line", body: figure(timeline(result)) },
    { id: "costs", title: "Costs", body: figure(costs(result)) },
    { id: "hazards", title: "Hazards and witnesses", body: hazards(result, options.maxHazards ?? 50) },
    { id: "frees", title: "Table frees", body: frees(result, options.maxFrees ?? 500) },
    ...(verdictRecords.length > 0
      ? [{ id: "verdicts", title: "Verdicts by search", body: verdicts(verdictRecords) }]
      : []),
    { id: "trace", title: result.configuration.workload ? "What was drawn" : "The trace", body: trace(result) },
    { id: "assumptions", title: "Assumptions", body: assumptions(result) },
    { id: "repetition", title: "Repetition", body: repetition(result, options.versions ?? {}, options.command) },
  ];
  const data = application && packData({ result, verdicts: verdictRecords, command: options.command });
  const { name, damaged } = result.trace;
  const file = name.split(/[/\\]/).at(-1) || name;
  const version = result.packageVersion;
  const by = version === undefined ? "" : ` ${version}`;
  return documentOf({
    title: html`${damaged && "Damaged input: "}${file}, page tables freed and walked through`,
    heading: `Walks through freed page tables: ${file}`,
    lead: html`${played(result)} played under ${result.policies.length} policies by stalewalk${by}. What devices access is a model.`,
    version,
    sections,
    skipTo: "report",
    notice: damage(result),
    application,
    data,
  });
}

/** What was played; that nothing was recorded stands before every figure. */
function played({ configuration: { workload } }: ReplayResult): Html {
  if (!workload) return html`A kernel trace`;
  return html`A synthetic workload (nothing was recorded: drawn by the profile ${code(workload.profile.name)}, seed ${workload.seed}),`;
}
