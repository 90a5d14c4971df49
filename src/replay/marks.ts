// Single events of a replay by their times, beside the bins of the timeline: what a picture shows that is zoomed to microseconds.
// Every policy is looked at after each flush, free and run of the worker; walks come with the engine's own time.

import type { PolicySample } from "./timeline.js";

/** Most events of a kind that are kept: a picture of more shows the bins. */
export const MAX_MARKS = 20_000;

/** What is looked at after it was played. */
export const markKinds = ["flush-kernel-range", "flush-all", "flush-mm", "table-free", "worker"] as const;

/** One of {@link markKinds}. */
export type MarkKind = (typeof markKinds)[number];

/** Events over time: `ns` ascending, from the first event of the trace. */
export interface MarkSeries {
  /** When, ns. */
  readonly ns: readonly number[];
  /** How many: descriptors, walks, frames. */
  readonly count: readonly number[];
}

/** Single events of one policy. */
export interface PolicyMarks {
  /** Descriptors of IOMMU invalidation (IOTLB and device TLB) that a flush, free or run of the worker submitted. */
  readonly invalidations: MarkSeries;
  /** Walks and hits with a hazard. */
  readonly hazards: MarkSeries;
  /** Frames on the deferred list from then on. */
  readonly held: MarkSeries;
}

/** Single events of a replay; table frees are in `ReplayResult.frees`. */
export interface ReplayMarks {
  /** What the kernel did: `kinds[i]` at `ns[i]` is an index in `names`. */
  readonly kernel: {
    /** Names of the kinds. */
    readonly names: readonly MarkKind[];
    /** When, ns. */
    readonly ns: readonly number[];
    /** What, as an index in `names`. */
    readonly kinds: readonly number[];
  };
  /** One per policy, in the order of `ReplayResult.policies`. */
  readonly policies: readonly PolicyMarks[];
  /** All events up to this time are there, ns; of later ones only the timeline tells. */
  readonly untilNs: number;
}

class Series implements MarkSeries {
  readonly ns: number[] = [];
  readonly count: number[] = [];

  /** Of the same time there is one. */
  add(ns: number, count: number): void {
    const last = this.ns.length - 1;
    if (last >= 0 && this.ns[last] === ns) this.count[last] = this.count[last]! + count;
    else {
      this.ns.push(ns);
      this.count.push(count);
    }
  }
}

/** Collects {@link ReplayMarks}. */
export class MarkBuilder {
  readonly #kernel = { names: markKinds, ns: [] as number[], kinds: [] as number[] };
  readonly #policies: { invalidations: Series; hazards: Series; held: Series }[];
  readonly #sample: () => readonly PolicySample[];
  readonly #last: PolicySample[];
  #until = Number.POSITIVE_INFINITY;

  /** @param sample brings all machines up to date and says what each has done */
  constructor(policies: number, sample: () => readonly PolicySample[]) {
    const make = () => ({ invalidations: new Series(), hazards: new Series(), held: new Series() });
    this.#policies = Array.from({ length: policies }, make);
    this.#last = Array.from({ length: policies }, () => [0, 0, 0, 0]);
    this.#sample = sample;
  }

  /** Something was put into the program at this time. */
  at(kind: MarkKind, ns: number): void {
    if (ns > this.#until) return;
    if (this.#kernel.ns.length >= MAX_MARKS) {
      this.#until = ns;
      return;
    }
    this.#kernel.ns.push(ns);
    this.#kernel.kinds.push(markKinds.indexOf(kind));
    for (const [i, sample] of this.#sample().entries()) {
      const [invalidations, , , held] = this.#last[i]!;
      if (sample[0] !== invalidations) this.#policies[i]!.invalidations.add(ns, sample[0] - invalidations);
      if (sample[3] !== held) {
        this.#policies[i]!.held.ns.push(ns);
        this.#policies[i]!.held.count.push(sample[3]);
      }
      this.#last[i] = sample;
    }
  }

  /** A walk or hit under a policy. */
  hazard(policy: number, ns: number): void {
    const { hazards } = this.#policies[policy]!;
    if (ns > this.#until) return;
    if (hazards.ns.length >= MAX_MARKS && ns !== hazards.ns.at(-1)) this.#until = ns;
    else hazards.add(ns, 1);
  }

  /** @param end when the trace ends, ns */
  build(end: number): ReplayMarks {
    const untilNs = Math.min(this.#until, end);
    return { kernel: this.#kernel, policies: this.#policies, untilNs };
  }
}

/**
 * Marks of parts that have the same kernel and different policies, as of one: what a part has behind the end of another goes.
 * @param policies those of all parts, in their order
 */
export function joinMarks(parts: readonly ReplayMarks[], policies: readonly PolicyMarks[]): ReplayMarks {
  const untilNs = Math.min(...parts.map((part) => part.untilNs));
  const kept = (ns: readonly number[]): number => {
    const end = ns.findIndex((at) => at > untilNs);
    return end < 0 ? ns.length : end;
  };
  const cut = ({ ns, count }: MarkSeries): MarkSeries => ({
    ns: ns.slice(0, kept(ns)),
    count: count.slice(0, kept(ns)),
  });
  const { kernel } = parts[0]!;
  const end = kept(kernel.ns);
  return {
    kernel: { names: kernel.names, ns: kernel.ns.slice(0, end), kinds: kernel.kinds.slice(0, end) },
    policies: policies.map(({ invalidations, hazards, held }) => ({
      invalidations: cut(invalidations),
      hazards: cut(hazards),
      held: cut(held),
    })),
    untilNs,
  };
}
