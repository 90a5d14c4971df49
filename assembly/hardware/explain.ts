// Walks without side effects: `probe` answers what `translate` would answer now, caches included; `explain` says what
// the tables say, whatever is cached. Both leave the chain of entries that they read.

import {
  ABSENT,
  attemptedBits,
  ERROR_P,
  fault,
  isUser,
  NO_PASID,
  NON_CANONICAL,
  NOT_PRESENT,
  SUPERVISOR_PAGE,
  withoutSpeculativeWrite,
} from "../paging/access";
import {
  AGENT_FLAGS,
  AGENT_L1,
  AGENT_L2,
  addressMask,
  agentOf,
  CONTEXT_CONTROLS,
  CONTEXT_ROOT,
  CONTEXT_TAG,
  checkOf,
  isCanonical,
  levels,
  pscOf,
  reservedBits,
  STOP_AT_SUPERVISOR,
} from "./agent";
import { dataAt, levelAt } from "../cache/layout";
import { find } from "../cache/lookup";
import { accumulate, FRAME, isLeaf, KEY, leafFrame, P, RIGHTS, RW, STALE, shiftOf, US } from "../paging/entry";
import { slotOf } from "../paging/frames";
import { readPasidEntry } from "./iommu";
import { allowsAsCached, allowsOnceDirty, refusal } from "../paging/rights";
import { lookUp } from "./translate";
import { entryAddress, malformed, PSC_KEY, translated } from "./walk";

/** The entries read, at most one a level: 16 bytes each, the entry, then its table's frame number << 12 | level. */
export const CHAIN: usize = memory.data(5 * 16, 16);
export let chainLength: u32 = 0;

export function explain(context: usize, va: u64, access: u32): u64 {
  chainLength = 0;
  if (!isCanonical(va)) return fault(NON_CANONICAL, 0, 0);
  if (!readPasidEntry(context)) return fault(NO_PASID, 0, 0);
  return descend(context, va, withoutSpeculativeWrite(access), levels, load<u64>(context, CONTEXT_ROOT), RW | US);
}

export function probe(context: usize, va: u64, access: u32): u64 {
  chainLength = 0;
  if (!isCanonical(va)) return fault(NON_CANONICAL, 0, 0);
  if (!readPasidEntry(context)) return fault(NO_PASID, 0, 0);
  access = withoutSpeculativeWrite(access);
  const agent = agentOf(context);
  const page = va & addressMask;
  const tag = load<u32>(context, CONTEXT_TAG);
  const cached = probeList(context, agent + AGENT_L1, va, access) || probeList(context, agent + AGENT_L2, va, access);
  if (cached != 0) return cached;
  for (let level: u32 = 2; level <= levels; level++) {
    const psc = pscOf(agent, level);
    const key: usize = psc == 0 ? 0 : find(psc, page >> shiftOf(level), PSC_KEY, tag);
    if (key == 0) continue;
    const entry = load<u64>(dataAt(psc, key));
    return descend(context, va, access, level - 1, (entry & FRAME) >> 12, entry & RIGHTS);
  }
  return descend(context, va, access, levels, load<u64>(context, CONTEXT_ROOT), RW | US);
}

/** The outcome from the caches of a list, 0 if none of them answers. */
function probeList(context: usize, list: usize, va: u64, access: u32): u64 {
  const check = checkOf(context, access);
  let cache: usize;
  while ((cache = load<usize>(list)) != 0) {
    const key = lookUp(cache, va & addressMask, load<u32>(context, CONTEXT_TAG));
    if (key != 0) {
      const leaf = load<u64>(dataAt(cache, key)) & ~STALE;
      if (allowsAsCached(check, leaf)) return translated(leaf, levelAt(key), va);
      if (!allowsOnceDirty(check, leaf)) return refusal(context, access, leaf, levelAt(key));
    }
    list += 4;
  }
  return 0;
}

function descend(context: usize, va: u64, access: u32, from: u32, root: u64, path: u64): u64 {
  const stops = isUser(access) && (load<u32>(agentOf(context), AGENT_FLAGS) & STOP_AT_SUPERVISOR) != 0;
  const attempted = attemptedBits(access, load<u32>(context, CONTEXT_CONTROLS));
  let level = from;
  let frame = root;
  let rights = path;
  while (true) {
    const slot = slotOf(frame);
    if (slot == 0) return fault(ABSENT, level, frame);
    const entry = load<u64>(entryAddress(slot, va, level));
    const link = CHAIN + (<usize>chainLength << 4);
    chainLength++;
    store<u64>(link, entry);
    store<u64>(link, (frame << 12) | <u64>level, 8);
    if (!(entry & P)) return fault(NOT_PRESENT, level, attempted);
    const leaf = isLeaf(entry, level);
    if (entry & reservedBits(context, level, leaf)) return malformed(context, access, level);
    rights = accumulate(rights, entry);
    if (leaf) {
      const cached = leafFrame(entry, level) | (entry & KEY) | rights;
      const refused = refusal(context, access, cached, level);
      return refused != 0 ? refused : translated(cached, level, va);
    }
    if (stops && !(rights & US)) return fault(SUPERVISOR_PAGE, level, ERROR_P | attempted);
    frame = (entry & FRAME) >> 12;
    level--;
  }
}
