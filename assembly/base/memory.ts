// Linear memory: [static data][arena]. The arena only grows while a machine is being built; afterwards nothing is
// allocated and no view of the host moves. Structures describe themselves as chains, FIELD = PREVIOUS + its size.

/** A cache line; structures and set blocks start on one. */
export const LINE: usize = 64;

if ((LINE & (LINE - 1)) != 0) ERROR("LINE is no power of two");

// ---- set up once ----
let arenaEnd: usize = (__heap_base + LINE - 1) & ~(LINE - 1);

/** Reserves zeroed bytes, aligned to a cache line; 0 if memory cannot grow so far. */
export function allocate(bytes: usize): usize {
  assert((arenaEnd & (LINE - 1)) == 0, "the arena does not end on a cache line");
  const start = arenaEnd;
  const end = (start + bytes + LINE - 1) & ~(LINE - 1);
  if (end < start) return 0;
  const pages = <i32>((<u64>end + 0xffff) >> 16) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) return 0;
  arenaEnd = end;
  return start;
}

/** Bytes of linear memory in use. */
export function arenaBytes(): usize {
  return arenaEnd;
}

/** Adds to one of the 64-bit counters of a structure. */
// @ts-ignore: decorator
@inline
export function count(structure: usize, offset: usize, by: u64 = 1): void {
  assert(structure != 0 && ((structure + offset) & 7) == 0, "no counter stands here");
  store<u64>(structure + offset, load<u64>(structure + offset) + by);
}
