// Counters of the kernel, by the names of the API (types only: no code in common). Whoever counts needs no line here.

import type { KernelCounters } from "../../../src/kernel/kernel.js";

/** A counter that nobody has counted in is 0. */
export type Counters = Record<keyof KernelCounters, number>;

export function zeroes(): Counters {
  return new Proxy({} as Counters, { get: (counters, name) => Reflect.get(counters, name) ?? 0 });
}

/** Those that are not 0, for comparing. */
export function counted(counters: Counters): Partial<Counters> {
  return Object.fromEntries(Object.entries(counters).filter(([, value]) => value !== 0));
}
