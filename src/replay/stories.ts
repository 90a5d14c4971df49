// What happened to freed tables, told in a sentence each: the first walk through a freed table, by site.

import type { PolicyResult, ReplayHazard } from "./policy-result.js";
import type { ReplayResult } from "./result.js";
import type { TableFree } from "./trace-result.js";

/** Hexadecimal digits of a kernel address or frame. */
const hex = (value: bigint | number): string => value.toString(16);

/** A duration with a unit that suits it. */
export function duration(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${(ns / 1000).toFixed(1)} µs`;
  return ns < 1e9 ? `${(ns / 1e6).toFixed(2)} ms` : `${(ns / 1e9).toFixed(2)} s`;
}

/** Where frees are told of: lines of a trace, or events that were drawn. */
export type FreeSource = "trace" | "workload";

/** A free in one line. */
export function describeFree(free: TableFree, source: FreeSource = "trace"): string {
  const level = free.level === 1 ? "PT" : "PD";
  const unnamed = source === "trace" ? "a frame the trace does not name" : "a frame of no name";
  const frame = free.frame === undefined ? unnamed : `frame 0x${hex(free.frame)}`;
  const order = free.beforeFlush ? "BEFORE its flush" : "after its flush";
  const flush =
    free.flushTimeNs === undefined
      ? `; no flush follows in the ${source}`
      : ` (${duration(Math.abs(free.timeNs - free.flushTimeNs))} ${free.beforeFlush ? "earlier" : "later"})`;
  return `${free.site}: the ${level} of ${hex(free.address)}, ${frame}, freed ${order}${flush}, ${source === "trace" ? "line" : "event"} ${free.line}`;
}

/** In the order in which a walk does them. */
const HARM = {
  "walk-after-free": "read an entry from the freed frame",
  "walk-of-reused-frame": "read an entry from the frame, which holds someone's data by now",
  "write-after-free": "set A or D bits in it",
  "forged-translation": "was given a translation made of it",
  "stale-rights": "was let write by a translation of a page that was made read-only",
  "stale-translation": "used a translation of a page that was gone",
} as const;

/** A hazard in one sentence. */
export function describeHazard(hazard: ReplayHazard, frees: readonly TableFree[]): string {
  const free = hazard.free === undefined ? undefined : frees[hazard.free];
  const what = hazard.access & 1 ? "write" : "read";
  const passed = free ? hazard.time - free.timeNs : 0;
  const after = free ? `${passed > 0 ? `${duration(passed)} after` : "right after"} the free, a` : "a";
  const done = (Object.keys(HARM) as (keyof typeof HARM)[]).filter((kind) => hazard.kinds.includes(kind));
  const harm = done.map((kind) => HARM[kind]).join(", ");
  return `${after} ${what} of ${hex(hazard.address)} by the ${hazard.who} ${harm}`;
}

/**
 * For each site that let a walk through: the first free and the worst of its walks that is on record.
 * @example
 * ```ts
 * import { simulate, witnesses } from "stalewalk/replay";
 *
 * const result = await simulate({ profile: "table-frees", operations: 20_000, policies: ["none"] });
 * console.log(witnesses(result, result.policies[0]).map((story) => story.split(":")[0])); // [ 'cpa_collapse_large_pages', 'pmd_free_pte_page' ]
 * ```
 */
export function witnesses(result: ReplayResult, policy: PolicyResult): string[] {
  const source: FreeSource = result.configuration.workload ? "workload" : "trace";
  const sites = new Map<string, ReplayHazard>();
  for (const hazard of policy.hazards.records) {
    const site = hazard.site ?? "no site";
    const known = sites.get(site);
    if (!known || (hazard.free === known.free && hazard.kinds.length > known.kinds.length)) sites.set(site, hazard);
  }
  return [...sites].map(([site, hazard]) => {
    const free = hazard.free === undefined ? undefined : result.frees[hazard.free];
    return `${free ? describeFree(free, source) : site}; ${describeHazard(hazard, result.frees)}`;
  });
}
