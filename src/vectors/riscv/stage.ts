// Where a RISC-V vector is played: a machine of its paging mode with its tables, and two harts, one bare, one with caches.
// Machines are kept from vector to vector; their frame stores only fill up, so a full one is replaced.

import type { WasmModule } from "../../engine/wasm-module.js";
import { type RiscvHart, RiscvMachine } from "./machine.js";
import { RISCV_LEVELS, RISCV_RAM, type RiscvVector } from "./vector.js";

/** Frames of one machine, 4 KiB each. */
const TABLES = 1024;
const CACHE = { entries: 4, ways: 4 };
const CACHES = { l1: CACHE, l2: { entries: 8, ways: 4 }, psc: CACHE };
/** Tables that one vector can need: those listed, and an empty one that its last pointer leads to. */
const MOST_TABLES = 6;

/** A vector's tables in place. */
export interface RiscvScene {
  /** A hart without caches, and one with. */
  bare: RiscvHart;
  cached: RiscvHart;
  /** Views of the tables, in the order of the vector's entries; a table that serves twice comes twice. */
  views: BigUint64Array[];
}

/** Machines by paging mode. */
export class RiscvStage {
  readonly #machines = new Map<string, { machine: RiscvMachine; bare: RiscvHart; cached: RiscvHart }>();
  readonly #module: WasmModule;

  constructor(module: WasmModule) {
    this.#module = module;
  }

  /** Puts a vector's tables and controls in place. {@link clear} takes the entries out again. */
  set(vector: RiscvVector): RiscvScene {
    const { machine, bare, cached } = this.#machineFor(vector);
    const views = vector.tables.map(({ frame }) => {
      if (!machine.frames.has(frame)) machine.frames.setTable(frame);
      return machine.frames.view(frame) as BigUint64Array;
    });
    const scene = { bare, cached, views };
    this.reset(vector, scene);
    for (const hart of [bare, cached]) {
      hart.setControls(vector.controls);
      hart.setSatp(vector.root, 0);
    }
    cached.fence();
    // Memory that is not listed is zero: a table that a pointer leads to is there, and empty.
    const { outcome } = bare.explain(vector.virtualAddress, vector.access);
    if (outcome.kind === "access-fault" && outcome.frame >= RISCV_RAM.first && outcome.frame <= RISCV_RAM.last) {
      machine.frames.setTable(outcome.frame);
    }
    return scene;
  }

  /** Puts the entries back as they were before the access. */
  reset(vector: RiscvVector, { views }: RiscvScene): void {
    for (const [i, { index, before }] of vector.tables.entries()) (views[i] as BigUint64Array)[index] = before;
  }

  /** Makes the slots of a vector zero again, so that the next one finds only its own entries. */
  clear(vector: RiscvVector, { views }: RiscvScene): void {
    for (const [i, { index }] of vector.tables.entries()) (views[i] as BigUint64Array)[index] = 0n;
  }

  #machineFor({ mode }: RiscvVector): { machine: RiscvMachine; bare: RiscvHart; cached: RiscvHart } {
    const known = this.#machines.get(mode);
    if (known && known.machine.frames.size + MOST_TABLES <= known.machine.frames.capacity) return known;
    const machine = new RiscvMachine(this.#module, RISCV_LEVELS[mode], TABLES);
    const made = { machine, bare: machine.addHart(), cached: machine.addHart(CACHES) };
    this.#machines.set(mode, made);
    return made;
  }
}
