// A replay as rows of events over time. Where single events were kept they are the events; later, and where none were kept, the bins of
// the timeline stand for them. No drawing here.

import type { ReportData } from "../../src/report/data.js";

/** Events over time, ascending. */
export interface Events {
  ns: Float64Array;
  count: Float64Array;
}

/** One policy. */
export interface PolicyRow {
  name: string;
  invalidations: Events;
  hazards: Events;
  /** Frames held back from each time on. */
  held: Events;
  /** Freed tables that were walked through: which, and from when to when. */
  walked: { free: number; from: number; to: number; walks: number }[];
}

/** All that the time line draws. */
export interface Rows {
  end: number;
  /** From here on there are bins only. */
  untilNs: number;
  kernelFlushes: Events;
  processFlushes: Events;
  worker: Events;
  frees: Events;
  policies: PolicyRow[];
}

type Result = ReportData["result"];

const NONE: Events = { ns: new Float64Array(), count: new Float64Array() };

/** Rows of a result. */
export function rowsOf(result: Result): Rows {
  const { marks, timeline, policies, frees, trace } = result;
  const end = Math.max(trace.durationNs, timeline.bins > 0 ? (timeline.bins - 1) * timeline.binNs : 0, 1);
  const untilNs = marks ? marks.untilNs : -1;
  const binned = (values: readonly number[]): Events => binsAfter(values, timeline.binNs, untilNs, end);
  const kernel = (...names: string[]): Events => {
    if (!marks) return NONE;
    const wanted = new Set(names.map((name) => (marks.kernel.names as readonly string[]).indexOf(name)));
    const ns = marks.kernel.ns.filter((_, i) => wanted.has(marks.kernel.kinds[i]!));
    return events(
      ns,
      ns.map(() => 1),
    );
  };
  return {
    end,
    untilNs,
    kernelFlushes: join(kernel("flush-kernel-range", "flush-all"), binned(timeline.kernelFlushes)),
    processFlushes: kernel("flush-mm"),
    worker: kernel("worker"),
    frees: events(
      frees.map(({ timeNs }) => timeNs),
      frees.map(() => 1),
    ),
    policies: policies.map((one, i) => {
      const kept = marks?.policies[i];
      return {
        name: one.policy.name,
        invalidations: join(
          kept && events(kept.invalidations.ns, kept.invalidations.count),
          binned(one.timeline.invalidations),
        ),
        hazards: join(kept && events(kept.hazards.ns, kept.hazards.count), binned(one.timeline.hazards)),
        held: join(
          kept && events(kept.held.ns, kept.held.count),
          levelsAfter(one.timeline.framesHeld, timeline.binNs, untilNs),
        ),
        walked: one.hazards.byFree.flatMap(({ free, total, firstAfterNs, lastAfterNs }) => {
          const at = frees[free]?.timeNs;
          return at === undefined ? [] : [{ free, from: at + firstAfterNs, to: at + lastAfterNs, walks: total }];
        }),
      };
    }),
  };
}

function events(ns: readonly number[], count: readonly number[]): Events {
  return { ns: Float64Array.from(ns), count: Float64Array.from(count) };
}

function join(first: Events | undefined, second: Events): Events {
  if (!first || first.ns.length === 0) return second;
  if (second.ns.length === 0) return first;
  return events([...first.ns, ...second.ns], [...first.count, ...second.count]);
}

/** Bins that lie behind a time, each at its middle. */
function binsAfter(values: readonly number[], binNs: number, after: number, end: number): Events {
  const at = values.map((_, i) => Math.min(end, (i + 0.5) * binNs));
  const kept = at.map((_, i) => i).filter((i) => i * binNs > after && values[i]! > 0);
  return events(
    kept.map((i) => at[i]!),
    kept.map((i) => values[i]!),
  );
}

function levelsAfter(values: readonly number[], binNs: number, after: number): Events {
  const kept = values.map((_, i) => i).filter((i) => i * binNs > after && values[i] !== values[i - 1]);
  return events(
    kept.map((i) => i * binNs),
    kept.map((i) => values[i]!),
  );
}

/** Index of the first event at or after a time. */
export function firstAt({ ns }: Events, time: number): number {
  let [low, high] = [0, ns.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ns[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many there are in a span, counts added up. */
export function countIn(row: Events, from: number, to: number): number {
  let sum = 0;
  for (let i = firstAt(row, from); i < row.ns.length && row.ns[i]! <= to; i++) sum += row.count[i]!;
  return sum;
}

/** Sums by pixel column over a span: at most one mark a column, whatever the number of events. */
export function columns(row: Events, from: number, to: number, pixels: number): { x: number; count: number }[] {
  const marks: { x: number; count: number }[] = [];
  const perPixel = (to - from) / pixels;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = firstAt(row, from); i < row.ns.length && row.ns[i]! <= to; i++) {
    const x = Math.round((row.ns[i]! - from) / perPixel);
    if (x === last) marks[marks.length - 1]!.count += row.count[i]!;
    else {
      marks.push({ x, count: row.count[i]! });
      last = x;
    }
  }
  return marks;
}

/** Stretches of a span in which frames are held back. */
export function stretches(held: Events, from: number, to: number): { from: number; to: number; frames: number }[] {
  const found: { from: number; to: number; frames: number }[] = [];
  const start = Math.max(0, firstAt(held, from) - 1);
  for (let i = start; i < held.ns.length && held.ns[i]! <= to; i++) {
    const until = held.ns[i + 1] ?? Number.POSITIVE_INFINITY;
    if (held.count[i]! > 0 && until >= from) {
      found.push({ from: Math.max(from, held.ns[i]!), to: Math.min(to, until), frames: held.count[i]! });
    }
  }
  return found;
}
