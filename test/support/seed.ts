// The one seed of all random tests: STALEWALK_SEED, or a number of our own, so that a run can be had again. Tests take what
// is random from here or from ./fast-check.js, nowhere else; a failing run ends with its seed (vitest.config.ts).

import { EFFORT } from "./effort.js";

/** The seed of a run that does not name one; every night has another, its date. */
export const DEFAULT_SEED =
  EFFORT === "nightly" ? Number(new Date().toISOString().slice(0, 10).replaceAll("-", "")) : 20261124;
/** Leaves room for what tests add to it: fast-check takes 32 bits. */
const MAX_SEED = 2 ** 30;

export const SEED: number = seedOf(process.env["STALEWALK_SEED"]);

/** A seed of its own for each `place` of a test: places of one seed differ, and all move with it. */
export function seedAt(place: number): number {
  return SEED + place;
}

function seedOf(given: string | undefined): number {
  if (given === undefined) return DEFAULT_SEED;
  const seed = Number(given);
  if (given.trim() === "" || !Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) {
    throw new Error(`STALEWALK_SEED is "${given}"; expected a whole number from 0 to ${MAX_SEED}`);
  }
  return seed;
}
