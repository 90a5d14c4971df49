// Points of operations (rules.md section 13): places at which operations of other agents are interleaved.

/** An operation that plays at a point. Points are counted from 0 in the order in which they are reached. */
export interface Interleaved<T> {
  point: number;
  operation: T;
}

/** Counts the points of a program and plays what is interleaved at them. */
export class Points<T> {
  /** Points reached so far. */
  reached = 0;
  #interleaved: readonly Interleaved<T>[] = [];
  #play: (operation: T) => void = () => {};
  #inside = false;

  /** What is interleaved, in its order for each point, and how it is played. */
  carry(interleaved: readonly Interleaved<T>[], play: (operation: T) => void): void {
    this.#interleaved = interleaved;
    this.#play = play;
  }

  /** A point is reached: play what is interleaved there. An interleaved operation reaches none. */
  reach(): void {
    if (this.#inside) return;
    const point = this.reached;
    this.reached += 1;
    this.#inside = true;
    for (const it of this.#interleaved) if (it.point === point) this.#play(it.operation);
    this.#inside = false;
  }
}
