// The lane: accesses of one requester that follow each other in a program, of a CPU or of a device without a TLB of its own, played
// in one loop. The common case, a hit of a small page in the first l1 cache, is inlined and makes no call, so the host's compiler
// keeps its values in registers; clock and counters are written down when something else looks at them.
//
// It is a copy of the first lines of `translate` and of `ask` (translate.ts, iommu.ts); whatever it does not know goes through
// them. test/engine/lane.test.ts holds it to what single accesses do.

import { operationNumber, setOperationNumber } from "../base/clock";
import { count } from "../base/memory";
import { OP_ACCESS } from "../base/operations";
import { addressIn, OPERATION_SIZE, OPERATION_TYPE, putRecord, requesterIn, typeIn } from "../base/record";
import { GROUP_CLOCK } from "../cache/group";
import { CACHE_HITS, CACHE_SEEN, dataAt, groupOf, TIME_USED, timesAt } from "../cache/layout";
import { CLOCK_LIMIT } from "../cache/living";
import { find } from "../cache/lookup";
import { withoutSpeculativeWrite } from "../paging/access";
import { allowsAsCached, answerOf, shiftOf } from "../paging/format";
import { addressMask, isCanonical } from "../paging/mode";
import { AGENT_L1, AGENT_TRANSLATIONS, hasFlag, IS_CPU, SMALL } from "./agent";
import { agentOf, checkOf, CONTEXT_CACHED, tagOf } from "./context";
import { isInterruptAddress } from "./fault-report";
import { asAnswer, asRequest, request } from "./iommu";
import { accessInline, contextOf, hasDeviceTlb } from "./requesters";
import { translate, translateFrom } from "./translate";

/** Ticks before the clock's limit at which the lane leaves hits to `translate`: more than records are played at once. */
const MARGIN: u32 = 1 << 24;

/** Whether accesses of a requester have a lane: it is a CPU, or a device without a TLB of its own. */
// @ts-ignore: decorator
@inline
export function hasLane(requester: u32): bool {
  return !hasDeviceTlb(requester);
}

/** In the first word of a record: all but the kind of access. */
const ALL_BUT_TYPE: u32 = ~(<u32>0xff << (8 * <u32>OPERATION_TYPE));

/**
 * Translates `count` addresses at `at` for one kind of access; each is replaced by its outcome. `records` is room for as many records,
 * which the lane plays: it is quicker to write them than to have it twice.
 */
export function accessAll(requester: u32, at: usize, count: u32, access: u32, records: usize): void {
  assert((at & 7) == 0, "the addresses are not aligned");
  const end = at + (<usize>count << 3);
  if (!hasLane(requester)) {
    for (let place = at; place < end; place += 8) store<u64>(place, accessInline(requester, load<u64>(place), access));
    return;
  }
  let record = records;
  for (let place = at; place < end; place += 8) {
    putRecord(record, OP_ACCESS, access, requester, 0, load<u64>(place));
    record += OPERATION_SIZE;
  }
  const number = operationNumber();
  playLane(records, record, at, 0);
  setOperationNumber(number);
}

/**
 * Plays records from `first` on, one or more, for as long as they are accesses of one requester. Returns where it stopped; each outcome
 * goes to `results`, unless that is 0. Each is an operation with a number of its own if `step` is 1, all have one if it is 0.
 */
export function playLane(first: usize, end: usize, results: usize, step: u64): usize {
  assert(<u32>((end - first) / OPERATION_SIZE) < MARGIN, "the clock may run past its limit");
  const context = contextOf(requesterIn(first));
  const agent = agentOf(context);
  const device = !hasFlag(agent, IS_CPU);
  const l1 = load<usize>(agent, AGENT_L1);
  const group: usize = l1 == 0 ? 0 : groupOf(l1);
  const head = load<u32>(first) & ALL_BUT_TYPE;
  const number = operationNumber();
  let at = first;
  let out = results;
  let now = load<u32>(group, GROUP_CLOCK);
  let then = now;
  let tag = tagOf(context);
  let usable = mayHit(context, l1, device);
  do {
    const va = addressIn(at);
    const access = withoutSpeculativeWrite(device ? asRequest(typeIn(at)) : typeIn(at));
    let outcome: u64 = 0;
    let key: usize = 0;
    const plain = usable && isCanonical(va);
    if (plain) {
      key = find(l1, (va & addressMask) >> shiftOf(1), 1, tag);
      if (key != 0) {
        const leaf = load<u64>(dataAt(l1, key));
        outcome = answerOf(leaf, 1, va);
        if (!allowsAsCached(checkOf(context, access), leaf) || (device && isInterruptAddress(outcome))) outcome = 0;
        else store<u32>(timesAt(l1, key), ++now, TIME_USED);
      }
    }
    if (outcome == 0) {
      settle(agent, l1, now, then);
      setOperationNumber(number + step * <u64>((at - first) / OPERATION_SIZE));
      if (plain && key == 0) {
        outcome = translateFrom(context, va, device ? access : typeIn(at), 0);
        if (device) outcome = asAnswer(context, access, outcome);
      } else {
        outcome = device ? request(context, va, typeIn(at)) : translate(context, va, typeIn(at));
        tag = tagOf(context);
      }
      then = now = load<u32>(group, GROUP_CLOCK);
      usable = mayHit(context, l1, device);
    }
    if (results != 0) {
      store<u64>(out, outcome);
      out += 8;
    }
    at += OPERATION_SIZE;
  } while (at < end && (load<u32>(at) & ALL_BUT_TYPE) == head);
  settle(agent, l1, now, then);
  return at;
}

/** Whether the first l1 cache may answer: it holds small pages, and a device's PASID is known. */
// @ts-ignore: decorator
@inline
function mayHit(context: usize, l1: usize, device: bool): bool {
  return (
    l1 != 0 &&
    (load<u32>(l1, CACHE_SEEN) & SMALL) != 0 &&
    load<u32>(groupOf(l1), GROUP_CLOCK) < CLOCK_LIMIT - MARGIN &&
    (!device || load<u32>(context, CONTEXT_CACHED) != 0)
  );
}

/** Writes down the hits since a time. */
// @ts-ignore: decorator
@inline
function settle(agent: usize, l1: usize, now: u32, then: u32): void {
  if (now == then) return;
  const hits = <u64>(now - then);
  store<u32>(groupOf(l1), now, GROUP_CLOCK);
  count(l1, CACHE_HITS, hits);
  count(agent, AGENT_TRANSLATIONS, hits);
}
