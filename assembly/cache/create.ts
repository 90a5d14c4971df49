// Making a cache: sizes of its blocks, their padding.

import { allocate, LINE } from "../base/memory";
import { GROUP_CACHES, GROUP_TAG_COUNT } from "./group";
import {
  CACHE_BASE,
  CACHE_DATA,
  CACHE_END,
  CACHE_FIRST,
  CACHE_GROUP,
  CACHE_KEYS,
  CACHE_LEVELS,
  CACHE_LINKS,
  CACHE_NEXT,
  CACHE_RANDOM,
  CACHE_REPLACEMENT,
  CACHE_SET_BYTES,
  CACHE_SET_MASK,
  CACHE_SETS,
  CACHE_SIZE,
  CACHE_SPAN,
  CACHE_TIMES,
  CACHE_WAYS,
  LAST_SET,
  PADDING,
  PATHS,
  SET_PARTIALS,
  TAGS_END,
} from "./layout";

const RANDOM_SEED: u32 = 0x9e37_79b9;
/** Time of a way that only pads a set to whole vectors: it is never the oldest. */
const NEVER: u64 = 0xffff_ffff_ffff_ffff;

// @ts-ignore: decorator
@inline
function roundUp(bytes: usize, to: usize): usize {
  return (bytes + to - 1) & ~(to - 1);
}

/**
 * Makes a cache of `sets` x `ways` in a group, whose tags it has. `levels`: bit L, it holds leaves of level L; PATHS, it is a
 * paging-structure cache, and `span` is the number of address bits that one of its entries covers. 0 if memory is out.
 */
export function createCache(group: usize, sets: u32, ways: u32, levels: u32, span: u32, replacement: u32): usize {
  const tags = load<u32>(group, GROUP_TAG_COUNT);
  assert(sets != 0 && ways != 0, "a cache without room");
  assert(tags != 0 && tags < TAGS_END, "more tags than a key can tell apart");
  assert(levels == 1 ? span != 0 : levels != 0 && (levels & 1) == 0, "a cache holds leaves, or paths of one span");
  const keys = SET_PARTIALS + roundUp(ways, 16);
  const words = <usize>ways << 3;
  const times = roundUp(words, 32);
  const setBytes = roundUp(keys + 2 * words + times + (levels & PATHS ? words : 0), LINE);
  const total = <u64>setBytes * sets;
  if (total >= 0xfff0_0000) return 0;
  const cache = allocate(CACHE_SIZE);
  const base = allocate(<usize>total);
  if (cache == 0 || base == 0) return 0;
  store<u32>(cache, sets, CACHE_SETS);
  store<u32>(cache, (sets & (sets - 1)) == 0 ? sets - 1 : 0, CACHE_SET_MASK);
  store<u32>(cache, ways, CACHE_WAYS);
  store<usize>(cache, setBytes, CACHE_SET_BYTES);
  store<usize>(cache, base, CACHE_BASE);
  store<usize>(cache, base + <usize>total, CACHE_END);
  store<usize>(cache, keys, CACHE_KEYS);
  store<usize>(cache, words, CACHE_DATA);
  store<usize>(cache, (2 * words), CACHE_TIMES);
  store<usize>(cache, (2 * words + times), CACHE_LINKS);
  store<u32>(cache, replacement, CACHE_REPLACEMENT);
  store<u32>(cache, RANDOM_SEED, CACHE_RANDOM);
  store<u32>(cache, levels, CACHE_LEVELS);
  store<u32>(cache, span, CACHE_SPAN);
  store<usize>(cache, group, CACHE_GROUP);
  store<usize>(cache, load<usize>(group, GROUP_CACHES), CACHE_NEXT);
  store<usize>(group, cache, GROUP_CACHES);
  store<usize>(cache, LAST_SET, CACHE_FIRST);
  for (let set: u32 = 0; set < sets; set++) {
    const block = base + <usize>set * setBytes;
    for (let way = SET_PARTIALS + ways; way < keys; way++) store<u8>(block + way, PADDING);
    for (let way = words; way < times; way += 8) store<u64>(block + keys + 2 * words + way, NEVER);
  }
  return cache;
}
