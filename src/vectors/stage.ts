// Where a vector is played: a walker of its paging mode with its tables. Walkers are kept from vector to vector, since
// making one costs more than a thousand walks; their frame stores only fill up, so a full one is replaced.

import type { EngineOptions } from "../engine/instance.js";
import { createWalker } from "../hardware/make-walker.js";
import type { Walker } from "../hardware/walker.js";
import type { WalkVector } from "./vector.js";

/** Frames of one walker, 4 KiB each. */
const TABLES = 1024;

/** A vector's tables in place. */
export interface Scene {
  walker: Walker;
  /** Views of the tables, in the order of the vector's entries; a table that serves twice comes twice. */
  views: BigUint64Array[];
}

/** Walkers by paging mode. */
export class Stage {
  readonly #walkers = new Map<string, Walker>();
  readonly #options: EngineOptions;

  constructor(options: EngineOptions = {}) {
    this.#options = options;
  }

  /** Puts a vector's tables and controls in place. {@link clear} takes the entries out again. */
  async set(vector: WalkVector): Promise<Scene> {
    const walker = await this.#walkerFor(vector);
    walker.setControls({ ...vector.controls, pcide: false });
    walker.setRoot(BigInt(vector.root) << 12n);
    const views = vector.tables.map(({ frame, index, before }) => {
      if (!walker.frames.has(frame)) walker.setTable(frame);
      const view = walker.frames.view(frame)!;
      view[index] = before;
      return view;
    });
    return { walker, views };
  }

  /** Makes the slots of a vector zero again, so that the next one finds only its own entries. */
  clear(vector: WalkVector, { views }: Scene): void {
    for (const [i, { index }] of vector.tables.entries()) views[i]![index] = 0n;
  }

  async #walkerFor({ levels, maxPhyAddr, tables }: WalkVector): Promise<Walker> {
    const mode = `${levels} ${maxPhyAddr}`;
    const known = this.#walkers.get(mode);
    if (known && known.frames.size + tables.length <= known.frames.capacity) return known;
    const walker = await createWalker({ levels, maxPhyAddr, tables: TABLES, ...this.#options });
    this.#walkers.set(mode, walker);
    return walker;
  }
}
