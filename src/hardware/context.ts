// A context: what one request is translated with. Shared by CPUs, PASIDs and the bare walker.

import { checkAddress, InvalidOptionError } from "../base/errors.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import type { Access } from "../paging/access.js";
import { type Outcome, unpackOutcome } from "../paging/outcome.js";

/** One entry that a walk read. */
export interface WalkStep {
  /** 5 = PML5 … 1 = PT. */
  level: number;
  /** Frame number of the table. */
  tableFrame: number;
  /** Index of the entry in the table, 0 to 511. */
  index: number;
  /** The entry as it stands. */
  entry: bigint;
}

/** A walk with its reasons. */
export interface Explanation {
  /** What came of the walk. */
  outcome: Outcome;
  /** Entries from the top down, the last one is the leaf or where the walk ended. */
  chain: WalkStep[];
}

/** Checks an access code. @internal @throws InvalidOptionError */
export function checkAccess(access: unknown): number {
  if (typeof access === "number" && access >= 0 && access < 32 && [0, 1, 2].includes(access & 3)) return access;
  throw new InvalidOptionError("access", access, "one of the values of Access");
}

/** What the tables say about an address, whatever is cached; no side effects. @internal */
export function explainWalk(engine: Engine, context: Pointer, va: bigint, access: Access): Explanation {
  const address = checkAddress("virtual address", va);
  const outcome = unpackOutcome(engine.exports.explain(context, address, checkAccess(access)));
  const words = engine.words(engine.exports.CHAIN.value, engine.exports.chainLength.value * 2);
  const chain: WalkStep[] = [];
  for (let i = 0; i < words.length; i += 2) {
    const where = words[i + 1] as bigint;
    const level = Number(where & 7n);
    chain.push({
      level,
      tableFrame: Number(where >> 12n),
      index: Number((address >> BigInt(9 * level + 3)) & 511n),
      entry: words[i] as bigint,
    });
  }
  return { outcome, chain };
}

/** Memory that a batch of addresses passes through. @internal */
export interface Scratch {
  at: Pointer;
  words: number;
}

/**
 * Translates many addresses for one kind of access, through the engine's memory a chunk at a time.
 * @internal
 */
export function translateBatch(
  engine: Engine,
  { at, words }: Scratch,
  requester: number,
  addresses: BigUint64Array,
  access: Access,
  outcomes: BigUint64Array,
): BigUint64Array {
  const code = checkAccess(access);
  if (outcomes.length < addresses.length) {
    throw new InvalidOptionError(
      "outcomes.length",
      outcomes.length,
      `at least that of the addresses (${addresses.length})`,
    );
  }
  for (let done = 0; done < addresses.length; done += words) {
    const chunk = addresses.subarray(done, done + words);
    const view = engine.words(at, chunk.length);
    view.set(chunk);
    engine.exports.accessAll(requester, at, chunk.length, code);
    outcomes.set(view, done);
  }
  return outcomes;
}

/** What a translation would answer now, caches included; no side effects. @internal */
export function probeContext(engine: Engine, context: Pointer, va: bigint, access: Access): Outcome {
  return unpackOutcome(engine.exports.probe(context, checkAddress("virtual address", va), checkAccess(access)));
}
