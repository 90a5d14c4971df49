// Agents: what CPUs and IOMMUs have in common, caches and counters.

import { InvalidOptionError } from "../base/errors.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import { Cache } from "./cache.js";
import type { Scratch } from "./context.js";
import { type AgentGeometry, cacheShape, listShapes } from "./geometry.js";

/** Counters of an agent since it was made. */
export interface AgentCounters {
  /** Requests. */
  translations: number;
  /** Faults and non-canonical addresses. */
  faults: number;
  /** Walks begun, for want of a cached translation. */
  walks: number;
  /** Entries that walks read from tables. */
  entryReads: number;
  /** Entries that walks wrote back to set A or D. */
  adWrites: number;
  /** Invalidation operations received. */
  invalidations: number;
}

/** What every part of a machine is built with. @internal */
export interface Workshop {
  engine: Engine;
  levels: 4 | 5;
  /** Memory for dumps of caches. */
  scratch: Scratch;
  nextAgent: number;
}

/** A translation agent: a walker with caches over the machine's frames. */
export abstract class Agent {
  /** Translation caches looked up first. */
  readonly l1: readonly Cache[];
  /** Translation caches looked up after l1. */
  readonly l2: readonly Cache[];
  /** Paging-structure caches by level. */
  readonly psc: ReadonlyMap<number, Cache>;
  /** @internal */
  protected readonly pointer: Pointer;
  /** @internal */
  protected readonly engine: Engine;
  /** @internal */
  protected readonly scratch: Scratch;

  /** @internal */
  constructor(workshop: Workshop, geometry: AgentGeometry, field: string, tags: number, flags: number) {
    this.engine = workshop.engine;
    this.scratch = workshop.scratch;
    const { exports } = this.engine;
    this.pointer = this.engine.made(exports.createAgent(workshop.nextAgent++, flags), field);
    const list = (which: 1 | 2): Cache[] => {
      const name = which === 1 ? "l1" : "l2";
      return listShapes(geometry[name], `${field}.${name}`, name).map((shape) => {
        const cache = makeCache(workshop, shape, `${field}.${name}`, 0, tags);
        exports.addTranslationCache(this.pointer, which, cache.pointer);
        return cache;
      });
    };
    this.l1 = list(1);
    this.l2 = list(2);
    const psc = new Map<number, Cache>();
    for (const [key, shape] of Object.entries(geometry.psc ?? {})) {
      const level = Number(key);
      if (!(level >= 2 && level <= 5)) throw new InvalidOptionError(`${field}.psc`, key, "levels 2 to 5");
      const checked = cacheShape(shape, `${field}.psc[${level}]`, `psc${level}`, true);
      if (!checked || level > workshop.levels) continue;
      const cache = makeCache(workshop, checked, `${field}.psc[${level}]`, 9 * level + 3, tags);
      exports.setPagingStructureCache(this.pointer, level, cache.pointer);
      psc.set(level, cache);
    }
    this.psc = psc;
  }

  /** Every cache of the agent: l1, l2, then paging-structure caches by level. */
  get caches(): Cache[] {
    return [...this.l1, ...this.l2, ...this.psc.values()];
  }

  /** Counters since the agent was made. */
  get counters(): AgentCounters {
    const counter = (which: number): number => Number(this.engine.exports.agentCounter(this.pointer, which));
    return {
      translations: counter(0),
      faults: counter(1),
      walks: counter(2),
      entryReads: counter(3),
      adWrites: counter(4),
      invalidations: counter(5),
    };
  }
}

/** Makes a cache in the engine. @internal */
export function makeCache(
  { engine, scratch }: Workshop,
  shape: NonNullable<ReturnType<typeof cacheShape>>,
  field: string,
  span: number,
  tags: number,
): Cache {
  const pointer = engine.exports.createCache(shape.sets, shape.ways, shape.levels, span, shape.replacement, tags);
  return new Cache(engine, scratch, engine.made(pointer, field), shape.name, shape, span);
}
