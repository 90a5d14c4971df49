// A run of the benchmark as one HTML document: its tables, and a picture of every curve of growth.

import { closingLines, headerLines, tablesOf } from "../benchmark/report.js";
import type { BenchResult } from "../benchmark/result.js";
import { bullets, type Column, table } from "./blocks.js";
import { figure } from "./chart.js";
import { curveChart, curvesOf } from "./curves.js";
import { documentOf } from "./document.js";
import { html } from "./html.js";

/** A run of the benchmark as one HTML document that opens offline; it has no script. The same run gives the same text. */
export async function renderBench(result: BenchResult): Promise<string> {
  const { rows, host, missing, seconds, command } = result;
  const curves = curvesOf(rows);
  const tables = tablesOf(rows).map(({ head, rows: [heads = [], ...body] }) => {
    const columns = heads.map(
      (name, i): Column<string[]> => ({ head: name, kind: i === 0 ? "name" : "figure", cell: (row) => row[i] }),
    );
    return html`<h3>${head}</h3>
${table(head, columns, body)}`;
  });
  return documentOf({
    title: `stalewalk bench, ${host.cpu}, ${host.date}`,
    heading: "Benchmark",
    lead: command,
    version: host.stalewalk,
    sections: [
      { id: "machine", title: "Where", body: bullets(headerLines(host)) },
      ...(curves.length > 0
        ? [
            {
              id: "curves",
              title: "Growth",
              body: curves.map((points, i) => figure(curveChart(points, i))),
            },
          ]
        : []),
      { id: "tables", title: "Tables", body: tables },
      { id: "notes", title: "Notes", body: bullets(closingLines(rows, missing, seconds)) },
    ],
  });
}
