// The engine behind RISC-V's format: tables in memory, and harts that walk them, with caches or without. Small on purpose: what
// checks need, not an API. The engine's module is the caller's (scripts/build-riscv.mjs); the shipped one is x86-64's.

import type { Pointer } from "../../engine/exports.js";
import { Engine } from "../../engine/instance.js";
import type { WasmModule } from "../../engine/wasm-module.js";
import { type CacheCounters, readCacheCounters } from "../../hardware/cache.js";
import { Frames } from "../../paging/frames.js";
import {
  accessCode,
  NO_CONTROLS,
  type RiscvAccess,
  type RiscvOutcome,
  riscvControlBits,
  unpackRiscvOutcome,
} from "./outcome.js";
import type { RiscvControls } from "./vector.js";

/** A cache of a hart, LRU. */
export interface HartCache {
  entries: number;
  ways: number;
}

/** Caches of a hart: one l1 and one l2 for pages of every size, and paging-structure caches of levels 2 to 5. */
export interface HartCaches {
  l1: HartCache;
  l2: HartCache;
  psc: HartCache;
}

/** One entry that a walk read. */
export interface RiscvStep {
  level: number;
  frame: number;
  entry: bigint;
}

/** Levels 1 to 5, as a bit set: leaves of every size. */
const EVERY_LEAF = 0b11_1110;
const PAGING_STRUCTURE = 1;
const IS_CPU = 1;
const LRU = 0;
const NO_FEATURE = 0;
/** INVPCID types, which the fences by ASID are. */
const BY_ADDRESS = 0;
const BY_ASID = 1;

/** Tables and harts. */
export class RiscvMachine {
  readonly frames: Frames;
  readonly #engine: Engine;
  readonly #levels: number;
  #harts = 0;

  /**
   * @param levels 3, 4 or 5: Sv39, Sv48, Sv57
   * @param tables capacity in frames
   */
  constructor(module: WasmModule, levels: 3 | 4 | 5, tables: number) {
    this.#engine = new Engine(module);
    this.#levels = levels;
    this.#engine.exports.setPagingMode(levels, NO_FEATURE, false);
    this.frames = new Frames(this.#engine, tables);
  }

  /** A hart; its caches hold translations of ASIDs below `asids`. */
  addHart(caches?: HartCaches, asids = 1): RiscvHart {
    const engine = this.#engine;
    const { exports } = engine;
    const agent = engine.made(exports.createAgent(this.#harts++, IS_CPU, asids, asids), "hart");
    const make = ({ entries, ways }: HartCache, levels: number, span: number): Pointer => {
      const group = levels === PAGING_STRUCTURE ? exports.pathsOf(agent) : exports.leavesOf(agent);
      return engine.made(exports.createCache(group, entries / ways, ways, levels, span, LRU), "cache");
    };
    const made: Pointer[] = [];
    if (caches) {
      const [l1, l2] = [make(caches.l1, EVERY_LEAF, 0), make(caches.l2, EVERY_LEAF, 0)];
      exports.addTranslationCache(agent, 1, l1);
      exports.addTranslationCache(agent, 2, l2);
      made.push(l1, l2);
      for (let level = 2; level <= this.#levels; level++) {
        const psc = make(caches.psc, PAGING_STRUCTURE, 9 * level + 3);
        exports.setPagingStructureCache(agent, level, psc);
        made.push(psc);
      }
    }
    const context = engine.made(exports.createContext(agent, 0), "context");
    exports.setControls(context, NO_CONTROLS, 0);
    return new RiscvHart(engine, context, made);
  }
}

/** A hart. */
export class RiscvHart {
  readonly #engine: Engine;
  readonly #context: Pointer;
  readonly #caches: readonly Pointer[];

  /** @internal */
  constructor(engine: Engine, context: Pointer, caches: readonly Pointer[]) {
    this.#engine = engine;
    this.#context = context;
    this.#caches = caches;
  }

  setControls(controls: RiscvControls): void {
    this.#engine.exports.setControls(this.#context, riscvControlBits(controls), 0);
  }

  /** `satp`: frame number of the root table, and ASID. Drops nothing. */
  setSatp(root: number, asid: number): void {
    this.#engine.exports.setContextRoot(this.#context, BigInt(root));
    this.#engine.exports.setContextTag(this.#context, asid);
  }

  /** Translates; A and D of the leaf are set, caches filled. */
  translate(va: bigint, access: RiscvAccess): RiscvOutcome {
    return unpackRiscvOutcome(this.#engine.exports.translate(this.#context, va, accessCode(access)), access);
  }

  /** What `translate` would answer now, without side effects. */
  probe(va: bigint, access: RiscvAccess): RiscvOutcome {
    return unpackRiscvOutcome(this.#engine.exports.probe(this.#context, va, accessCode(access)), access);
  }

  /** What the tables say, whatever is cached, and the entries read on the way. */
  explain(va: bigint, access: RiscvAccess): { outcome: RiscvOutcome; chain: RiscvStep[] } {
    const { exports } = this.#engine;
    const outcome = unpackRiscvOutcome(exports.explain(this.#context, va, accessCode(access)), access);
    const words = this.#engine.words(exports.CHAIN.value, exports.chainLength.value * 2);
    const chain: RiscvStep[] = [];
    for (let i = 0; i < words.length; i += 2) {
      const place = words[i + 1] as bigint;
      chain.push({ level: Number(place & 7n), frame: Number(place >> 12n), entry: words[i] as bigint });
    }
    return { outcome, chain };
  }

  /** SFENCE.VMA x0, x0. */
  fence(): void {
    this.#engine.exports.flushEverything(this.#context);
  }

  /** SFENCE.VMA x0, asid: global translations stay. */
  fenceAsid(asid: number): void {
    this.#engine.exports.invpcid(this.#context, BY_ASID, asid, 0n);
  }

  /** SFENCE.VMA va, asid: global translations stay. */
  fenceAddress(va: bigint, asid: number): void {
    this.#engine.exports.invpcid(this.#context, BY_ADDRESS, asid, va);
  }

  /** Counters of its caches: l1, l2, then the paging-structure caches from level 2 up. */
  get counters(): CacheCounters[] {
    return this.#caches.map((cache) => readCacheCounters(this.#engine, cache));
  }
}
