// Translation agents: CPUs and IOMMUs. An agent owns caches: l1 and l2 lists of translation caches, one paging-structure cache per
// level. What it translates with is a context (context.ts).

import { allocate } from "../base/memory";
import { isPlain } from "../cache/fill";
import { createGroup, GROUP_CACHES } from "../cache/group";
import { CACHE_LEVELS, groupOf } from "../cache/layout";
import { MAX_LEAF_LEVEL, MAX_LEVELS } from "../paging/format";

/** Caches of an l1 or l2 list: one for each page size of the format. */
export const MAX_CACHES: u32 = MAX_LEAF_LEVEL;

/** In a mask of levels: leaves of small pages. */
export const SMALL: u32 = 1 << 1;

// ---- an agent ----
/** MAX_CACHES caches each, closed by 0. */
export const AGENT_L1: usize = 0;
export const AGENT_L2: usize = AGENT_L1 + (MAX_CACHES + 1) * sizeof<usize>();
/** Paging-structure cache of level L at AGENT_PSC + 4 * L, up to MAX_LEVELS; 0 if there is none. */
const AGENT_PSC: usize = AGENT_L2 + (MAX_CACHES + 1) * sizeof<usize>();
export const AGENT_FLAGS: usize = AGENT_PSC + (MAX_LEVELS + 1) * sizeof<usize>();
export const AGENT_ID: usize = AGENT_FLAGS + 4;
/** The groups of its translation caches and of its paging-structure caches. */
export const AGENT_LEAVES: usize = AGENT_ID + 4;
export const AGENT_PATHS: usize = AGENT_LEAVES + 4;
/** Whether there is an l1 cache, and each list that has caches begins with the one for small pages. */
export const AGENT_SMALL_FIRST: usize = AGENT_PATHS + 4;
/** Whether the lane's walk knows its caches (lane-walk.ts). */
const AGENT_PLAIN: usize = AGENT_SMALL_FIRST + 4;
/** Of an IOMMU: page requests of its devices. */
export const AGENT_PAGE_REQUESTS: usize = AGENT_PLAIN + 4;
/** Requests. */
export const AGENT_TRANSLATIONS: usize = AGENT_PAGE_REQUESTS + 8;
/** Faults and non-canonical addresses. */
export const AGENT_FAULTS: usize = AGENT_TRANSLATIONS + 8;
/** Walks begun, for want of a cached translation. */
export const AGENT_WALKS: usize = AGENT_FAULTS + 8;
/** Entries that walks read from tables. */
export const AGENT_ENTRY_READS: usize = AGENT_WALKS + 8;
/** Entries that walks wrote back to set A or D. */
export const AGENT_AD_WRITES: usize = AGENT_ENTRY_READS + 8;
/** Invalidation operations received. */
export const AGENT_INVALIDATIONS: usize = AGENT_AD_WRITES + 8;
export const AGENT_SIZE: usize = AGENT_INVALIDATIONS + 8;

if (AGENT_TRANSLATIONS % 8 != 0) ERROR("the 64-bit counters of an agent are not aligned");

// ---- flags ----
/** The agent is a CPU: its faults are page faults, its leaves may be global. */
export const IS_CPU: u32 = 1;
/** A user request ends at the first non-leaf entry with U/S = 0; or it goes on, and caches no path from there down. */
export const STOP_AT_SUPERVISOR: u32 = 1 << 1;
export const PASS_SUPERVISOR_UNCACHED: u32 = 1 << 6;
/** A walk refused at a supervisor leaf still fills the translation caches. */
export const CACHE_SUPERVISOR_LEAVES: u32 = 1 << 2;
/** INVLPG drops paging-structure entries of every PCID (AMD, TCE = 0), or only those on the path (AMD, TCE = 1). */
export const INVLPG_ALL: u32 = 1 << 3;
export const INVLPG_PATH: u32 = 1 << 4;
/** Translation requests may say No-Write (ECAP.NWFS). */
export const NO_WRITE_REQUESTS: u32 = 1 << 10;
/** Invalidations reach this IOMMU as AMD commands, not as VT-d descriptors. */
export const AMD_COMMANDS: u32 = 1 << 5;
/** The agent reads tables as AMD's hardware does. */
export const AMD_TABLES: u32 = 1 << 11;
/** Walks may be made step by step (walks.ts). */
export const STEPWISE_WALKS: u32 = 1 << 7;
/** An invalidation waits only for walks to the pages that it names, or for none; without these two for all of its tag. */
export const DRAIN_PAGE: u32 = 1 << 8;
export const DRAIN_NONE: u32 = 1 << 9;

/** An agent; its translation caches will know so many tags, its paging-structure caches so many. 0 if memory is out. */
export function createAgent(id: u32, flags: u32, leafTags: u32, pathTags: u32): usize {
  const agent = allocate(AGENT_SIZE);
  const leaves = createGroup(leafTags);
  const paths = createGroup(pathTags);
  if (agent == 0 || leaves == 0 || paths == 0) return 0;
  store<u32>(agent, flags, AGENT_FLAGS);
  store<u32>(agent, id, AGENT_ID);
  store<usize>(agent, leaves, AGENT_LEAVES);
  store<usize>(agent, paths, AGENT_PATHS);
  notePlain(agent);
  return agent;
}

/** Appends a cache to the l1 (1) or l2 (2) list. False if the list is full. */
export function addTranslationCache(agent: usize, list: u32, cache: usize): bool {
  assert((list == 1 || list == 2) && cache != 0, "no cache, or no list to put it into");
  assert(groupOf(cache) == leavesOf(agent), "the cache belongs to another group");
  const first = agent + (list == 1 ? AGENT_L1 : AGENT_L2);
  for (let i: u32 = 0; i < MAX_CACHES; i++) {
    if (load<usize>(first + (i << 2)) != 0) continue;
    store<usize>(first + (i << 2), cache);
    store<u32>(agent, <u32>(beginsSmall(agent + AGENT_L1, false) && beginsSmall(agent + AGENT_L2, true)), AGENT_SMALL_FIRST);
    notePlain(agent);
    return true;
  }
  return false;
}

function beginsSmall(list: usize, mayBeEmpty: bool): bool {
  const cache = load<usize>(list);
  return cache == 0 ? mayBeEmpty : (load<u32>(cache, CACHE_LEVELS) & SMALL) != 0;
}

/** Gives an agent its cache for the entries of a level, 2 and up. */
export function setPagingStructureCache(agent: usize, level: u32, cache: usize): void {
  assert(level >= 2 && level <= 5, "no paging-structure cache is of this level");
  assert(groupOf(cache) == pathsOf(agent), "the cache belongs to another group");
  store<usize>(agent + (<usize>level << 2), cache, AGENT_PSC);
  notePlain(agent);
}

/** The two lowest paging-structure caches are plain, and so are the first translation caches, which begin small; or there is none. */
function notePlain(agent: usize): void {
  const l1 = load<usize>(agent, AGENT_L1);
  const l2 = load<usize>(agent, AGENT_L2);
  const leaves = (l1 | l2) == 0 || (load<u32>(agent, AGENT_SMALL_FIRST) != 0 && isPlain(l1) && (l2 == 0 || isPlain(l2)));
  const psc2 = pscOf(agent, 2);
  const psc3 = pscOf(agent, 3);
  const paths = load<usize>(pathsOf(agent), GROUP_CACHES) == 0 || (psc2 != 0 && psc3 != 0 && isPlain(psc2) && isPlain(psc3));
  store<u32>(agent, <u32>(leaves && paths), AGENT_PLAIN);
}

/** Whether the lane's walk knows an agent's caches. */
// @ts-ignore: decorator
@inline
export function hasPlainCaches(agent: usize): bool {
  return load<u32>(agent, AGENT_PLAIN) != 0;
}

// @ts-ignore: decorator
@inline
export function pscOf(agent: usize, level: u32): usize {
  assert(agent != 0 && level >= 2 && level <= 5, "no paging-structure cache is of this level");
  return load<usize>(agent + (<usize>level << 2), AGENT_PSC);
}

/** The group of an agent's translation caches. */
// @ts-ignore: decorator
@inline
export function leavesOf(agent: usize): usize {
  return load<usize>(agent, AGENT_LEAVES);
}

/** The group of its paging-structure caches. */
// @ts-ignore: decorator
@inline
export function pathsOf(agent: usize): usize {
  return load<usize>(agent, AGENT_PATHS);
}

// @ts-ignore: decorator
@inline
export function hasFlag(agent: usize, flag: u32): bool {
  return (load<u32>(agent, AGENT_FLAGS) & flag) != 0;
}

/** Page requests of the devices behind an IOMMU. */
export function pageRequests(agent: usize): u64 {
  return load<u64>(agent, AGENT_PAGE_REQUESTS);
}

/** A counter by its number in the agent, from AGENT_TRANSLATIONS on. */
export function agentCounter(agent: usize, which: u32): u64 {
  assert(<usize>which << 3 < AGENT_SIZE - AGENT_TRANSLATIONS, "there is no such counter");
  return load<u64>(agent + (<usize>which << 3), AGENT_TRANSLATIONS);
}
