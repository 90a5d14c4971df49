// Walks without side effects: `probe` answers what `translate` would answer now, caches included; `explain` says what
// the tables say, whatever is cached. Both leave the chain of entries that they read.

import { dataAt, levelAt } from "../cache/layout";
import { findPathRarely } from "../cache/lookup";
import { withoutSpeculativeWrite } from "../paging/access";
import { EntryAt } from "../paging/contents";
import { descend } from "../paging/descent";
import {
  answerOf,
  cachedLeaf,
  FULL_RIGHTS,
  frameIn,
  MAX_LEVELS,
  PAGE_SHIFT,
  refusal,
  rightsOfPath,
  STALE,
  STALE_RIGHTS,
  shiftOf,
} from "../paging/format";
import { addressMask, isCanonical, levels } from "../paging/mode";
import { fault, NON_CANONICAL, TRANSLATED } from "../paging/outcome";
import { tableAt } from "../paging/tables";
import { AGENT_L1, AGENT_L2, hasFlag, IS_CPU, pscOf } from "./agent";
import { agentOf, checkOf, controlsOf, formatOf, pathTagOf, rootOf, tagOf } from "./context";
import { asIommu, numbered } from "./fault-report";
import { judge, lookUpRarely, MISS, REFUSED } from "./hit";
import { asRequest } from "./iommu";
import { readPasidEntry } from "./pasid";
import { Request } from "./request";

/** A link of the chain: the entry, then its table's frame number << 12 | level. */
export const LINK_ENTRY: usize = 0;
export const LINK_PLACE: usize = LINK_ENTRY + 8;
export const LINK_SIZE: usize = LINK_PLACE + 8;

// ---- scratch: nothing survives a call ----
/** The entries read, at most one per level. */
export const CHAIN: usize = memory.data(MAX_LEVELS * <u32>LINK_SIZE, sizeof<u64>());
/** Links of the chain that the latest `probe` or `explain` left. */
export let chainLength: u32 = 0;

/** What the tables say of an access now, whatever is cached but in the PASID cache; without side effects. Leaves the chain. */
export function explain(context: usize, va: u64, asked: u32): u64 {
  const refused = refusedByEntry(context);
  return refused != 0 ? refused : asAgent(context, explainFor(context, va, accessOf(context, asked)));
}

/** What the agent makes of an access. */
function accessOf(context: usize, asked: u32): u32 {
  const access = withoutSpeculativeWrite(asked);
  return hasFlag(agentOf(context), IS_CPU) ? access : asRequest(access);
}

/** The fault of a PASID-table entry that the hardware refuses; 0 if there is none, or no such entry. */
function refusedByEntry(context: usize): u64 {
  chainLength = 0;
  const refused = readPasidEntry(context);
  return refused == TRANSLATED ? 0 : numbered(context, fault(refused, 0, 0));
}

/** An outcome as the agent gives it. */
function asAgent(context: usize, outcome: u64): u64 {
  return hasFlag(agentOf(context), IS_CPU) ? outcome : asIommu(context, outcome);
}

function explainFor(context: usize, va: u64, access: u32): u64 {
  if (!isCanonical(va)) return fault(NON_CANONICAL, 0, 0);
  return explainFrom(context, va, access, levels, rootOf(context), FULL_RIGHTS);
}

/** What an access would be answered now, caches included; without side effects. Leaves the chain, if a walk would be made. */
export function probe(context: usize, va: u64, asked: u32): u64 {
  const refused = refusedByEntry(context);
  return refused != 0 ? refused : asAgent(context, probeFor(context, va, accessOf(context, asked)));
}

function probeFor(context: usize, va: u64, access: u32): u64 {
  if (!isCanonical(va)) return fault(NON_CANONICAL, 0, 0);
  const agent = agentOf(context);
  const page = va & addressMask;
  const cached = probeList(context, agent + AGENT_L1, va, access) || probeList(context, agent + AGENT_L2, va, access);
  if (cached != 0) return cached;
  for (let level: u32 = 2; level <= levels; level++) {
    const psc = pscOf(agent, level);
    const key: usize = psc == 0 ? 0 : findPathRarely(psc, page >> shiftOf(level), pathTagOf(context));
    if (key == 0) continue;
    const path = load<u64>(dataAt(psc, key));
    return explainFrom(context, va, access, level - 1, frameIn(path), rightsOfPath(path));
  }
  return explainFrom(context, va, access, levels, rootOf(context), FULL_RIGHTS);
}

/** The outcome from the caches of a list, 0 if none of them answers. */
function probeList(context: usize, list: usize, va: u64, access: u32): u64 {
  let cache: usize;
  while ((cache = load<usize>(list)) != 0) {
    const key = lookUpRarely(cache, va & addressMask, tagOf(context));
    const leaf = key == 0 ? 0 : load<u64>(dataAt(cache, key)) & ~(STALE | STALE_RIGHTS);
    const verdict = key == 0 ? MISS : judge(checkOf(context, access), leaf);
    if (verdict == REFUSED) return refusal(formatOf(context), controlsOf(context), access, leaf, levelAt(key));
    if (verdict != MISS) return answerOf(leaf, levelAt(key), va);
    list += sizeof<usize>();
  }
  return 0;
}

function explainFrom(context: usize, va: u64, access: u32, level: u32, frame: u64, path: u64): u64 {
  const visitor = changetype<Explain>(context);
  return descend<Explain>(visitor, context, va, access, level, frame, tableAt(context, frame), path);
}

/** Notes each entry read; changes nothing. */
@unmanaged
class Explain extends Request {
  @inline
  target(level: u32, at: EntryAt): u64 {
    return 0;
  }

  @inline
  read(entry: u64, level: u32, frame: u64): void {
    const link = CHAIN + <usize>chainLength * LINK_SIZE;
    assert(chainLength < MAX_LEVELS, "the chain is longer than there are levels");
    chainLength++;
    store<u64>(link, entry, LINK_ENTRY);
    store<u64>(link, (frame << PAGE_SHIFT) | <u64>level, LINK_PLACE);
  }

  @inline
  leaf(context: usize, va: u64, access: u32, level: u32, at: EntryAt, entry: u64, rights: u64): u64 {
    const leaf = cachedLeaf(entry, level, va, rights, false);
    const refused = refusal(formatOf(context), controlsOf(context), access, leaf, level);
    return refused != 0 ? refused : answerOf(leaf, level, va);
  }

  @inline
  enter(context: usize, va: u64, level: u32, at: EntryAt, entry: u64, rights: u64, frame: u64): u32 {
    return tableAt(context, frame);
  }
}
