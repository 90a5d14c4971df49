// Listing all leaves reachable from a root.

import { mapping, mappingSize, pageShift } from "../engine/abi.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";

/** Leaves in address order. The arrays are the caller's to keep. */
export interface MappingBatch {
  /** Number of leaves: the length of every array. */
  count: number;
  /** First virtual address of each leaf, sign-extended. */
  virtualAddress: BigUint64Array;
  /** The leaf entries as they stand. */
  entry: BigUint64Array;
  /** Cumulative R/W, U/S (AND) and XD (OR) of the path, in the positions of an entry. */
  rights: BigUint64Array;
  /** Levels of the leaves: 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB. */
  level: Uint8Array;
}

const WORDS = mappingSize / 8;
const PLACE = mapping.place.at / 8;
const ENTRY = mapping.entry.at / 8;
const RIGHTS = mapping.rights.at / 8;
/** A leaf begins at a page; its level is in the bits below. */
const LEVEL = (1n << BigInt(pageShift)) - 1n;

/** Lists the leaves of a context's root; the tables must not change meanwhile. @internal */
export function* listMappings(
  engine: Engine,
  context: Pointer,
  scratch: { at: Pointer; words: number },
): Generator<MappingBatch> {
  const { exports } = engine;
  const most = Math.floor(scratch.words / WORDS);
  let position = 0n;
  for (let done = false; !done; ) {
    const count = exports.listMappings(context, position, scratch.at, most);
    position = exports.mappingsPosition();
    done = exports.mappingsDone() !== 0;
    const words = engine.words(scratch.at, count * WORDS);
    const batch: MappingBatch = {
      count,
      virtualAddress: new BigUint64Array(count),
      entry: new BigUint64Array(count),
      rights: new BigUint64Array(count),
      level: new Uint8Array(count),
    };
    for (let i = 0; i < count; i++) {
      const address = words[i * WORDS + PLACE] as bigint;
      batch.virtualAddress[i] = address & ~LEVEL;
      batch.level[i] = Number(address & LEVEL);
      batch.entry[i] = words[i * WORDS + ENTRY] as bigint;
      batch.rights[i] = words[i * WORDS + RIGHTS] as bigint;
    }
    if (count > 0) yield batch;
  }
}
