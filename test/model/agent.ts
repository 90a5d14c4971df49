// A translation agent (rules.md sections 4 to 6): an L1 list and an L2 list of translation caches, one paging-structure
// cache per level, and a walker over the shared memory. CPUs and IOMMUs are agents with other options.

import { type Access, type Controls, protectionError, refusal } from "./access.js";
import type { AgentConfig, AgentOptions, Context, PageSize, TranslationCacheConfig } from "./agent-config.js";
import { Cache, type CacheDump, type CacheEntry, type Owner, type Way } from "./cache.js";
import {
  ACCESSED,
  DIRTY,
  EXECUTE_DISABLE,
  frameOf,
  GLOBAL,
  type Level,
  levelShift,
  PRESENT,
  USER,
  WRITABLE,
} from "./entry.js";
import type { Memory } from "./memory.js";
import {
  type CachedLeaf,
  isCanonical,
  type MachineParameters,
  type Outcome,
  type Pause,
  physicalAddress,
  rootStart,
  translatedBits,
  type WalkResult,
  type WalkStart,
  type WalkStep,
  walk,
  walkInSteps,
} from "./walk.js";
import { type UnderWay, type Watch, type Whose, waitFor } from "./walks.js";

/** Counters of an agent besides those of its caches. */
export interface AgentCounters {
  translations: number;
  /** Faults and non-canonical addresses of non-speculative accesses. */
  faults: number;
  walks: number;
  entryReads: number;
  adWrites: number;
}

/** An outcome, and the cached form of the leaf if there is one. */
export interface Translation {
  outcome: Outcome;
  leaf: CachedLeaf | undefined;
}

/** Content of all caches of an agent. */
export interface AgentDump {
  counters: AgentCounters;
  l1: CacheDump[];
  l2: CacheDump[];
  psc: Partial<Record<Level, CacheDump>>;
}

const PAGE_SHIFT: Readonly<Record<PageSize, number>> = { "4K": 12, "2M": 21, "1G": 30 };
const PSC_LEVELS = [2, 3, 4, 5] as const;

/** A translation cache as configured. */
export function createTranslationCache(config: TranslationCacheConfig): Cache {
  return new Cache(
    config,
    config.pageSizes.map((size) => PAGE_SHIFT[size]),
  );
}

/** The leaf that a way of a translation cache holds. */
export function leafOf(way: Way): CachedLeaf {
  return { level: ((way.pageShift - 12) / 9 + 1) as 1 | 2 | 3, data: way.data };
}

/** Whether a cached leaf serves for an access: a write needs D, unless its rights refuse it anyway. */
export function lacksDirty(access: Access, data: bigint, controls: Controls): boolean {
  const marks = access.type === "write" || (access.orWrite === true && (data & WRITABLE) !== 0n);
  return marks && (data & DIRTY) === 0n && refusal(access, data, controls) === undefined;
}

/** The outcome of a hit: the rights are checked again. */
export function outcomeOfHit(leaf: CachedLeaf, address: bigint, access: Access, controls: Controls): Outcome {
  const reason = refusal(access, leaf.data, controls);
  if (reason === undefined) {
    return { kind: "ok", physicalAddress: physicalAddress(leaf, address), level: leaf.level };
  }
  return { kind: "fault", reason, errorCode: protectionError(access, leaf.data, controls), level: leaf.level };
}

/** Whom translations belong to: the device is part of it on an IOMMU. */
function leafOwner({ tag, device, domain }: Context): Owner {
  return device === undefined || domain === undefined ? { tag } : { tag, device, domain };
}

/** Whom paging-structure-cache entries belong to: all devices share them. */
function pathOwner({ tag, domain }: Context): Owner {
  return domain === undefined ? { tag } : { tag, domain };
}

/** A translation agent. */
export class Agent {
  /** Told of walks and hits, if set. */
  watch: Watch | undefined;
  readonly counters: AgentCounters = { translations: 0, faults: 0, walks: 0, entryReads: 0, adWrites: 0 };
  readonly l1: readonly Cache[];
  readonly l2: readonly Cache[];
  /** Walks that are under way. */
  readonly underWay = new Set<UnderWay>();
  /** From level 2 upwards, those that exist. */
  readonly psc: readonly { level: Level; cache: Cache }[];

  /** @throws RangeError if a page size is held twice in a list, or a paging-structure cache is above the root */
  constructor(
    readonly memory: Memory,
    readonly parameters: MachineParameters,
    config: AgentConfig,
    readonly options: AgentOptions,
  ) {
    for (const [name, list] of Object.entries({ l1: config.l1, l2: config.l2 })) {
      const sizes = list.flatMap((cache) => cache.pageSizes);
      if (new Set(sizes).size < sizes.length) {
        throw new RangeError(
          `${name} holds ${sizes.join(", ")}: expected each page size in at most one cache of a list`,
        );
      }
    }
    this.l1 = config.l1.map(createTranslationCache);
    this.l2 = config.l2.map(createTranslationCache);
    this.psc = PSC_LEVELS.flatMap((level) => {
      const geometry = config.psc[level];
      if (geometry === undefined) return [];
      if (level > parameters.levels) throw new RangeError(`psc level ${level}: expected at most ${parameters.levels}`);
      return [{ level, cache: new Cache(geometry, [levelShift(level)]) }];
    });
  }

  /** Translate: caches, then a walk; fills, write-backs, counters and (on a CPU) what a fault drops. It pauses as the walk does. */
  *translate(context: Context, address: bigint, access: Access): Generator<Pause, Translation, void> {
    this.counters.translations += 1;
    const translation = isCanonical(address, this.parameters)
      ? (this.#lookUp(context, address, access) ?? (yield* this.#walkAndFill(context, address, access)))
      : { outcome: { kind: "non-canonical" as const }, leaf: undefined };
    const { kind } = translation.outcome;
    if ((kind === "fault" || kind === "non-canonical") && !access.speculative) this.counters.faults += 1;
    if (kind === "fault" && !access.speculative && this.options.cpu) {
      this.dropAddress(address, context.tag, { globals: true });
      this.dropPath(address, context.tag);
    }
    return translation;
  }

  /** Count a translation that a fault ends before any cache is looked up. */
  refuse(outcome: Outcome, access: Access): Outcome {
    this.counters.translations += 1;
    if (!access.speculative) this.counters.faults += 1;
    return outcome;
  }

  /** What the tables say, by a walk from the root without caches and without side effects. */
  probe(context: Context, address: bigint, access: Access): Outcome {
    return this.explain(context, address, access)?.outcome ?? { kind: "non-canonical" };
  }

  /** A probe with its whole chain of entries; undefined if the address is not canonical. */
  explain(context: Context, address: bigint, access: Access): WalkResult | undefined {
    if (!isCanonical(address, this.parameters)) return undefined;
    return walk(this.memory, this.parameters, rootStart(context.root, this.parameters), address, access, {
      controls: context.controls,
      supervisorEntries: this.options.supervisorEntries,
      vendor: this.options.vendor,
      writeBack: false,
      refusesInterrupts: this.options.refusesInterrupts,
    });
  }

  /** The first match in the L1 list, then in the L2 list; a match ends the search with a completion or a fault. */
  #lookUp(context: Context, address: bigint, access: Access): Translation | undefined {
    const translated = translatedBits(address, this.parameters);
    for (const list of [this.l1, this.l2]) {
      for (const cache of list) {
        if (!cache.enabled) continue;
        cache.counters.lookups += 1;
        const way = cache.match(translated, leafOwner(context));
        if (way === undefined || lacksDirty(access, way.data, context.controls)) continue;
        cache.hit(way);
        const leaf = leafOf(way);
        const outcome = outcomeOfHit(leaf, address, access, context.controls);
        if (outcome.kind === "ok") this.watch?.hit(context.tag, address, access, leaf);
        if (list === this.l2 && outcome.kind === "ok") {
          for (const first of this.l1) if (first.pageShifts.includes(way.pageShift)) first.fill(way);
        }
        return { outcome, leaf };
      }
    }
    return undefined;
  }

  *#walkAndFill(context: Context, address: bigint, access: Access): Generator<Pause, Translation, void> {
    this.counters.walks += 1;
    const start = this.#startOfWalk(context, address);
    const watched = this.watch?.walks(context.tag, address, access);
    const result = yield* walkInSteps(this.memory, this.parameters, start, address, access, {
      controls: context.controls,
      supervisorEntries: this.options.supervisorEntries,
      vendor: this.options.vendor,
      writeBack: true,
      refusesInterrupts: this.options.refusesInterrupts,
      listener: {
        read: (table) => {
          this.counters.entryReads += 1;
          watched?.read(table);
        },
        marked: (table) => {
          this.counters.adWrites += 1;
          watched?.marked(table);
        },
        passed: (step, below) => this.#fillPagingStructureCache(context, address, step, below),
      },
    });
    if (result.outcome.kind === "ok") watched?.completed();
    const cached = result.leaf ?? (this.options.cacheSupervisorLeaves ? result.refusedSupervisorLeaf : undefined);
    return { outcome: result.outcome, leaf: cached && this.#fillTranslationCaches(context, address, cached) };
  }

  #startOfWalk(context: Context, address: bigint): WalkStart {
    const translated = translatedBits(address, this.parameters);
    for (const { level, cache } of this.psc) {
      if (!cache.enabled) continue;
      cache.counters.lookups += 1;
      const way = cache.match(translated, pathOwner(context));
      if (way === undefined) continue;
      cache.hit(way);
      const rights = way.data & (WRITABLE | USER | EXECUTE_DISABLE);
      return { level: (level - 1) as Level, frame: frameOf(way.data), rights, generation: way.generation };
    }
    return rootStart(context.root, this.parameters);
  }

  #fillPagingStructureCache(context: Context, address: bigint, step: WalkStep, generation: number): void {
    const pageShift = levelShift(step.level);
    this.psc
      .find(({ level }) => level === step.level)
      ?.cache.fill({
        pageShift,
        pageNumber: translatedBits(address, this.parameters) >> BigInt(pageShift),
        ...pathOwner(context),
        data: (BigInt(frameOf(step.entry)) << 12n) | (step.passedWith ?? 0n) | PRESENT | ACCESSED,
        generation,
      });
  }

  /** An invalidation waits for walks of this agent (rule 14.12). */
  waitForWalks(whose: Whose): void {
    waitFor(this, whose);
  }

  /** Fill L2, then L1; returns the leaf as cached (G only if global). */
  #fillTranslationCaches(context: Context, address: bigint, leaf: CachedLeaf): CachedLeaf {
    const global = this.options.cpu && context.controls.pge && (leaf.data & GLOBAL) !== 0n;
    const data = global ? leaf.data : leaf.data & ~GLOBAL;
    const pageShift = levelShift(leaf.level);
    const pageNumber = translatedBits(address, this.parameters) >> BigInt(pageShift);
    for (const cache of [...this.l2, ...this.l1]) {
      if (!cache.pageShifts.includes(pageShift)) continue;
      const owner = global ? { tag: "global" as const } : leafOwner(context);
      cache.fill({ pageShift, pageNumber, ...owner, data, generation: 0 });
    }
    return { level: leaf.level, data };
  }

  /** Drop the translations of an address, every size, under a tag; the global ones too if asked. */
  dropAddress(address: bigint, tag: number, { globals }: { globals: boolean }): void {
    const translated = translatedBits(address, this.parameters);
    for (const cache of [...this.l1, ...this.l2]) {
      cache.invalidate(
        (entry) =>
          entry.pageNumber === translated >> BigInt(entry.pageShift) &&
          (entry.tag === tag || (globals && entry.tag === "global")),
      );
    }
  }

  /** Drop the paging-structure-cache entries for an address under a tag, at every level. */
  dropPath(address: bigint, tag: number): void {
    const translated = translatedBits(address, this.parameters);
    for (const { cache } of this.psc) {
      cache.invalidate((entry) => entry.tag === tag && entry.pageNumber === translated >> BigInt(entry.pageShift));
    }
  }

  /** Drop all paging-structure-cache entries, or those of one tag. */
  dropPagingStructures(tag?: number): void {
    for (const { cache } of this.psc) cache.invalidate((entry) => tag === undefined || entry.tag === tag);
  }

  /** Drop all of a tag but globals, paging-structure-cache entries included. */
  dropTag(tag: number): void {
    for (const cache of [...this.l1, ...this.l2]) cache.invalidate((entry) => entry.tag === tag);
    this.dropPagingStructures(tag);
  }

  /** Drop everything, or everything but globals. */
  dropAll({ globals }: { globals: boolean }): void {
    for (const cache of [...this.l1, ...this.l2]) cache.invalidate((entry) => globals || entry.tag !== "global");
    this.dropPagingStructures();
  }

  /** Mark cached translations as stale, or their rights. */
  markStale(names: (entry: CacheEntry) => boolean, mark: bigint): void {
    for (const cache of [...this.l1, ...this.l2]) cache.markStale(names, mark);
  }

  /** Content and counters of everything. */
  dump(): AgentDump {
    return {
      counters: { ...this.counters },
      l1: this.l1.map((cache) => cache.dump()),
      l2: this.l2.map((cache) => cache.dump()),
      psc: Object.fromEntries(this.psc.map(({ level, cache }) => [level, cache.dump()])),
    };
  }
}
