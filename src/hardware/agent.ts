// Agents: what CPUs and IOMMUs have in common, caches and counters.

import { type AgentCounterValues, agentCounters } from "../engine/abi.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import { readCounters } from "../engine/structures.js";
import { shiftOf } from "../paging/levels.js";
import { Cache, type TagReader } from "./cache.js";
import type { Scratch } from "./context.js";
import { type AgentGeometry, cacheShape, listShapes } from "./geometry.js";

/** Counters of an agent since it was made. */
export interface AgentCounters extends AgentCounterValues {}

/** What every part of a machine is built with. @internal */
export interface Workshop {
  engine: Engine;
  levels: 4 | 5;
  /** Memory for dumps of caches. */
  scratch: Scratch;
  nextAgent: number;
}

/** The tags of an agent's caches: how many, and what they stand for if they are not PCIDs. @internal */
export interface Tags {
  /** Of translation caches. */
  readonly leaves: number;
  /** Of paging-structure caches. */
  readonly paths: number;
  /** What a tag of translation caches stands for. */
  readonly readLeaf?: TagReader;
  /** What a tag of paging-structure caches stands for. */
  readonly readPath?: TagReader;
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
  readonly pointer: Pointer;
  /** @internal */
  protected readonly engine: Engine;
  /** @internal */
  protected readonly scratch: Scratch;

  /** @internal */
  constructor(workshop: Workshop, geometry: AgentGeometry, field: string, tags: Tags, flags: number) {
    this.engine = workshop.engine;
    this.scratch = workshop.scratch;
    const { exports } = this.engine;
    this.pointer = this.engine.made(exports.createAgent(workshop.nextAgent++, flags, tags.leaves, tags.paths), field);
    const leaves = exports.leavesOf(this.pointer);
    const paths = exports.pathsOf(this.pointer);
    const list = (which: 1 | 2): Cache[] => {
      const name = which === 1 ? "l1" : "l2";
      return listShapes(geometry[name] ?? [], `${field}.${name}`, name).map((shape) => {
        const cache = makeCache(workshop, leaves, shape, `${field}.${name}`, 0, tags.readLeaf);
        exports.addTranslationCache(this.pointer, which, cache.pointer);
        return cache;
      });
    };
    this.l1 = list(1);
    this.l2 = list(2);
    const psc = new Map<number, Cache>();
    for (const [key, shape] of Object.entries(geometry.psc ?? {})) {
      const level = Number(key);
      const checked = cacheShape(shape, `${field}.psc[${level}]`, `psc${level}`, true);
      if (!checked || level > workshop.levels) continue;
      const cache = makeCache(workshop, paths, checked, `${field}.psc[${level}]`, shiftOf(level), tags.readPath);
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
    return readCounters(agentCounters, (number) => this.engine.exports.agentCounter(this.pointer, number));
  }
}

/** Makes a cache in the engine, in a group of caches that are flushed together. @internal */
export function makeCache(
  { engine, scratch }: Workshop,
  group: Pointer,
  shape: NonNullable<ReturnType<typeof cacheShape>>,
  field: string,
  span: number,
  readTag?: TagReader,
): Cache {
  const pointer = engine.exports.createCache(group, shape.sets, shape.ways, shape.levels, span, shape.replacement);
  return new Cache(engine, scratch, engine.made(pointer, field), shape.name, shape, span, readTag);
}
