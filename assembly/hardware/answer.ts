// What a device with a TLB makes of the answer to its translation request, and the page request that may follow (docs/rules.md
// section 16; VT-d 4.2.3.1, 6.5.3.1, 7.4).

import { DOMAINS_OF_PASID } from "../base/limits";
import { count } from "../base/memory";
import { isWrite, SPECULATIVE } from "../paging/access";
import { refusal } from "../paging/format";
import { addressMask } from "../paging/mode";
import {
  isFault,
  levelOfOutcome,
  NOT_PRESENT,
  NOT_RECORDED,
  reasonOf,
  RESERVED,
  SUPERVISOR_PAGE,
  WRITE_REFUSED,
} from "../paging/outcome";
import { AGENT_PAGE_REQUESTS, AMD_COMMANDS, hasFlag } from "./agent";
import { agentOf, CONTEXT_NEXT_SOURCE, controlsOf, entryOf, formatOf, nameOf, pathTagIn, tagIn } from "./context";
import { numbered, overlapsRefused } from "./fault-report";
import { dropPathRange, dropTranslationRange } from "./invalidation";
import { answeredLeaf, fillDeviceTlb } from "./walk";

// ---- what a device does ----
/** It sends a page request for what is refused and can be mended (PRI). */
export const PAGE_REQUESTS: u32 = 1;
/** Its translation requests for reads say No-Write. */
export const NO_WRITE: u32 = 1 << 1;

/** In the error code of a fault. */
const ERROR_W: u64 = 1 << 1;
const PAGE_OFFSET: u64 = 0xfff;

/** The answer goes into the device's TLB, and may still not allow what the device wants itself. */
export function takeAnswer(deviceTlb: usize, device: u32, context: usize, va: u64, own: u32, answer: u64): u64 {
  const outcome = isFault(answer) ? asRefused(agentOf(context), own, answer) : asAnswered(deviceTlb, context, va, own, answer);
  if (isFault(outcome) && device & PAGE_REQUESTS) pageRequest(context, va, own, outcome);
  return outcome;
}

function asAnswered(deviceTlb: usize, context: usize, va: u64, own: u32, answer: u64): u64 {
  const agent = agentOf(context);
  const level = levelOfOutcome(answer);
  const leaf = answeredLeaf;
  if (!overlapsRefused(agent, answer, level)) fillDeviceTlb(deviceTlb, nameOf(context), va, answer);
  // A read-only page has answered a write: the device refuses it by itself.
  const refused = refusal(formatOf(context), controlsOf(context), own, leaf, level);
  return refused == 0 ? answer : numbered(context, refused) | (hasFlag(agent, AMD_COMMANDS) ? 0 : NOT_RECORDED);
}

/** A fault as the device's access has it: what a page request could mend is no fault on record, but an answer without rights. */
function asRefused(agent: usize, own: u32, outcome: u64): u64 {
  if (hasFlag(agent, AMD_COMMANDS)) return outcome;
  const reason = reasonOf(outcome);
  const written = isWrite(own) && (reason == NOT_PRESENT || reason == SUPERVISOR_PAGE || reason == RESERVED) ? ERROR_W : 0;
  return outcome | written | (canBeMended(reason) ? NOT_RECORDED : 0);
}

/** Whether software could map the page so that the access is allowed. */
function canBeMended(reason: u32): bool {
  return reason == NOT_PRESENT || reason == SUPERVISOR_PAGE || reason == WRITE_REFUSED;
}

/** The IOMMU drops what it holds of the page and PASID, as for a descriptor with AM = 0 and IH = 0; it waits for no walk. */
function pageRequest(context: usize, va: u64, own: u32, outcome: u64): void {
  if (own & SPECULATIVE || !canBeMended(reasonOf(outcome))) return;
  const agent = agentOf(context);
  const entry = entryOf(context);
  const first = va & addressMask & ~PAGE_OFFSET;
  const last = first | PAGE_OFFSET;
  count(agent, AGENT_PAGE_REQUESTS);
  for (let place: u32 = 0; place < DOMAINS_OF_PASID; place++) {
    for (let source = entry; source != 0; source = load<usize>(source, CONTEXT_NEXT_SOURCE))
      dropTranslationRange(agent, first, last, tagIn(source, place), false);
    dropPathRange(agent, first, last, pathTagIn(entry, place));
  }
}
