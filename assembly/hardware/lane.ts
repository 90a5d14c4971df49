// The lane: accesses of one requester that follow each other in a program, of a CPU or of a device without a TLB of its own. Hits are
// played in one loop (lane-hits.ts), what is no hit by the plain path (lane-counts.ts).
// test/engine/lane.test.ts holds it to what single accesses do.

import { operationNumber, setOperationNumber } from "../base/clock";
import { OP_ACCESS } from "../base/operations";
import { OPERATION_SIZE, putRecord, requesterIn } from "../base/record";
import { GROUP_CLOCK } from "../cache/group";
import { groupOf, seenIn } from "../cache/layout";
import { CLOCK_LIMIT } from "../cache/living";
import { AGENT_L1, SMALL } from "./agent";
import { agentOf, CONTEXT_CACHED } from "./context";
import { isSameLane, laneContext, ofDevice, openLane, playWalks } from "./lane-counts";
import { knows, playHits } from "./lane-hits";
import { countWalks } from "./lane-walk";
import { accessInline, contextOf, hasDeviceTlb } from "./requesters";

/** Ticks before the clock's limit at which the lane leaves hits to `translate`: more than records are played at once. */
const MARGIN: u32 = 1 << 24;

/** Whether accesses of a requester have a lane: it is a CPU, or a device without a TLB of its own. */
// @ts-ignore: decorator
@inline
export function hasLane(requester: u32): bool {
  return !hasDeviceTlb(requester);
}

/** Whether the access after one at `at` is of the same requester: what enters the lane for one alone pays more than it saves. */
// @ts-ignore: decorator
@inline
export function isRun(at: usize, end: usize): bool {
  return at + OPERATION_SIZE < end && isSameLane(at + OPERATION_SIZE, load<u32>(at));
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

/**
 * Plays records from `first` on, one or more, for as long as they are accesses of one requester. Returns where it stopped; each outcome
 * goes to `results`, unless that is 0. Each is an operation with a number of its own if `each` is 1, all have one if it is 0.
 */
export function playLane(first: usize, end: usize, results: usize, each: u64): usize {
  assert(<u32>((end - first) / OPERATION_SIZE) < MARGIN >> 2, "the clock may run past its limit");
  openLane(contextOf(requesterIn(first)), first, each);
  const head = load<u32>(first);
  let at = first;
  let out = results;
  do {
    const begin = at;
    const l1 = answering();
    if (l1 != 0) at = playHits(l1, at, end, out);
    else at = playWalks(at, end, head, out);
    if (out != 0) out += (at - begin) >> 1;
  } while (at < end && isSameLane(at, head));
  countWalks(agentOf(laneContext));
  return at;
}

/** The first l1 cache if the loop may play, else 0: it holds small pages, and a device's PASID is known. */
// @ts-ignore: decorator
@inline
function answering(): usize {
  const l1 = load<usize>(agentOf(laneContext), AGENT_L1);
  if (l1 == 0 || (seenIn(l1) & SMALL) == 0 || !knows(l1)) return 0;
  if (load<u32>(groupOf(l1), GROUP_CLOCK) >= CLOCK_LIMIT - MARGIN) return 0;
  return ofDevice && load<u32>(laneContext, CONTEXT_CACHED) == 0 ? 0 : l1;
}
