// The matrix of verdicts beside the replay: what a search over programs found, which does not depend on the trace.

import { pageRequestsLine, usualCpu, usualIommu, type VerdictRecord } from "../verdicts/index.js";
import { scenarios } from "../verdicts/scenarios.js";
import { matrixRows, optionLines, proofLines, signsLine, triedLine } from "../verdicts/text.js";
import { bullets, type Column, details, table } from "./blocks.js";
import { code } from "./format.js";
import { type Html, type HtmlPart, html } from "./html.js";
import { stories } from "./stories.js";

/** Matrix, what hardware changes, and a story for every hazard. */
export function verdicts(records: readonly VerdictRecord[]): Html {
  if (records.some(({ proof }) => proof)) return html`${proofs(records)}${rest(records)}`;
  return html`<p>Not from the trace: for every policy, site that frees page tables and choice of hardware, programs were searched for a
walk through a freed table. Probes, reuse and other frees are placed at every point of a program; deferred work runs between
operations, and for ◐ also inside them. ${triedLine(records)}; ${pageRequestsLine(usualIommu)}.</p>
<p>● hazard, ○ none found, ◐ none found unless deferred work runs inside the operation that frees.</p>
${rest(records)}`;
}

/** What is said of proofs: all states were explored. */
function proofs(records: readonly VerdictRecord[]): Html {
  return html`<p>Not from the trace: for every policy, site that frees page tables and choice of hardware, all states were explored that
programs of any length come to. ${pageRequestsLine(usualIommu)}.</p>
${bullets(proofLines(records))}
<p>${signsLine(records)}.</p>`;
}

function rest(records: readonly VerdictRecord[]): Html {
  return html`${details("What the columns are", columnsText(records))}
${matrix(records, "iommu", "Walks of the IOMMU")}
${matrix(records, "cpu", "Walks of CPUs")}
${options(records)}
${details("Shortest programs with a hazard, step by step", stories(records))}`;
}

function columnsText(records: readonly VerdictRecord[]): Html {
  const shown = scenarios.filter(({ name }) => records.some(({ scenario }) => scenario === name));
  return html`<dl>${shown.map(({ name, about }) => html`<dt>${code(name)}</dt><dd>${about}</dd>\n`)}</dl>`;
}

function matrix(records: readonly VerdictRecord[], agent: "iommu" | "cpu", title: string): Html | undefined {
  const [head, ...rows] = matrixRows(records, agent === "cpu" ? usualCpu : usualIommu);
  if (!head || rows.length === 0) return undefined;
  const columns = head.map(
    (name, i): Column<string[]> => ({
      head: name,
      kind: i === 0 ? "name" : "text",
      cell: (row) => (i === 0 ? code(row[i]!) : cell(row[i]!)),
      mark: (row) => markOf(row[i]!),
    }),
  );
  return html`<h3>${title}</h3>
${table(title, columns, rows)}`;
}

function markOf(text: string): "good" | "bad" | undefined {
  if (text === "") return undefined;
  return text.startsWith("○ ") || text.startsWith("✓ ") ? "good" : "bad";
}

function cell(text: string): HtmlPart {
  return text === "" ? "" : html`<span aria-hidden="true">${text.slice(0, 2)}</span>${text.slice(2)}`;
}

function options(records: readonly VerdictRecord[]): Html | undefined {
  const lines = optionLines(records);
  if (lines.length === 0) return undefined;
  return details("What other hardware changes", bullets(lines.map((line) => line.trim())));
}
