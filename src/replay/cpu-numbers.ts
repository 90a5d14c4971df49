// CPU numbers of a trace as numbers of modelled CPUs. A header counts the CPUs that are online, and their numbers may have
// gaps: so a CPU keeps its own number if there is room, and else gets the lowest one that is free.

/** Most CPUs that a machine has. */
export const MAX_CPUS = 256;

/** Gives each CPU of a trace one of the model's. */
export class CpuNumbers {
  /** Operations of CPUs for which there was none left. */
  shared = 0;
  readonly #numbers = new Map<number, number>();
  readonly #taken: Uint8Array;
  #left: number;

  /** @param cpus how many CPUs the model has */
  constructor(cpus: number) {
    this.#taken = new Uint8Array(cpus);
    this.#left = cpus;
  }

  /** The model's number of a CPU. */
  of(cpu: number): number {
    const known = this.#numbers.get(cpu);
    if (known !== undefined) return known;
    if (this.#left === 0) {
      this.shared++;
      return cpu % this.#taken.length;
    }
    const own = cpu < this.#taken.length && this.#taken[cpu] === 0 ? cpu : this.#taken.indexOf(0);
    this.#taken[own] = 1;
    this.#left--;
    this.#numbers.set(cpu, own);
    return own;
  }
}
