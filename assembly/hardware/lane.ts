// The lane: accesses of one requester that follow each other in a program, of a CPU or of a device without a TLB of its own, played
// in one loop. The common case, a hit of a small page in the first l1 cache, is inlined and makes no call, so the host's compiler
// keeps its values in registers; clock and counters are written down when something else looks at them.
//
// It is a copy of the first lines of `translate`, of `translateFrom` and of `ask` (translate.ts, iommu.ts); whatever it does not know
// goes through them. test/engine/lane.test.ts holds it to what single accesses do.

import { operationNumber, setOperationNumber } from "../base/clock";
import { count } from "../base/memory";
import { OP_ACCESS } from "../base/operations";
import { addressIn, OPERATION_SIZE, OPERATION_TYPE, putRecord, requesterIn, typeIn } from "../base/record";
import { put } from "../cache/fill";
import { GROUP_CLOCK } from "../cache/group";
import { CACHE_FILLS, CACHE_HITS, CACHE_SEEN, dataAt, groupOf, TIME_USED, timesAt } from "../cache/layout";
import { CLOCK_LIMIT } from "../cache/living";
import { find } from "../cache/lookup";
import { withoutSpeculativeWrite } from "../paging/access";
import { allowsAsCached, answerOf, shiftOf } from "../paging/format";
import { addressMask, isCanonical } from "../paging/mode";
import { AGENT_L1, AGENT_L2, AGENT_TRANSLATIONS, hasFlag, IS_CPU, SMALL } from "./agent";
import { agentOf, checkOf, CONTEXT_CACHED, tagOf } from "./context";
import { isInterruptAddress } from "./fault-report";
import { asAnswer, asRequest, request } from "./iommu";
import { accessInline, contextOf, hasDeviceTlb } from "./requesters";
import { countMisses, isSmallOnly, translate, translateFrom, walkNowhere } from "./translate";

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

/** Whether the access after one at `at` is of the same requester: what enters the lane for one alone pays more than it saves. */
// @ts-ignore: decorator
@inline
export function isRun(at: usize, end: usize): bool {
  return at + OPERATION_SIZE < end && ((load<u32>(at) ^ load<u32>(at + OPERATION_SIZE)) & ALL_BUT_TYPE) == 0;
}

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

// ---- scratch: nothing survives a call ----
// What the loop looks at after a miss only: its hits find the rest in registers.
/** The clock when counters were last written down. */
let then: u32 = 0;
/** Number of the operation before the record at `begin`, and what each record adds. */
let number: u64 = 0;
let begin: usize = 0;
let step: u64 = 0;

/**
 * Plays records from `first` on, one or more, for as long as they are accesses of one requester. Returns where it stopped; each outcome
 * goes to `results`, unless that is 0. Each is an operation with a number of its own if `each` is 1, all have one if it is 0.
 */
export function playLane(first: usize, end: usize, results: usize, each: u64): usize {
  assert(<u32>((end - first) / OPERATION_SIZE) < MARGIN >> 1, "the clock may run past its limit");
  const context = contextOf(requesterIn(first));
  number = operationNumber();
  begin = first;
  step = each;
  if (hasFlag(agentOf(context), IS_CPU)) return playOf(context, first, end, results, false);
  return playOf(context, first, end, results, true);
}

// @ts-ignore: decorator
@inline
function playOf(context: usize, first: usize, end: usize, results: usize, device: bool): usize {
  const head = load<u32>(first) & ALL_BUT_TYPE;
  let at = first;
  let out = results;
  let tag = tagOf(context);
  let l1 = answering(context, device);
  let now = clockOf(l1);
  then = now;
  do {
    const va = addressIn(at);
    const access = withoutSpeculativeWrite(device ? asRequest(typeIn(at)) : typeIn(at));
    let outcome: u64 = 0;
    if (l1 != 0 && isCanonical(va)) {
      const key = find(l1, (va & addressMask) >> shiftOf(1), 1, tag);
      if (key == 0) {
        outcome = missed(context, l1, va, access, tag, now, at, device);
        l1 = answering(context, device);
        then = now = clockOf(l1);
      } else {
        const leaf = load<u64>(dataAt(l1, key));
        if (allowsAsCached(checkOf(context, access), leaf)) {
          outcome = answerOf(leaf, 1, va);
          if (device && isInterruptAddress(outcome)) outcome = 0;
          else store<u32>(timesAt(l1, key), ++now, TIME_USED);
        }
      }
    }
    if (outcome == 0) {
      if (l1 != 0) settle(context, l1, now);
      isOperation(at);
      outcome = device ? request(context, va, typeIn(at)) : whole(context, va, access, at);
      tag = tagOf(context);
      l1 = answering(context, device);
      then = now = clockOf(l1);
    }
    if (out != 0) {
      store<u64>(out, outcome);
      out += 8;
    }
    at += OPERATION_SIZE;
  } while (at < end && (load<u32>(at) & ALL_BUT_TYPE) == head);
  if (l1 != 0) settle(context, l1, now);
  return at;
}

/** The first l1 cache if it may answer, else 0: it holds small pages, and a device's PASID is known. */
// @ts-ignore: decorator
@inline
function answering(context: usize, device: bool): usize {
  const l1 = load<usize>(agentOf(context), AGENT_L1);
  if (l1 == 0 || (load<u32>(l1, CACHE_SEEN) & SMALL) == 0 || clockOf(l1) >= CLOCK_LIMIT - MARGIN) return 0;
  return device && load<u32>(context, CONTEXT_CACHED) == 0 ? 0 : l1;
}

// @ts-ignore: decorator
@inline
function clockOf(cache: usize): u32 {
  return cache == 0 ? 0 : load<u32>(groupOf(cache), GROUP_CLOCK);
}

/** The whole translation for a CPU. One without TLBs has no more to look at than whether the address is canonical. */
function whole(context: usize, va: u64, access: u32, at: usize): u64 {
  const agent = agentOf(context);
  if (load<usize>(agent, AGENT_L1) != 0 || load<usize>(agent, AGENT_L2) != 0 || !isCanonical(va)) return translate(context, va, typeIn(at));
  return walkNowhere(context, agent, va, access);
}

/** Says which operation a record is. */
// @ts-ignore: decorator
@inline
function isOperation(at: usize): void {
  setOperationNumber(number + step * <u64>((at - begin) / OPERATION_SIZE));
}

/** Not in l1, as far as small pages go: l2, then a walk. */
function missed(context: usize, l1: usize, va: u64, access: u32, tag: u32, now: u32, at: usize, device: bool): u64 {
  settle(context, l1, now);
  const agent = agentOf(context);
  if (isSmallOnly(agent)) {
    const l2 = load<usize>(agent, AGENT_L2);
    const page = (va & addressMask) >> shiftOf(1);
    const key: usize = l2 == 0 ? 0 : find(l2, page, 1, tag);
    if (key != 0) {
      const leaf = load<u64>(dataAt(l2, key));
      if (allowsAsCached(checkOf(context, access), leaf)) {
        count(agent, AGENT_TRANSLATIONS);
        countMisses(agent + AGENT_L1);
        count(l2, CACHE_HITS);
        store<u32>(timesAt(l2, key), now + 1, TIME_USED);
        // The tag has been filled since it was flushed, or l2 would not have its entry.
        put(l1, page, load<u64>(key), leaf, now + 2);
        count(l1, CACHE_FILLS);
        store<u32>(groupOf(l1), now + 2, GROUP_CLOCK);
        const outcome = answerOf(leaf, 1, va);
        return device ? asAnswer(context, access, outcome) : outcome;
      }
    } else {
      isOperation(at);
      const outcome = walkNowhere(context, agent, va, access);
      return device ? asAnswer(context, access, outcome) : outcome;
    }
  }
  isOperation(at);
  const outcome = translateFrom(context, va, device ? access : typeIn(at), 0);
  return device ? asAnswer(context, access, outcome) : outcome;
}

/** Writes down the hits of l1 since `then`. */
// @ts-ignore: decorator
@inline
function settle(context: usize, l1: usize, now: u32): void {
  const hits = <u64>(now - then);
  if (hits == 0) return;
  store<u32>(groupOf(l1), now, GROUP_CLOCK);
  count(l1, CACHE_HITS, hits);
  count(agentOf(context), AGENT_TRANSLATIONS, hits);
}
