// What was read or drawn: the trace in figures, what the reader did not know or could not play, and the driver's own queue.

import type { ReplayResult } from "../replay/index.js";
import { bullets, type Column, details, facts, table } from "./blocks.js";
import { code, count, plural, timeFormat } from "./format.js";
import { type Html, html } from "./html.js";

type Entry = readonly [name: string, times: number];

function counts(label: string, what: string, values: Readonly<Record<string, number>>): Html | undefined {
  const rows: Entry[] = Object.entries(values).sort(([, a], [, b]) => b - a);
  if (rows.length === 0) return undefined;
  const columns: Column<Entry>[] = [
    { head: what, kind: "name", cell: ([name]) => code(name) },
    { head: "times", kind: "figure", cell: ([, times]) => count(times) },
  ];
  return details(`${label} (${count(rows.length)})`, table(label, columns, rows));
}

/** The section. */
export function trace({ configuration, trace, program, queue }: ReplayResult): Html {
  const notes = trace.findings.filter(({ severity }) => severity === "note");
  const time = timeFormat(trace.timeUnit);
  const { workload } = configuration;
  const from: readonly [string, Html | string | number][] = workload
    ? [
        ["profile", code(workload.profile.name)],
        ["what runs", workload.profile.about ?? "not told"],
        ["modelled on", workload.profile.source ?? "not told"],
        ["seed", workload.seed],
        ["operations asked for, per policy", count(workload.operations)],
      ]
    : [
        ["file", code(trace.name)],
        ["format", trace.format],
        ["lines", count(trace.lines)],
        ["lines that could not be read", count(trace.damagedLines)],
        ["bytes of text", count(trace.bytes)],
      ];
  return html`${facts([
    ...from,
    ["events", count(trace.events)],
    ["length", time(trace.durationNs)],
    [workload ? "CPUs" : "CPUs by the header", trace.cpus ?? "not told"],
  ])}
${counts("Events by name", "event", trace.counts)}
${counts("Events that are not known", "event", trace.unknown)}
${counts("What the events mean", "operation", trace.operations)}
${counts("Not played as the trace has it", "reason", program.skipped)}
${notes.length > 0 && details(plural(notes.length, "note of the reader", "notes of the reader"), bullets(notes.map(({ text }) => code(text))))}
${
  queue.descriptors > 0 &&
  html`<h3>The driver's own invalidation queue</h3>
<p>${plural(queue.descriptors, "descriptor")} told by the trace, ${count(queue.untold)} more submitted with them;
${plural(queue.waits, "submission")} with a wait each; ${plural(queue.pages, "page")} named by page-selective ones.</p>
${counts("Descriptors by granularity", "descriptor", queue.byGranularity)}
${counts("Malformed descriptors", "what is wrong", queue.malformed)}`
}`;
}
