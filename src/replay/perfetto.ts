// A replay as Chrome's trace event JSON, which Perfetto and chrome://tracing open: what the kernel did as one process, each policy as
// another, with tracks for invalidations, frames held back, walks through freed tables, and how long each freed table was walked
// through. Form: "Trace Event Format" (Chromium's document): `ts` and `dur` in microseconds; M metadata, i instants, C counters,
// b and e the ends of spans that overlap.

import { plainJson } from "../base/notation.js";
import type { PolicyMarks } from "./marks.js";
import type { PolicyResult } from "./policy-result.js";
import type { ReplayResult } from "./result.js";

/** One event of the form. */
interface TraceEvent {
  readonly name: string;
  readonly ph: "M" | "i" | "C" | "b" | "e";
  readonly pid: number;
  readonly tid: number;
  /** µs */
  readonly ts?: number;
  readonly [field: string]: unknown;
}

const KERNEL = 1;
const FIRST_POLICY = 10;
const TRACKS = { flushes: 1, processes: 2, frees: 3, worker: 4 } as const;
const POLICY_TRACKS = { invalidations: 1, walks: 2, stale: 3 } as const;
const TRACK_OF = {
  "flush-kernel-range": TRACKS.flushes,
  "flush-all": TRACKS.flushes,
  "flush-mm": TRACKS.processes,
  "table-free": undefined,
  worker: TRACKS.worker,
} as const;

/**
 * A replay as trace event JSON. Single events are there as far as `ReplayResult.marks` goes (the option `marks`); without them there are
 * frees and the spans of walks through them.
 * @example
 * ```ts
 * import { simulate, toPerfetto } from "stalewalk/replay";
 *
 * const result = await simulate({ profile: "table-frees", operations: 1000, policies: ["none"], marks: true });
 * // For ui.perfetto.dev.
 * console.log(Object.keys(JSON.parse(toPerfetto(result)))); // [ 'displayTimeUnit', 'otherData', 'traceEvents' ]
 * ```
 */
export function toPerfetto(result: ReplayResult): string {
  const events = [...kernelEvents(result), ...result.policies.flatMap((one, i) => policyEvents(result, one, i))];
  const { name, firstTimeNs, damaged } = result.trace;
  return `${plainJson({
    displayTimeUnit: "ns",
    otherData: { trace: name, firstTimeNs, damaged, madeBy: `stalewalk ${result.packageVersion ?? ""}`.trim() },
    traceEvents: events,
  })}\n`;
}

const us = (ns: number): number => ns / 1000;

function named(pid: number, name: string, tracks: Readonly<Record<number, string>>): TraceEvent[] {
  const process: TraceEvent[] = [
    { name: "process_name", ph: "M", pid, tid: 0, args: { name } },
    { name: "process_sort_index", ph: "M", pid, tid: 0, args: { sort_index: pid } },
  ];
  const threads = Object.entries(tracks).map(
    ([tid, track]): TraceEvent => ({ name: "thread_name", ph: "M", pid, tid: Number(tid), args: { name: track } }),
  );
  return [...process, ...threads];
}

function kernelEvents({ trace, marks, frees }: ReplayResult): TraceEvent[] {
  const head = named(KERNEL, `kernel: ${trace.name}`, {
    [TRACKS.flushes]: "flushes of the kernel half",
    [TRACKS.processes]: "flushes of processes",
    [TRACKS.frees]: "tables freed",
    [TRACKS.worker]: "deferred work",
  });
  const done = (marks?.kernel.ns ?? []).flatMap((ns, i): TraceEvent[] => {
    const kind = marks!.kernel.names[marks!.kernel.kinds[i]!]!;
    const tid = TRACK_OF[kind];
    return tid === undefined ? [] : [{ name: kind, cat: "kernel", ph: "i", s: "t", pid: KERNEL, tid, ts: us(ns) }];
  });
  const freed = frees.map((free): TraceEvent => {
    const { index, site, level, address, line, flushTimeNs, beforeFlush, cpu, pid } = free;
    const args = { free: index, address, level, line, cpu, process: pid, flushTimeNs, beforeFlush };
    return { name: site, cat: "free", ph: "i", s: "p", pid: KERNEL, tid: TRACKS.frees, ts: us(free.timeNs), args };
  });
  return [...head, ...done, ...freed];
}

function policyEvents(result: ReplayResult, { policy, hazards }: PolicyResult, index: number): TraceEvent[] {
  const pid = FIRST_POLICY + index;
  const marks: PolicyMarks | undefined = result.marks?.policies[index];
  const head = named(pid, `policy ${policy.name}`, {
    [POLICY_TRACKS.invalidations]: "IOMMU invalidations",
    [POLICY_TRACKS.walks]: "walks through freed tables",
    [POLICY_TRACKS.stale]: "freed tables, from the first to the last walk",
  });
  const instants = (track: number, name: string, { ns, count }: PolicyMarks["hazards"]): TraceEvent[] =>
    ns.map((at, i) => ({ name, cat: name, ph: "i", s: "t", pid, tid: track, ts: us(at), args: { count: count[i] } }));
  const held = marks?.held.ns.map(
    (at, i): TraceEvent => ({
      name: "frames held back",
      ph: "C",
      pid,
      tid: 0,
      ts: us(at),
      args: { frames: marks.held.count[i] },
    }),
  );
  const spans = hazards.byFree.flatMap(({ free, total, byKind, firstAfterNs, lastAfterNs }): TraceEvent[] => {
    const freed = result.frees[free];
    if (!freed) return [];
    const base = { name: `free ${free}: ${freed.site}`, cat: "stale", id: free, pid, tid: POLICY_TRACKS.stale };
    const args = { walks: total, forged: byKind["forged-translation"], line: freed.line };
    return [
      { ...base, ph: "b", ts: us(freed.timeNs + firstAfterNs), args },
      { ...base, ph: "e", ts: us(freed.timeNs + lastAfterNs) },
    ];
  });
  return [
    ...head,
    ...(marks ? instants(POLICY_TRACKS.invalidations, "invalidation", marks.invalidations) : []),
    ...(marks ? instants(POLICY_TRACKS.walks, "walk through a freed table", marks.hazards) : []),
    ...(held ?? []),
    ...spans,
  ];
}
