// What is fuzzed: a parser with inputs to begin from. A target says by what it throws that something is wrong.

import type { Random } from "./mutate.js";

/** How a parser took an input. */
export type Ending = "read" | "refused";

/** One parser under fuzzing. */
export interface FuzzTarget {
  readonly name: string;
  /** Real inputs, which mutation starts from. */
  seeds(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** End of the part of a seed that holds its structure; changes fall there more often than its share. Default: all. */
  structureEnd?(seed: Uint8Array): number;
  /** An input made of a seed by the target's own knowledge of its structure. Default: bytes and lines of any file. */
  mutate?(seeds: readonly Uint8Array[], random: Random): Uint8Array;
  /**
   * Gives the parser one input.
   * @param turn where a target reads each input in several ways that must agree: which of them, in a long run; without it all
   * @returns how it ended
   * @throws whatever is none of the parser's own errors, or a promise that the parser breaks
   */
  run(bytes: Uint8Array, turn?: number): Ending | Promise<Ending>;
}

/** Runs a parser; only errors of these classes are a refusal. */
export async function endingOf(
  parse: () => unknown,
  refusals: readonly (abstract new (...args: never[]) => Error)[],
): Promise<Ending> {
  try {
    await parse();
    return "read";
  } catch (error) {
    if (refusals.some((refusal) => error instanceof refusal)) return "refused";
    throw error;
  }
}
