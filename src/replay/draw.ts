// Seeded draws for synthetic workloads. Only IEEE additions, multiplications and comparisons: the same on every machine.

/** The next of a xorshift generator's states, 32 bits; 0 has no way out. */
export function xorshift(state: number): number {
  let x = state;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x >>> 0;
}

/** A generator of its own. */
export class Draw {
  #state: number;

  /** @param seed 32 bits */
  constructor(seed: number) {
    // The first steps spread seeds that lie close together.
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.#next();
  }

  #next(): number {
    this.#state = xorshift(this.#state);
    return this.#state;
  }

  /** A number from 0 to below 1. */
  share(): number {
    return this.#next() / 4294967296;
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.share() * count);
  }

  /** One of a list. */
  of(values: readonly number[]): number {
    return values[this.below(values.length)]!;
  }
}
