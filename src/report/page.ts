// The page as a whole: head with its policy, contents, sections. One document, no script, nothing fetched.

import type { ReplayResult } from "../replay/index.js";
import type { VerdictRecord } from "../verdicts/index.js";
import { type Section, section } from "./blocks.js";
import { figure } from "./chart.js";
import { comparison } from "./comparison.js";
import { costs } from "./costs.js";
import { code } from "./format.js";
import { frees } from "./frees.js";
import { hazards } from "./hazards.js";
import { type Html, html, trusted } from "./html.js";
import { assumptions, repetition, type Versions } from "./repeat.js";
import { STYLE } from "./style.js";
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
}

/**
 * A replay as one HTML document that opens offline. The same arguments give the same text.
 * Everything that comes from the trace is escaped; the document's own policy forbids scripts and the network.
 * @throws Error if a chart cannot be drawn
 */
export async function renderReport(result: ReplayResult, options: ReportOptions = {}): Promise<string> {
  const sections: Section[] = [
    { id: "summary", title: "Summary", body: summary(result) },
    { id: "comparison", title: "Policies compared", body: comparison(result) },
    { id: "timeline", title: "Time line", body: await figure(timeline(result)) },
    { id: "costs", title: "Costs", body: await figure(costs(result)) },
    { id: "hazards", title: "Hazards and witnesses", body: hazards(result, options.maxHazards ?? 50) },
    { id: "frees", title: "Table frees", body: frees(result, options.maxFrees ?? 500) },
    ...(options.verdicts && options.verdicts.length > 0
      ? [{ id: "verdicts", title: "Verdicts by search", body: verdicts(options.verdicts) }]
      : []),
    { id: "trace", title: result.configuration.workload ? "What was drawn" : "The trace", body: trace(result) },
    { id: "assumptions", title: "Assumptions", body: assumptions(result) },
    { id: "repetition", title: "Repetition", body: repetition(result, options.versions ?? {}, options.command) },
  ];
  return `${documentOf(result, sections, await styleHash())}`;
}

/** What was played; that nothing was recorded stands before every figure. */
function played({ configuration: { workload } }: ReplayResult): Html {
  if (!workload) return html`A kernel trace`;
  return html`A synthetic workload (nothing was recorded: drawn by the profile ${code(workload.profile.name)}, seed ${workload.seed}),`;
}

/** The policy allows this one style sheet and nothing else. */
async function styleHash(): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(STYLE));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

function documentOf(result: ReplayResult, sections: readonly Section[], hash: string): Html {
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const { name, damaged } = result.trace;
  const file = name.split(/[/\\]/).at(-1) || name;
  const version = result.packageVersion === undefined ? "" : ` ${result.packageVersion}`;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="stalewalk${version}">
<title>${damaged && "Damaged input: "}${file}, page tables freed and walked through</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header>
<h1>Walks through freed page tables: ${file}</h1>
<p class="lead">${played(result)} played under ${result.policies.length} policies by stalewalk${version}. What devices access is a model.</p>
<nav aria-label="Contents"><ul>
${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>\n`)}</ul></nav>
</header>
<main id="main" tabindex="-1">
${damage(result)}
${sections.map(section)}</main>
<footer>Made by stalewalk${version}. Opens offline: no script, no network.</footer>
</body>
</html>
`;
}
