// Hazards: for every policy that let walks through, who freed, how often it was hit, and one witness a site told step by
// step: the flush, the free, the walk, and what it did.

import { hex } from "../base/notation.js";
import { type HazardKind, hazardKinds, isHit } from "../kernel/hazards.js";
import type { Site } from "../program/sites.js";
import type { PolicyResult, ReplayHazard, ReplayResult, TableFree } from "../replay/index.js";
import { type Column, details, steps, table } from "./blocks.js";
import { harm } from "./comparison.js";
import { code, count, plural, tableName, timeFormat } from "./format.js";
import { type Html, type HtmlPart, html } from "./html.js";
import { kindWords } from "./kind-words.js";

/** Every policy's hazards. @param most hazard records listed, a policy */
export function hazards(result: ReplayResult, most: number): Html {
  const hit = result.policies.filter(({ hazards }) => hazards.total > 0);
  if (hit.length === 0) return html`<p>No walk and no hit in this replay used what it should not have.</p>`;
  return html`<p>A witness is the first free of a site that was walked through, with the worst walk on record.
Frames of the model are not those of the traced machine.</p>
${hit.map((one) => ofPolicy(result, one, most))}`;
}

function ofPolicy(result: ReplayResult, one: PolicyResult, most: number): Html {
  const { hazards, policy } = one;
  const sites = sitesOf(one);
  const columns: Column<(typeof sites)[number]>[] = [
    { head: "site", kind: "name", cell: ([site]) => siteName(site) },
    ...hazardKinds.map(
      (kind): Column<(typeof sites)[number]> => ({
        head: kind,
        kind: "figure",
        cell: ([, kinds]) => harm(kinds[kind] ?? 0),
      }),
    ),
  ];
  return html`<h3>Under ${code(policy.name)}</h3>
<p>${plural(hazards.total, "walk or hit", "walks and hits")} with a hazard: ${count(hazards.byAgent.iommu)} by the IOMMU, ${count(hazards.byAgent.cpu)} by CPUs.</p>
${sites.length > 0 && table(`Hazards under ${policy.name} by site and kind`, columns, sites)}
<div class="witnesses">${witnessesOf(one).map((hazard) => witness(result, one, hazard))}</div>
${details(html`Walks on record under ${code(policy.name)}`, records(result, one, most), true)}`;
}

type SiteCounts = readonly [site: Site | undefined, kinds: Readonly<Partial<Record<HazardKind, number>>>];

/** Counts by site; the last row is what no site freed. */
function sitesOf({ hazards: { bySite, byKind } }: PolicyResult): SiteCounts[] {
  const sites = Object.entries(bySite) as [Site, Readonly<Record<HazardKind, number>>][];
  const rest = hazardKinds.map((kind) => {
    const known = sites.reduce((sum, [, kinds]) => sum + kinds[kind], 0);
    return [kind, byKind[kind] - known] as const;
  });
  return rest.some(([, left]) => left > 0) ? [...sites, [undefined, Object.fromEntries(rest)]] : sites;
}

function siteName(site: string | undefined): Html {
  if (site === undefined) return html`no site`;
  return site === "user" ? html`user mappings` : code(site);
}

/** One record per site: of its first free on record, the worst walk. */
export function witnessesOf({ hazards }: PolicyResult): ReplayHazard[] {
  const sites = new Map<string, ReplayHazard>();
  for (const hazard of hazards.records) {
    const key = `${hazard.site ?? ""} ${hazard.who.startsWith("CPU")}`;
    const known = sites.get(key);
    if (!known || (hazard.free === known.free && harmOf(hazard) > harmOf(known))) sites.set(key, hazard);
  }
  return [...sites.values()];
}

const harmOf = ({ kind, kinds }: ReplayHazard): number => hazardKinds.indexOf(kind) * 8 + kinds.length;

function witness(result: ReplayResult, { policy }: PolicyResult, hazard: ReplayHazard): Html {
  const time = timeFormat(result.trace.timeUnit);
  const free = hazard.free === undefined ? undefined : result.frees[hazard.free];
  const flush = free && flushStep(free, time);
  const story: HtmlPart[] = [
    ...(flush && !free.beforeFlush ? [flush] : []),
    ...(free ? [freeStep(free, time, placeOf(result, free))] : []),
    ...(flush && free.beforeFlush && free.flushTimeNs! <= hazard.time ? [flush] : []),
    ...(free ? [] : [otherFree(hazard)]),
    walkStep(hazard, free, time),
    html`What it found: ${stateWords(hazard)}. So ${hazard.kinds.map((kind) => kindWords[kind]).join("; ")}
(${hazard.kinds.map((kind, i) => html`${i > 0 && ", "}${code(kind)}`)}).`,
    ...(flush && free.beforeFlush && free.flushTimeNs! > hazard.time ? [flush] : []),
  ];
  return html`<div class="witness"><h4>Witness: ${siteName(free?.site ?? hazard.site)} under ${code(policy.name)}, ${hazard.who}</h4>
${steps(story)}</div>
`;
}

function flushStep(free: TableFree, time: (ns: number) => string): Html | undefined {
  if (free.flushTimeNs === undefined) return undefined;
  const by = free.flushCaller === undefined ? "" : html` by ${code(free.flushCaller)}`;
  const order = free.beforeFlush
    ? `, ${time(free.flushTimeNs - free.timeNs)} after the free that it should precede`
    : "";
  return html`${time(free.flushTimeNs)}: the flush that belongs to the free${by}${order}.`;
}

/** Where a free is told of. */
function placeOf({ configuration }: ReplayResult, { line }: TableFree): string {
  return configuration.workload ? `event ${count(line)} of the workload` : `line ${count(line)} of the trace`;
}

function freeStep(free: TableFree, time: (ns: number) => string, place: string): Html {
  const frame =
    free.frame === undefined ? "a frame that the trace does not name" : html`frame ${code(hex(free.frame))}`;
  const order =
    free.flushTimeNs === undefined
      ? "no flush belongs to it in the trace"
      : free.beforeFlush
        ? "before its flush"
        : `${time(free.timeNs - free.flushTimeNs)} after its flush`;
  return html`${time(free.timeNs)}: ${code(free.site)} frees the ${tableName(free.level)} of ${code(hex(free.address))} in ${frame},
${order} (CPU ${free.cpu}, process ${free.pid}, ${place}).`;
}

function otherFree({ kind, site, freedAt }: ReplayHazard): Html {
  const operation = `operation ${count(freedAt)} of the program`;
  if (kind === "stale-translation") return html`Before: the page is unmapped or given away.`;
  if (kind === "stale-rights") return html`Before: the page is made read-only.`;
  if (site === undefined) return html`Before: whoever held the frame last gives it back (${operation}).`;
  return html`Before: the frame is freed by ${siteName(site)}, no kernel table of the trace's (${operation}).`;
}

function walkStep(hazard: ReplayHazard, free: TableFree | undefined, time: (ns: number) => string): Html {
  const after = free ? html`, ${time(hazard.time - free.timeNs)} after the free` : "";
  const pointer = isHit(hazard)
    ? html`and uses a cached translation to model frame ${code(hex(hazard.frame))}`
    : html`and is led to model frame ${code(hex(hazard.frame))} as a ${tableName(hazard.level)}`;
  return html`${time(hazard.time)}${after}: the ${hazard.who} ${accessWord(hazard.access)} ${code(hex(hazard.address))} ${pointer}
(operation ${count(hazard.operation)} of the program).`;
}

function accessWord(access: number): string {
  return (["reads", "writes", "fetches"] as const)[access & 3] ?? "reads";
}

function stateWords({ state, generations, kind }: ReplayHazard): string {
  const what = {
    free: "the frame is free",
    table: "the frame is another table",
    data: "the frame holds someone's data",
  };
  if (isHit({ kind })) return what[state];
  return generations.cached === generations.now
    ? `${what[state]}, and an entry in memory still leads to it`
    : `${what[state]}; the pointer means generation ${generations.cached}, it has ${generations.now}`;
}

function records({ trace, frees }: ReplayResult, { policy, hazards }: PolicyResult, most: number): Html {
  const time = timeFormat(trace.timeUnit);
  const shown = hazards.records.slice(0, most);
  const columns: Column<ReplayHazard>[] = [
    { head: "operation", kind: "figure", cell: ({ operation }) => count(operation) },
    { head: "time", kind: "figure", cell: (hazard) => time(hazard.time) },
    { head: "who", kind: "short", cell: ({ who }) => who },
    { head: "access", kind: "short", cell: ({ access, address }) => html`${accessWord(access)} ${code(hex(address))}` },
    { head: "site", kind: "short", cell: ({ site }) => siteName(site) },
    { head: "free", kind: "figure", cell: ({ free }) => (free === undefined ? "-" : count(free)) },
    {
      head: "after the free",
      kind: "figure",
      cell: ({ free, time: at }) => {
        const known = free === undefined ? undefined : frees[free];
        return known ? time(at - known.timeNs) : "-";
      },
    },
    { head: "model frame", kind: "short", cell: ({ frame, level }) => html`${code(hex(frame))}, ${tableName(level)}` },
    { head: "is now", kind: "short", cell: ({ state }) => state },
    { head: "kinds", kind: "short", cell: ({ kinds }) => kinds.join(", ") },
  ];
  const rest = hazards.total - shown.length;
  return html`${table(`Walks on record under ${policy.name}`, columns, shown)}
${rest > 0 && html`<p>The first ${count(shown.length)} of ${count(hazards.total)}.</p>`}`;
}
