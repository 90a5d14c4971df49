// Listing: every leaf reachable from a root, in address order, a batch at a time. Tables are followed as the walker
// would (present, no reserved bit), whatever the rights; tables that are shared are visited once per path.

import { addressMask, CONTEXT_ROOT, canonicalShift, levels, reservedBits } from "./agent";
import { accumulate, FRAME, isLeaf, P, RW, shiftOf, US } from "../paging/entry";
import { slotOf } from "../paging/frames";
import { entryAddress } from "./walk";

/** Where the next batch goes on: translated address bits; past the last one when the listing is complete. */
let position: u64 = 0;

export function startMappings(): void {
  position = 0;
}

export function mappingsDone(): bool {
  return position > addressMask;
}

/**
 * Writes up to `most` leaves of a context's root to `out` (24 bytes each: sign-extended address | level, entry,
 * cumulative rights) and returns how many. Call until `mappingsDone()`.
 */
export function listMappings(context: usize, out: usize, most: u32): u32 {
  let found: u32 = 0;
  while (found < most && position <= addressMask) {
    let frame = load<u64>(context, CONTEXT_ROOT);
    let rights = RW | US;
    let level = levels;
    while (true) {
      const slot = slotOf(frame);
      const entry = slot == 0 ? 0 : load<u64>(entryAddress(slot, position, level));
      const leaf = isLeaf(entry, level);
      if (!(entry & P) || entry & reservedBits(context, level, leaf)) break;
      rights = accumulate(rights, entry);
      if (leaf) {
        const va = <u64>(<i64>(position << canonicalShift) >> canonicalShift);
        store<u64>(out, va | <u64>level);
        store<u64>(out, entry, 8);
        store<u64>(out, rights, 16);
        out += 24;
        found++;
        break;
      }
      frame = (entry & FRAME) >> 12;
      level--;
    }
    position = ((position >> shiftOf(level)) + 1) << shiftOf(level);
  }
  return found;
}
