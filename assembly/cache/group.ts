// A group: caches that are flushed together, the translation caches of an agent or its paging-structure caches, or one device TLB.
// They share a clock and the times of flushes, so that "everything" and "one tag" are one note for all of them, whatever their
// number and size. What was filled before is dead (living.ts).

import { allocate } from "../base/memory";
import { allocateSparse, touchSparse } from "../base/sparse";

// ---- a group ----
/** Ticks at every hit and fill of a cache and at every flush. */
export const GROUP_CLOCK: usize = 0;
/** Entries filled at or before these times are dead: global ones, all others; and the later of any flush. */
export const GROUP_GLOBAL_SINCE: usize = GROUP_CLOCK + 4;
export const GROUP_TAGGED_SINCE: usize = GROUP_GLOBAL_SINCE + 4;
export const GROUP_LAST_FLUSH: usize = GROUP_TAGGED_SINCE + 4;
/** Bit L: some leaf of level L was filled since everything was flushed; of others there is none. */
export const GROUP_SEEN: usize = GROUP_LAST_FLUSH + 4;
/** States of tags 0 to GROUP_TAG_COUNT - 1. */
export const GROUP_TAGS: usize = GROUP_SEEN + 4;
export const GROUP_TAG_COUNT: usize = GROUP_TAGS + 4;
/** The first cache; CACHE_NEXT leads on. */
export const GROUP_CACHES: usize = GROUP_TAG_COUNT + 4;
/** Bit h: a leaf in some 2 MiB region with hash h was filled since everything was flushed; others need no probe. */
export const GROUP_REGIONS: usize = GROUP_CACHES + 4;
/** Bit h: a leaf of more than a small page in some 1 GiB region with hash h was filled since then. */
export const GROUP_LARGE: usize = GROUP_REGIONS + 8;
export const GROUP_SIZE: usize = GROUP_LARGE + 8;

if (GROUP_REGIONS % 8 != 0) ERROR("the regions of a group are not aligned");

// ---- a tag of a group ----
/** Its entries filled at or before this time are dead. */
export const TAG_SINCE: usize = 0;
export const TAG_SHIFT: usize = 2;

if (TAG_SINCE + 4 > 1 << TAG_SHIFT) ERROR("a tag's state does not fit into its 2^TAG_SHIFT bytes");

/** Makes a group for tags 0..`tags`-1; 0 if memory is out. */
export function createGroup(tags: u32): usize {
  assert(tags != 0, "a group without tags");
  const group = allocate(GROUP_SIZE);
  const states = allocateSparse(<usize>tags << TAG_SHIFT);
  if (group == 0 || states == 0) return 0;
  store<u32>(group, 1, GROUP_CLOCK);
  store<usize>(group, states, GROUP_TAGS);
  store<u32>(group, tags, GROUP_TAG_COUNT);
  return group;
}

// @ts-ignore: decorator
@inline
export function stateOfTag(group: usize, tag: u32): usize {
  assert(tag < load<u32>(group, GROUP_TAG_COUNT), "the group has no such tag");
  return load<usize>(group, GROUP_TAGS) + (<usize>tag << TAG_SHIFT);
}

/** The same, to be written to. */
// @ts-ignore: decorator
@inline
export function changedTag(group: usize, tag: u32): usize {
  const state = stateOfTag(group, tag);
  touchSparse(load<usize>(group, GROUP_TAGS), <usize>tag << TAG_SHIFT);
  return state;
}

/** From when on an entry of a tag must have been filled to be alive. */
// @ts-ignore: decorator
@inline
export function tagSince(group: usize, tag: u32): u32 {
  return max<u32>(load<u32>(stateOfTag(group, tag), TAG_SINCE), load<u32>(group, GROUP_TAGGED_SINCE));
}
