// Tables that an operation has unlinked and will free after its flush. A stack of slots: another operation may come in
// between, at a point, and has its own tables on top.

import { MAX_UNLINKED } from "../base/limits";
import { ENTRIES } from "../paging/format";

if (MAX_UNLINKED <= ENTRIES) ERROR("MAX_UNLINKED is below what pud_free_pmd_page() unlinks at once");

const SLOTS: usize = memory.data(MAX_UNLINKED * sizeof<u32>(), sizeof<u32>());
const COUNT: usize = memory.data(sizeof<u32>(), sizeof<u32>());

/** How many there are; an operation notes this first and takes its own from there on. */
export function unlinkedCount(): u32 {
  return load<u32>(COUNT);
}

/** Adds a table; false if there is no room, then it must stay linked. */
export function pushUnlinked(slot: u32): bool {
  assert(load<u32>(COUNT) <= MAX_UNLINKED, "more tables are on the stack than it has room for");
  const count = load<u32>(COUNT);
  if (count == MAX_UNLINKED) return false;
  store<u32>(SLOTS + (<usize>count << 2), slot);
  store<u32>(COUNT, count + 1);
  return true;
}

// @ts-ignore: decorator
@inline
export function unlinkedAt(place: u32): u32 {
  assert(place < load<u32>(COUNT), "the place is above the top of the stack");
  return load<u32>(SLOTS + (<usize>place << 2));
}

/** Forgets all from a place on. */
export function popUnlinked(place: u32): void {
  assert(place <= load<u32>(COUNT), "the stack is popped to above its top");
  store<u32>(COUNT, place);
}
