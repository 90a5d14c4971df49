// Tables that an operation has unlinked and will free after its flush. A stack of slots: another operation may come in
// between, at a point, and has its own tables on top.

const SLOTS: usize = memory.data(8192 * 4, 4);
const COUNT: usize = memory.data(4, 4);
const MAX: u32 = 8192;

/** How many wait; an operation notes this first and takes its own from there on. */
export function waiting(): u32 {
  return load<u32>(COUNT);
}

/** Adds a table; false if there is no room, then it must stay linked. */
export function wait(slot: u32): bool {
  const count = load<u32>(COUNT);
  if (count == MAX) return false;
  store<u32>(SLOTS + (<usize>count << 2), slot);
  store<u32>(COUNT, count + 1);
  return true;
}

// @ts-ignore: decorator
@inline
export function waitingAt(place: u32): u32 {
  return load<u32>(SLOTS + (<usize>place << 2));
}

/** Forgets all from a place on. */
export function forgetFrom(place: u32): void {
  store<u32>(COUNT, place);
}
