// What a device with a TLB makes of the answer to its translation request, and the page request that may follow (docs/rules.md
// section 16; VT-d 4.2.3.1, 6.5.3.1, 7.1.3, 7.4).

import { count } from "../base/memory";
import { isWrite, SPECULATIVE } from "../paging/access";
import { allowsAsCached, refusal } from "../paging/format";
import { addressMask } from "../paging/mode";
import {
  fault,
  INTERRUPT_RANGE,
  isFault,
  levelOfOutcome,
  NO_PASID,
  NON_CANONICAL,
  NOT_PRESENT,
  NOT_RECORDED,
  reasonOf,
  RESERVED,
  SUPERVISOR_PAGE,
  WRITE_REFUSED,
} from "../paging/outcome";
import { AGENT_FAULTS, AGENT_PAGE_REQUESTS, AMD_COMMANDS, hasFlag } from "./agent";
import {
  agentOf,
  checkOf,
  CONTEXT_NEXT_SOURCE,
  CONTEXT_PLACE,
  CONTEXT_SOURCE_ID,
  controlsOf,
  entryOf,
  formatOf,
  nameOf,
  pathTagIn,
  tagIn,
} from "./context";
import { numbered, overlapsRefused } from "./fault-report";
import { fillDeviceTlb } from "./fills";
import { dropPath, dropTranslations } from "./invalidation";
import { answeredLeaf } from "./walk";

// ---- what a device does ----
/** It sends a page request for what is refused and can be mended (PRI). */
export const PAGE_REQUESTS: u32 = 1;
/** Its translation requests for reads say No-Write. */
export const NO_WRITE: u32 = 1 << 1;

/** In the error code of a fault. */
const ERROR_W: u64 = 1 << 1;

/**
 * The answer goes into the device's TLB (`absent`: which has nothing for the address), and may still not allow what the device wants
 * itself.
 */
export function takeAnswer(deviceTlb: usize, device: u32, context: usize, va: u64, own: u32, answer: u64, absent: bool): u64 {
  const outcome = isFault(answer)
    ? asRefused(agentOf(context), own, answer)
    : asAnswered(deviceTlb, context, va, own, answer, absent);
  if (isFault(outcome) && device & PAGE_REQUESTS) pageRequest(context, va, own, outcome);
  return outcome;
}

// @ts-ignore: decorator
@inline
function asAnswered(deviceTlb: usize, context: usize, va: u64, own: u32, answer: u64, absent: bool): u64 {
  const agent = agentOf(context);
  const level = levelOfOutcome(answer);
  const leaf = answeredLeaf;
  if (overlapsRefused(agent, answer, level)) {
    // The answer would be the page, all of it, and part of that is refused (SGN.8.2).
    if (!(own & SPECULATIVE)) count(agent, AGENT_FAULTS);
    return numbered(context, fault(INTERRUPT_RANGE, level, 0));
  }
  fillDeviceTlb(deviceTlb, nameOf(context), va, level, leaf, absent);
  if (allowsAsCached(checkOf(context, own), leaf)) return answer;
  // A read-only page has answered a write: the device refuses it by itself.
  const refused = refusal(formatOf(context), controlsOf(context), own, leaf, level);
  return refused == 0 ? answer : numbered(context, refused) | (hasFlag(agent, AMD_COMMANDS) ? 0 : NOT_RECORDED);
}

/** A fault as the device's access has it: most are no fault on record, but an answer without rights (VT-d 7.1.3, table 30). */
function asRefused(agent: usize, own: u32, outcome: u64): u64 {
  if (hasFlag(agent, AMD_COMMANDS)) return outcome;
  const reason = reasonOf(outcome);
  const written = isWrite(own) && (reason == NOT_PRESENT || reason == SUPERVISOR_PAGE || reason == RESERVED) ? ERROR_W : 0;
  return outcome | written | (isAnswered(reason) ? NOT_RECORDED : 0);
}

/** Whether a translation request that meets this is answered, without the rights; the others are aborted and recorded. */
function isAnswered(reason: u32): bool {
  return reason == NO_PASID || reason == RESERVED || reason == NON_CANONICAL || canBeMended(reason);
}

/** Whether software could map the page so that the access is allowed. */
function canBeMended(reason: u32): bool {
  return reason == NOT_PRESENT || reason == SUPERVISOR_PAGE || reason == WRITE_REFUSED;
}

/** The IOMMU drops what it holds of the page, domain and PASID, as for a descriptor with AM = 0 and IH = 0; it waits for no walk. */
function pageRequest(context: usize, va: u64, own: u32, outcome: u64): void {
  if (own & SPECULATIVE || !canBeMended(reasonOf(outcome))) return;
  const agent = agentOf(context);
  const page = va & addressMask;
  count(agent, AGENT_PAGE_REQUESTS);
  const entry = entryOf(context);
  const place = placeOf(entry, load<u32>(context, CONTEXT_SOURCE_ID));
  for (let source = entry; source != 0; source = load<usize>(source, CONTEXT_NEXT_SOURCE))
    dropTranslations(agent, page, tagIn(source, place), false);
  dropPath(agent, page, pathTagIn(entry, place));
}

/** Place of the domain that a device's requests used last: a walk under way keeps that which it began with. */
function placeOf(entry: usize, sourceId: u32): u32 {
  let source = entry;
  while (load<u32>(source, CONTEXT_SOURCE_ID) != sourceId) source = load<usize>(source, CONTEXT_NEXT_SOURCE);
  assert(source != 0, "the PASID has no such device");
  return load<u32>(source, CONTEXT_PLACE);
}
