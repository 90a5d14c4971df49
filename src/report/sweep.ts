// A sweep as one HTML document: counts, a matrix of cells for each kernel and hardware, a table of costs for each workload. Results are read
// one by one, since there may be millions; what a page cannot show is counted, and said.

import type { SweepJob, SweepLine, VerdictResult } from "../sweep/index.js";
import { policyName } from "../sweep/index.js";
import { type Column, facts, table } from "./blocks.js";
import { documentOf } from "./document.js";
import { code, count, plural, timeFormat } from "./format.js";
import { type Html, type HtmlPart, html } from "./html.js";

/** Options of {@link renderSweep}. */
export interface SweepPageOptions {
  /** What the page is called: the plan's name. */
  readonly name: string;
  /** The version of the package that made it. */
  readonly packageVersion?: string;
  /** Matrices and tables that are shown whole, of each sort. Default 100. */
  readonly maxGroups?: number;
}

const GROUPS = 100;
const SIGNS = { hazard: "● hazard", "proved safe": "✓ proved", "no hazard found": "○ none found" } as const;
const RACE = "◐ by a race";
const ns = timeFormat("ns");

/** Seeds of one workload under one policy. */
interface Played {
  runs: number;
  lost: { sum: number; least: number; most: number };
  invalidations: number;
  hazards: number;
  heldPeak: number;
}

type VerdictJob = Extract<SweepJob, { kind: "verdict" }>;

/** What was read of all results. */
class Tally {
  jobs = 0;
  /** Kinds and what they came to. */
  readonly counts = new Map<string, number>();
  readonly matrices = new Map<string, Map<string, Map<string, string>>>();
  readonly workloads = new Map<string, Map<string, Played>>();
  readonly left = { matrices: new Set<string>(), workloads: new Set<string>() };

  constructor(private readonly most: number) {}

  add({ job, result }: SweepLine): void {
    this.jobs++;
    if ("says" in result) {
      this.#count(`cells: ${result.says}`);
      if (job.kind === "verdict") this.#cell(job, result);
      return;
    }
    const hazards = result.hazards["iommu"] ?? 0;
    this.#count(
      `${job.kind === "replay" ? "replays" : "simulations"}: ${hazards > 0 ? "walks of an IOMMU through freed tables" : "no such walk"}`,
    );
    if (job.kind === "verdict") return;
    const what =
      job.kind === "replay"
        ? job.trace
        : `${job.profile}, ${job.kernel ?? "its own kernel"}, ${count(job.operations)} operations`;
    const rows = groupOf(this.workloads, `${what}, ${job.geometry}`, this.most, this.left.workloads);
    if (!rows) return;
    const row = rows.get(policyName(job)) ?? {
      runs: 0,
      lost: { sum: 0, least: Infinity, most: 0 },
      invalidations: 0,
      hazards: 0,
      heldPeak: 0,
    };
    row.runs++;
    row.lost.sum += result.lostNs;
    row.lost.least = Math.min(row.lost.least, result.lostNs);
    row.lost.most = Math.max(row.lost.most, result.lostNs);
    row.invalidations += Object.values(result.invalidations).reduce((a, b) => a + b, 0);
    row.hazards += hazards;
    row.heldPeak = Math.max(row.heldPeak, result.heldPeak);
    rows.set(policyName(job), row);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #cell(job: VerdictJob, result: VerdictResult): void {
    const { kernel, hardware, prove, depth, walks, maxStates } = job;
    const how = [
      prove ? "proved" : `searched${depth === undefined ? "" : `, ${plural(depth, "move")}`}`,
      ...(walks === undefined ? [] : [`walks ${walks}`]),
      ...(maxStates === undefined ? [] : [`at most ${count(maxStates)} states`]),
    ];
    const key = `Linux ${kernel}; ${hardware.join(", ") || "the usual IOMMU"}; ${how.join(", ")}`;
    const matrix = groupOf(this.matrices, key, this.most, this.left.matrices);
    if (!matrix) return;
    const row = matrix.get(policyName(job)) ?? new Map<string, string>();
    const race = result.says !== "hazard" && result.race !== undefined && result.race !== null;
    matrix.set(policyName(job), row.set(job.site, race ? RACE : SIGNS[result.says]));
  }
}

function groupOf<T>(
  groups: Map<string, Map<string, T>>,
  key: string,
  most: number,
  left: Set<string>,
): Map<string, T> | undefined {
  const group = groups.get(key);
  if (group) return group;
  if (groups.size >= most) {
    left.add(key);
    return undefined;
  }
  const made = new Map<string, T>();
  groups.set(key, made);
  return made;
}

/** Results of a sweep as one HTML document that opens offline; it has no script. The same results in the same order give the same text. */
export async function renderSweep(lines: Iterable<SweepLine>, options: SweepPageOptions): Promise<string> {
  const tally = new Tally(options.maxGroups ?? GROUPS);
  for (const line of lines) tally.add(line);
  const version = options.packageVersion === undefined ? "" : ` ${options.packageVersion}`;
  const { matrices, workloads, left } = tally;
  const sections = [
    {
      id: "summary",
      title: "Summary",
      body: facts([...tally.counts].toSorted().map(([what, number]) => [what, count(number)])),
    },
    ...(matrices.size > 0 ? [{ id: "cells", title: "Cells", body: cells(matrices, left.matrices.size) }] : []),
    ...(workloads.size > 0 ? [{ id: "costs", title: "Costs", body: costs(workloads, left.workloads.size) }] : []),
  ];
  return documentOf({
    title: `${options.name}: a sweep of ${count(tally.jobs)} jobs`,
    heading: `Sweep: ${options.name}`,
    lead: html`${plural(tally.jobs, "job")} done by stalewalk${version}.`,
    version: options.packageVersion,
    sections,
  });
}

function cells(matrices: Tally["matrices"], left: number): Html {
  return html`<p>Rows are policies, columns sites that free page tables; walks are those of the IOMMU. ● hazard, ○ none found by search, ✓ proved safe,
◐ safe unless deferred work runs inside the operation that frees.</p>
${[...matrices].map(([title, rows]) => matrix(title, rows))}${rest(left, "matrix", "matrices")}`;
}

function matrix(title: string, rows: Map<string, Map<string, string>>): Html {
  const sites = [...new Set([...rows.values()].flatMap((row) => [...row.keys()]))];
  const columns: Column<[string, Map<string, string>]>[] = [
    { head: "policy", kind: "name", cell: ([policy]) => code(policy) },
    ...sites.map(
      (site): Column<[string, Map<string, string>]> => ({ head: code(site), cell: ([, row]) => sign(row.get(site)) }),
    ),
  ];
  return html`<h3>${title}</h3>
${table(title, columns, [...rows])}`;
}

function sign(text: string | undefined): HtmlPart {
  if (text === undefined) return "";
  const bad = text === SIGNS.hazard || text === RACE;
  return html`<span class="${bad ? "bad" : "good"}"><span aria-hidden="true">${text.slice(0, 2)}</span>${text.slice(2)}</span>`;
}

function costs(workloads: Tally["workloads"], left: number): Html {
  const columns: Column<[string, Played]>[] = [
    { head: "policy", kind: "name", cell: ([policy]) => code(policy) },
    { head: "runs", kind: "figure", cell: ([, { runs }]) => count(runs) },
    { head: "time lost, mean", kind: "figure", cell: ([, { lost, runs }]) => ns(lost.sum / runs) },
    { head: "least", kind: "figure", cell: ([, { lost }]) => ns(lost.least) },
    { head: "most", kind: "figure", cell: ([, { lost }]) => ns(lost.most) },
    {
      head: "invalidations a run",
      kind: "figure",
      cell: ([, { invalidations, runs }]) => count(Math.round(invalidations / runs)),
    },
    { head: "frames held, most", kind: "figure", cell: ([, { heldPeak }]) => count(heldPeak) },
    {
      head: "walks of an IOMMU through freed tables",
      kind: "figure",
      cell: ([, { hazards }]) => html`<span class="${hazards > 0 ? "bad" : "good"}">${count(hazards)}</span>`,
    },
  ];
  return html`${[...workloads].map(
    ([title, rows]) => html`<h3>${title}</h3>
${table(title, columns, [...rows])}`,
  )}${rest(left, "workload", "workloads")}`;
}

function rest(left: number, one: string, many: string): Html | undefined {
  return left === 0 ? undefined : html`<p>${plural(left, `${one} more`, `${many} more`)}: in the lines of results.</p>`;
}
