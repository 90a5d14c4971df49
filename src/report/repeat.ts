// What stands behind the figures: assumptions, the cost model with its sources, and everything needed for repetition.

import { plainJson } from "../base/notation.js";
import { type CostFigure, type CostKind, notModelled } from "../cost/index.js";
import type { ReplayResult } from "../replay/index.js";
import { bullets, type Column, details, facts, table } from "./blocks.js";
import { code, count, timeFormat } from "./format.js";
import { type Html, html, textOnly } from "./html.js";

/** Assumptions of the device model and of the cost model. */
export function assumptions({ assumptions, configuration }: ReplayResult): Html {
  const figures = Object.entries(configuration.costModel.figures) as [CostKind, CostFigure][];
  const columns: Column<(typeof figures)[number]>[] = [
    { head: "what", kind: "name", cell: ([kind]) => code(kind) },
    { head: "each", kind: "figure", cell: ([, { ns }]) => timeFormat("ns")(ns) },
    { head: "how sure", cell: ([, { confidence }]) => confidence },
    { head: "source", cell: ([, { source }]) => source },
  ];
  return html`${bullets(assumptions)}
<h3>Costs leave out</h3>
${bullets(notModelled)}
${details(html`The cost model ${code(configuration.costModel.name)}, figure by figure`, table("Cost model", columns, figures))}`;
}

/** What made the page. */
export interface Versions {
  /** Names and versions: `Node.js` `v20.1.0`. */
  readonly [name: string]: string;
}

/** Versions, command and configuration. */
export function repetition(result: ReplayResult, versions: Versions, command: string | undefined): Html {
  const { configuration, throughput, program } = result;
  const json = textOnly(layOut(JSON.parse(plainJson(configuration))));
  const speed = `${count(Math.round(throughput.operationsPerSecond))} operations per second inside the engine`;
  const same = configuration.workload ? "profile, seed, length" : "trace";
  return html`<p>The same ${same}, version and configuration give the same figures on every machine; only the time that it took differs.</p>
${
  command !== undefined &&
  html`<h3>Command</h3>
<pre class="scroll" role="region" tabindex="0" aria-label="Command">${command}</pre>`
}
<h3>Versions</h3>
${facts([["stalewalk", result.packageVersion ?? "not told"], ...Object.entries(versions)])}
<h3>Configuration</h3>
${facts([
  ["caches", `${configuration.iommuGeometry.name} (${configuration.geometrySource})`],
  ["invalidation queue", configuration.dialect],
  ["levels of page tables", configuration.levels],
  ["entries with U/S = 0 above the leaf, user requests", configuration.supervisorEntries],
  ["seed of the device model", configuration.devices.seed],
  ["deferred work after", timeFormat("ns")(configuration.workDelayNs)],
  ["operations per policy", count(program.records)],
  ["played", `${count(throughput.operations)} operations in ${throughput.seconds.toFixed(1)} s; ${speed}`],
])}
${details("The whole configuration as JSON", html`<pre class="scroll" role="region" tabindex="0" aria-label="Configuration">${json}</pre>`, true)}`;
}

/** Columns of a line of JSON. */
const COLUMNS = 100;

/** JSON to read: what fits on a line stands on one. */
function layOut(value: unknown, indent = ""): string {
  const line = JSON.stringify(value, undefined, 1).replace(/\n */g, " ");
  if (typeof value !== "object" || value === null || indent.length + line.length <= COLUMNS) return line;
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => layOut(item, inner))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${layOut(item, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${parts.map((part) => `${inner}${part}`).join(",\n")}\n${indent}${close}`;
}
