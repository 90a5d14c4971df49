// The states of a cell, by both hashes of their forms, and how each was reached: the state before and what was done there. A table with
// open addressing; everything else in columns that grow.

import { HASH_WORDS } from "./hash.js";

type Column = Uint8Array | Uint16Array | Int32Array | Uint32Array;
const FIRST_ROOM = 1 << 12;

/** In place of the state before: the cell begins here. */
export const NOBODY = -1;

/** Columns of a state; `hash` has four words each. */
export class Nodes {
  hash = new Uint32Array(FIRST_ROOM * HASH_WORDS);
  /** State before, and the number of what was done there. */
  parent = new Int32Array(FIRST_ROOM);
  edge = new Uint8Array(FIRST_ROOM);
  /** Moves that it took to get here. */
  moves = new Uint8Array(FIRST_ROOM);
  /** The point where the program stands, counted from its begin, and the first of the operation under way. */
  point = new Uint16Array(FIRST_ROOM);
  first = new Uint16Array(FIRST_ROOM);
  /** The operation under way, and what has been done already (explore.ts). */
  operation = new Uint8Array(FIRST_ROOM);
  flags = new Uint8Array(FIRST_ROOM);
  /** Number of what the operation under way has found when it began. */
  origin = new Int32Array(FIRST_ROOM);
  size = 0;
  private table = new Int32Array(4 * FIRST_ROOM).fill(NOBODY);

  /** The number of the state with the hashes that stand at `at` of a list; -1 - number if it has not been there. */
  find(hashes: Uint32Array, at = 0): number {
    const mask = this.table.length - 1;
    for (let place = (hashes[at] as number) & mask; ; place = (place + 1) & mask) {
      const node = this.table[place] as number;
      if (node === NOBODY) {
        this.put(hashes, at, place);
        return -this.size;
      }
      const own = node * HASH_WORDS;
      if (
        this.hash[own] === hashes[at] &&
        this.hash[own + 1] === hashes[at + 1] &&
        this.hash[own + 2] === hashes[at + 2] &&
        this.hash[own + 3] === hashes[at + 3]
      ) {
        return node;
      }
    }
  }

  private put(hashes: Uint32Array, at: number, place: number): void {
    if (this.size === this.parent.length) this.grow();
    const node = this.size++;
    for (let i = 0; i < HASH_WORDS; i++) this.hash[node * HASH_WORDS + i] = hashes[at + i] as number;
    this.table[place] = node;
    if (this.size * 2 > this.table.length) this.spread();
  }

  private grow(): void {
    this.hash = twice(this.hash);
    this.parent = twice(this.parent);
    this.edge = twice(this.edge);
    this.moves = twice(this.moves);
    this.point = twice(this.point);
    this.first = twice(this.first);
    this.operation = twice(this.operation);
    this.flags = twice(this.flags);
    this.origin = twice(this.origin);
  }

  private spread(): void {
    const table = new Int32Array(this.table.length * 2).fill(NOBODY);
    const mask = table.length - 1;
    for (let node = 0; node < this.size; node++) {
      let place = (this.hash[node * HASH_WORDS] as number) & mask;
      while (table[place] !== NOBODY) place = (place + 1) & mask;
      table[place] = node;
    }
    this.table = table;
  }
}

function twice<T extends Column>(column: T): T {
  const longer = new (column.constructor as new (length: number) => T)(column.length * 2);
  longer.set(column as never);
  return longer;
}
