// PASID-table entries in one list, the PASID cache of an IOMMU, and the domains of a PASID (docs/rules.md section 7; VT-d 6.2.1, 9.6).
//
// All devices behind an IOMMU have one PASID table; its entries stand in the contexts of the first device. The PASID cache
// knows devices apart: each context has its own entry there.

import { DOMAINS_OF_PASID } from "../base/limits";
import { count } from "../base/memory";
import { livingOf } from "../cache/living";
import { levels } from "../paging/mode";
import { TRANSLATED } from "../paging/outcome";
import { NXE } from "../paging/x86-64/controls";
import { AGENT_INVALIDATIONS, AGENT_L1, AGENT_L2, hasFlag, IS_CPU, MAX_CACHES, pscOf } from "./agent";
import {
  agentOf,
  CONTEXT_BOUND,
  CONTEXT_BOUND_FIELDS,
  CONTEXT_BOUND_PLACE,
  CONTEXT_BOUND_ROOT,
  CONTEXT_CACHED,
  CONTEXT_DOMAINS,
  CONTEXT_FIELDS,
  CONTEXT_NEXT,
  CONTEXT_NEXT_SOURCE,
  CONTEXT_PASID,
  CONTEXT_PLACE,
  CONTEXT_ROOT,
  CONTEXT_SOURCE_ID,
  enterDomain,
  entryOf,
  nameOf,
  pathTagIn,
  setControls,
  tagIn,
} from "./context";
import { refusalOfEntry } from "./pasid-entry";
import { drain, EVERY_TAG } from "./step";
import { walksAreUnderWay } from "./walks";

/** In place of a PASID, a domain id or a source-id: every one. */
export const ANY: u32 = 0xffff_ffff;

// ---- set up once ----
let firstPasid: usize = 0;
let lastPasid: usize = 0;

/** Puts a PASID-table entry into the list of all IOMMUs' entries, in order of IOMMU and PASID index. */
export function addPasid(entry: usize): void {
  assert(load<usize>(entry, CONTEXT_NEXT) == 0 && entry != lastPasid, "the entry is in the list already");
  if (firstPasid == 0) firstPasid = entry;
  else store<usize>(lastPasid, entry, CONTEXT_NEXT);
  lastPasid = entry;
}

/** The first PASID-table entry of any IOMMU; the others follow by CONTEXT_NEXT. */
export function firstOfAll(): usize {
  return firstPasid;
}

/** The entry of a PASID, or the first of ANY, on the IOMMU of a context; mostly it is that context's own. 0 = there is none. */
export function firstEntry(near: usize, pasid: u32): usize {
  return load<u32>(near, CONTEXT_PASID) == pasid ? entryOf(near) : entryFrom(firstPasid, agentOf(near), pasid);
}

/** The entry that follows. */
// @ts-ignore: decorator
@inline
export function nextEntry(entry: usize, pasid: u32): usize {
  return pasid == ANY ? entryFrom(load<usize>(entry, CONTEXT_NEXT), agentOf(entry), ANY) : 0;
}

function entryFrom(first: usize, agent: usize, pasid: u32): usize {
  let entry = first;
  while (entry != 0 && (agentOf(entry) != agent || (pasid != ANY && load<u32>(entry, CONTEXT_PASID) != pasid)))
    entry = load<usize>(entry, CONTEXT_NEXT);
  return entry;
}

/** Whether the domain at a place of a PASID's list is this one, or any at all if ANY is asked for. */
export function isDomain(entry: usize, place: u32, domain: u32): bool {
  const there = load<u32>(entry + (<usize>place << 2), CONTEXT_DOMAINS);
  return there != 0 && (domain == ANY || there - 1 == domain);
}

/**
 * Writes the PASID-table entry of a PASID: present or not, root frame, fields (pasid-entry.ts) and domain. Caches do not
 * notice. False, and nothing is done, if something is still cached under as many other domains as there are places; never
 * for DEFAULT_DOMAIN.
 */
export function bind(context: usize, present: bool, root: u64, fields: u32, domain: u32): bool {
  assert(!hasFlag(agentOf(context), IS_CPU), "a CPU has no PASID-table entry");
  const entry = entryOf(context);
  if (present) {
    const place = placeFor(entry, domain);
    if (place == DOMAINS_OF_PASID) return false;
    store<u32>(entry + (<usize>place << 2), domain + 1, CONTEXT_DOMAINS);
    store<u32>(entry, place, CONTEXT_BOUND_PLACE);
  }
  store<u32>(entry, present ? 1 : 0, CONTEXT_BOUND);
  store<u64>(entry, root, CONTEXT_BOUND_ROOT);
  store<u32>(entry, fields, CONTEXT_BOUND_FIELDS);
  return true;
}

/** The place of a domain: its own, or one that nothing cached belongs to; DOMAINS_OF_PASID if there is none. */
function placeFor(entry: usize, domain: u32): u32 {
  let unused = DOMAINS_OF_PASID;
  for (let place: u32 = 0; place < DOMAINS_OF_PASID; place++) {
    if (isDomain(entry, place, domain)) return place;
    if (place != 0 && unused == DOMAINS_OF_PASID && !isInUse(entry, place)) unused = place;
  }
  return unused;
}

function isInUse(entry: usize, place: u32): bool {
  if (!isDomain(entry, place, ANY)) return false;
  // A walk under way may still fill under any.
  if (walksAreUnderWay()) return true;
  const agent = agentOf(entry);
  for (let level: u32 = 2; level <= levels; level++) {
    const psc = pscOf(agent, level);
    if (psc != 0 && livingOf(psc, pathTagIn(entry, place)) != 0) return true;
  }
  for (let source = entry; source != 0; source = load<usize>(source, CONTEXT_NEXT_SOURCE)) {
    if (load<u32>(source, CONTEXT_CACHED) && load<u32>(source, CONTEXT_PLACE) == place) return true;
    let cache: usize;
    // The lists of an agent stand one behind the other, each closed by 0.
    for (let at = agent + AGENT_L1; at < agent + AGENT_L2 + MAX_CACHES * sizeof<usize>(); at += sizeof<usize>()) {
      if ((cache = load<usize>(at)) != 0 && livingOf(cache, tagIn(source, place)) != 0) return true;
    }
  }
  return false;
}

/** Drops the PASID-cache entries of a PASID of a context's IOMMU that belong to a domain and a device; each may be ANY. */
export function dropPasidCache(near: usize, pasid: u32, domain: u32, device: u32): void {
  assert(!hasFlag(agentOf(near), IS_CPU), "a CPU has no PASID cache");
  let entry = firstEntry(near, pasid);
  if (entry == 0) return;
  drain(agentOf(near), pasid == ANY ? EVERY_TAG : nameOf(entry));
  for (; entry != 0; entry = nextEntry(entry, pasid)) {
    for (let source = entry; source != 0; source = load<usize>(source, CONTEXT_NEXT_SOURCE)) {
      if (device != ANY && load<u32>(source, CONTEXT_SOURCE_ID) != device) continue;
      if (domain == ANY || isDomain(entry, load<u32>(source, CONTEXT_PLACE), domain)) store<u32>(source, 0, CONTEXT_CACHED);
    }
  }
}

/** PASID-cache invalidation by hand: of a context's PASID, or of all on its IOMMU. */
export function invalidatePasidCache(context: usize, every: bool): void {
  count(agentOf(context), AGENT_INVALIDATIONS);
  dropPasidCache(context, every ? ANY : load<u32>(context, CONTEXT_PASID), ANY, ANY);
}

/**
 * Takes root, fields and domain of a context that the PASID cache does not hold from its PASID-table entry. The reason for which the
 * hardware refuses the entry, TRANSLATED if it does not; a CPU needs none.
 */
export function readPasidEntry(context: usize): u32 {
  if (load<u32>(context, CONTEXT_CACHED) || hasFlag(agentOf(context), IS_CPU)) return TRANSLATED;
  const entry = entryOf(context);
  const root = load<u64>(entry, CONTEXT_BOUND_ROOT);
  const fields = load<u32>(entry, CONTEXT_BOUND_FIELDS);
  store<u32>(context, fields, CONTEXT_FIELDS);
  const refused = refusalOfEntry(load<u32>(entry, CONTEXT_BOUND) != 0, root, fields);
  if (refused != TRANSLATED) return refused;
  store<u64>(context, root, CONTEXT_ROOT);
  // Bits 63:52 of entries are ignored since VT-d 4.1: XD is no reserved bit, and nothing fetches.
  setControls(context, NXE, 0);
  enterDomain(context, load<u32>(entry, CONTEXT_BOUND_PLACE));
  return TRANSLATED;
}
