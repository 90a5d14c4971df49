// Points of operations (rules.md section 13): places at which operations of other agents are interleaved. Each has a name, and
// tells what it is about.

/** An operation that plays at a point. Points are counted from 0 in the order in which they are reached. */
export interface Interleaved<T> {
  point: number;
  operation: T;
}

/** A point that was reached: its name, and the address, frame or number that it tells. */
export interface Reached {
  name: string;
  at: bigint;
  /** How many interleaved operations play at the point's place, one inside the other. */
  nested: number;
}

const MAX_NESTED = 8;

/** Counts the points of a program and plays what is interleaved at them. */
export class Points<T> {
  /** Points reached so far. */
  reached = 0;
  /** Those reached since the last look. */
  trail: Reached[] = [];
  #interleaved: readonly Interleaved<T>[] = [];
  #play: (operation: T) => void = () => {};
  /** How many interleaved operations play inside each other. */
  #nested = 0;

  /** What is interleaved, in its order for each point, and how it is played. */
  carry(interleaved: readonly Interleaved<T>[], play: (operation: T) => void): void {
    this.#interleaved = interleaved;
    this.#play = play;
  }

  /** A point is reached: play what is interleaved there. The eighth of operations inside each other reaches none. */
  reach(name: string, at: bigint | number = 0n): void {
    if (this.#nested === MAX_NESTED) return;
    this.trail.push({ name, at: BigInt(at), nested: this.#nested });
    const point = this.reached;
    this.reached += 1;
    this.#nested += 1;
    for (const it of this.#interleaved) if (it.point === point) this.#play(it.operation);
    this.#nested -= 1;
  }
}
