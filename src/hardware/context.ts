// A context: what one request is translated with. Shared by CPUs, PASIDs and the bare walker.

import { checkAddress, InvalidOptionError } from "../base/errors.js";
import { accessCodes, accessFetch, accessType, link, linkSize, pageShift } from "../engine/abi.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import { readWord } from "../engine/structures.js";
import type { Access } from "../paging/access.js";
import { indexAt } from "../paging/levels.js";
import { type Outcome, unpackOutcome } from "../paging/outcome.js";

/** In a link of a chain: frame number above, level below. */
const PAGE_SHIFT = BigInt(pageShift);
const PAGE_OFFSET = (1n << PAGE_SHIFT) - 1n;

/** One entry that a walk read. */
export interface WalkStep {
  /** Level of the table: 5 = PML5 … 1 = PT. */
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
export function checkAccess(access: unknown, field = "access"): number {
  const isCode = Number.isInteger(access) && (access as number) >= 0 && (access as number) < accessCodes;
  if (isCode && ((access as number) & accessType) <= accessFetch) return access as number;
  throw new InvalidOptionError(field, access, "one of the values of Access");
}

/** What the tables say about an address, whatever is cached; no side effects. @internal */
export function explainWalk(engine: Engine, context: Pointer, va: bigint, access: Access): Explanation {
  const address = checkAddress("virtual address", va);
  const outcome = unpackOutcome(engine.exports.explain(context, address, checkAccess(access)));
  const view = engine.view(engine.exports.CHAIN.value, engine.exports.chainLength.value * linkSize);
  const chain: WalkStep[] = [];
  for (let from = 0; from < view.byteLength; from += linkSize) {
    const place = readWord(view, link.place, from);
    const level = Number(place & PAGE_OFFSET);
    chain.push({
      level,
      tableFrame: Number(place >> PAGE_SHIFT),
      index: indexAt(address, level),
      entry: readWord(view, link.entry, from),
    });
  }
  return { outcome, chain };
}

/** Memory that a batch of addresses passes through. @internal */
export interface Scratch {
  at: Pointer;
  words: number;
}

/** Addresses at a time: these and a record of two words for each fit into every scratch memory, and into a processor's first cache. */
const BATCH = 1024;

/**
 * Translates many addresses for one kind of access, through the engine's memory a chunk at a time.
 * @internal
 */
export function translateBatch(
  engine: Engine,
  { at }: Scratch,
  requester: number,
  addresses: BigUint64Array,
  access: Access,
  outcomes: BigUint64Array,
): BigUint64Array {
  const code = checkAccess(access);
  for (const [field, value] of Object.entries({ addresses, outcomes })) {
    if (!(value instanceof BigUint64Array)) throw new InvalidOptionError(field, value, "a BigUint64Array");
  }
  if (outcomes.length < addresses.length) {
    throw new InvalidOptionError(
      "outcomes.length",
      outcomes.length,
      `at least that of the addresses (${addresses.length})`,
    );
  }
  for (let done = 0; done < addresses.length; done += BATCH) {
    const chunk = addresses.subarray(done, done + BATCH);
    const view = engine.words(at, chunk.length);
    view.set(chunk);
    engine.exports.accessAll(requester, at, chunk.length, code, at + BATCH * 8);
    outcomes.set(view, done);
  }
  return outcomes;
}

/** What a translation would answer now, caches included; no side effects. @internal */
export function probeContext(engine: Engine, context: Pointer, va: bigint, access: Access): Outcome {
  return unpackOutcome(engine.exports.probe(context, checkAddress("virtual address", va), checkAccess(access)));
}
