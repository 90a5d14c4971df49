// Walks under way (rules.md section 14): translations that stopped before a step, and go on when they are told to.

import type { Access } from "./access.js";
import type { Agent } from "./agent.js";
import { type CachedLeaf, type Outcome, type Pause, type TableRead, translatedBits } from "./walk.js";

/** Which walks an invalidation waits for. */
export type Drain = "all" | "page" | "none";

/** Who is told what an agent does: the detection of hazards (rules.md section 12). */
export interface Watch {
  /** A walk begins; who is told of what it reads and writes. */
  walks(tag: number, address: bigint, access: Access): WatchedWalk;
  /** A cached translation was hit and allows the access. */
  hit(tag: number, address: bigint, access: Access, leaf: CachedLeaf): void;
}

/** Who is told of one walk. */
export interface WatchedWalk {
  /** An entry of a table is about to be read, or A or D set in it. */
  read(table: TableRead): void;
  marked(table: TableRead): void;
  /** The walk has completed: it translated. */
  completed(): void;
}

/** Translated bits of addresses, [start, end). */
export interface Pages {
  start: bigint;
  end: bigint;
}

/** Which walks an invalidation names: `tag` undefined means any, `pages` undefined that it names none. */
export interface Whose {
  tag?: number;
  pages?: Pages;
  /** Only those of this device's requests. */
  device?: number;
}

/** An invalidation of an agent waits for walks (rule 14.12). */
export function waitFor(agent: Agent, { tag, pages, device }: Whose): void {
  const { drain, cpu } = agent.options;
  if (drain === "none") return;
  const inOrder = [...agent.underWay].sort((a, b) => a.number - b.number);
  for (const walk of inOrder) {
    if (device !== undefined && walk.device !== device) continue;
    if (tag !== undefined && !cpu && walk.tag !== tag) continue;
    const page = translatedBits(walk.address, agent.parameters);
    if (drain === "page" && pages && (page < pages.start || page >= pages.end)) continue;
    walk.finish();
  }
}

/** Walks under way at once. */
export const MAX_WALKS = 2;

/** Who began a walk, and for what. */
export interface Begun {
  agent: Agent;
  tag: number;
  address: bigint;
  /** Device with a TLB that asked, if it was one. */
  device: number | undefined;
  steps: Generator<Pause, Outcome, void>;
}

/** A walk that is under way until it has ended. */
export class UnderWay {
  readonly tag: number;
  readonly address: bigint;
  readonly device: number | undefined;
  readonly #agent: Agent;
  readonly #steps: Generator<Pause, Outcome, void>;
  /** Where it stands. */
  pause: Pause;

  constructor(
    readonly number: number,
    { agent, tag, address, device, steps }: Begun,
    first: Pause,
    private readonly onEnd: () => void,
  ) {
    this.tag = tag;
    this.address = address;
    this.device = device;
    this.#agent = agent;
    this.#steps = steps;
    this.pause = first;
    agent.underWay.add(this);
  }

  /** One step. */
  step(): Outcome {
    const { done, value } = this.#steps.next();
    if (!done) {
      this.pause = value;
      return { kind: "under-way", level: value.level };
    }
    this.#agent.underWay.delete(this);
    this.onEnd();
    return value;
  }

  /** All steps that are left. */
  finish(): Outcome {
    for (;;) {
      const outcome = this.step();
      if (outcome.kind !== "under-way") return outcome;
    }
  }
}

/** The walks of a machine by number. */
export class Walks {
  readonly underWay: (UnderWay | undefined)[] = Array.from({ length: MAX_WALKS }, () => undefined);

  /** Begin a walk; `begun` is only asked for one if the number is free. Undefined: it is not. */
  begin(number: number, begun: () => Begun): Outcome | undefined {
    if (this.underWay[number] !== undefined) return undefined;
    const it = begun();
    const first = it.steps.next();
    if (first.done) return first.value;
    if (it.agent.options.walks === "atomic") {
      for (;;) {
        const { done, value } = it.steps.next();
        if (done) return value;
      }
    }
    this.underWay[number] = new UnderWay(number, it, first.value, () => {
      this.underWay[number] = undefined;
    });
    return { kind: "under-way", level: first.value.level };
  }

  /** One step; undefined if no walk of the number is under way. */
  step(number: number): Outcome | undefined {
    return this.underWay[number]?.step();
  }

  /** The steps that are left; undefined as above. */
  finish(number: number): Outcome | undefined {
    return this.underWay[number]?.finish();
  }

  /** Where each walk stands. */
  dump(): ({ address: bigint; pause: Pause } | undefined)[] {
    return this.underWay.map((walk) => walk && { address: walk.address, pause: walk.pause });
  }
}
