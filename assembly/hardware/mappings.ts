// Listing: every leaf reachable from a root, in address order, a batch at a time. Tables are followed as the walker
// would (present, no reserved bit), whatever the rights; tables that are shared are visited once per path.

import { EntryAt } from "../paging/contents";
import { descend } from "../paging/descent";
import { FULL_RIGHTS, shiftOf } from "../paging/format";
import { addressMask, canonical, levels } from "../paging/mode";
import { tableAt } from "../paging/tables";
import { isMalformed, rootOf } from "./context";

// ---- a mapping as it is listed ----
/** Sign-extended address | level. */
export const MAPPING_PLACE: usize = 0;
export const MAPPING_ENTRY: usize = MAPPING_PLACE + 8;
/** Cumulative rights of the path, in their places in an entry. */
export const MAPPING_RIGHTS: usize = MAPPING_ENTRY + 8;
export const MAPPING_SIZE: usize = MAPPING_RIGHTS + 8;

// ---- scratch: nothing survives a call ----
/** Where the next batch goes on: translated address bits; past the last one when the listing is complete. */
let position: u64 = 0;
/** Where the next mapping is written. */
let out: usize = 0;

/** Where the next batch goes on. The caller keeps it: several listings may be under way. */
export function mappingsPosition(): u64 {
  return position;
}

/** Whether the latest batch was the last. */
export function mappingsDone(): bool {
  return position > addressMask;
}

/**
 * Writes up to `max` leaves of a context's root to `to`, from a position on (0 at first), and returns how many. Call with
 * `mappingsPosition()` until `mappingsDone()`.
 */
export function listMappings(context: usize, from: u64, to: usize, max: u32): u32 {
  assert((to & 7) == 0, "the list is not aligned");
  const end = to + <usize>max * MAPPING_SIZE;
  position = from;
  out = to;
  while (out < end && position <= addressMask) {
    const root = rootOf(context);
    const visitor = changetype<List>(context);
    const level = <u32>descend<List>(visitor, context, position, 0, levels, root, tableAt(context, root), FULL_RIGHTS);
    assert(level >= 1 && level <= levels, "the descent ended at no level");
    position = ((position >> shiftOf(level)) + 1) << shiftOf(level);
  }
  return <u32>((out - to) / MAPPING_SIZE);
}

/** Writes a leaf down; the result is the level at which the descent ended. */
@unmanaged
class List {
  @inline
  absent(level: u32, frame: u64): u64 {
    return level;
  }

  @inline
  target(level: u32, at: EntryAt): u64 {
    return 0;
  }

  @inline
  read(entry: u64, level: u32, frame: u64): void {}

  @inline
  hole(context: usize, access: u32, level: u32, at: EntryAt): u64 {
    return level;
  }

  @inline
  isMalformed(context: usize, entry: u64, level: u32, leaf: bool): bool {
    return isMalformed(context, entry, level, leaf);
  }

  @inline
  malformed(context: usize, access: u32, level: u32): u64 {
    return level;
  }

  @inline
  leaf(context: usize, va: u64, access: u32, level: u32, at: EntryAt, entry: u64, rights: u64): u64 {
    store<u64>(out, canonical(va) | <u64>level, MAPPING_PLACE);
    store<u64>(out, entry, MAPPING_ENTRY);
    store<u64>(out, rights, MAPPING_RIGHTS);
    out += MAPPING_SIZE;
    return level;
  }

  @inline
  refuses(context: usize, access: u32, level: u32, rights: u64): u64 {
    return 0;
  }

  @inline
  enter(context: usize, va: u64, level: u32, at: EntryAt, entry: u64, rights: u64, frame: u64): u32 {
    return tableAt(context, frame);
  }
}
