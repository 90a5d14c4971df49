// Tables that an operation has unlinked and will free after its flush. A stack of slots: another operation may come in
// between, at a point, and has its own tables on top.

import { MAX_UNLINKED } from "../base/limits";
import { allocate } from "../base/memory";
import { EntryAt, isEmpty, loadEntry, setEntry } from "../paging/contents";
import { ENTRIES, isLeaf, isPresent } from "../paging/format";
import { stateOf, TABLE } from "../paging/frames";
import { release } from "./pool";
import { tableOf } from "./tables";

if (MAX_UNLINKED <= ENTRIES) ERROR("MAX_UNLINKED is below what pud_free_pmd_page() unlinks at once");

const COUNT: usize = memory.data(sizeof<u32>(), sizeof<u32>());

// ---- set up once ----
/** The stack. No snapshot holds it: between operations it is empty. */
let slots: usize = 0;

/** Room for the stack; called once. False if memory cannot hold it. */
export function createUnlinked(): bool {
  assert(slots == 0, "the stack is made once");
  slots = allocate(<usize>MAX_UNLINKED << 2);
  return slots != 0;
}

/** How many there are; an operation notes this first and takes its own from there on. */
export function unlinkedCount(): u32 {
  return load<u32>(COUNT);
}

/** Unlinks the table that an entry of a level names, if it is an empty one; it waits on the stack then. */
export function unlinkIfEmpty(entry: EntryAt, level: u32): bool {
  const value = loadEntry(entry);
  if (!isPresent(value) || isLeaf(value, level)) return false;
  const table = tableOf(value);
  if (table == 0 || stateOf(table) != TABLE || !isEmpty(table) || !pushUnlinked(table)) return false;
  setEntry(entry, 0);
  return true;
}

/** Gives a user's tables back that an operation has unlinked: all from its first place up to `last`, where the stack must end. */
export function releaseUnlinked(first: u32, last: u32, site: u8): void {
  for (let place = first; place < last; place++) release(unlinkedAt(place), site);
  assert(unlinkedCount() == last, "an operation inside left tables on the stack");
  popUnlinked(first);
}

/** Adds a table; false if there is no room, then it must stay linked. */
export function pushUnlinked(slot: u32): bool {
  assert(load<u32>(COUNT) <= MAX_UNLINKED, "more tables are on the stack than it has room for");
  const count = load<u32>(COUNT);
  if (count == MAX_UNLINKED) return false;
  store<u32>(slots + (<usize>count << 2), slot);
  store<u32>(COUNT, count + 1);
  return true;
}

// @ts-ignore: decorator
@inline
export function unlinkedAt(place: u32): u32 {
  assert(place < load<u32>(COUNT), "the place is above the top of the stack");
  return load<u32>(slots + (<usize>place << 2));
}

/** Forgets all from a place on. */
export function popUnlinked(place: u32): void {
  assert(place <= load<u32>(COUNT), "the stack is popped to above its top");
  store<u32>(COUNT, place);
}
