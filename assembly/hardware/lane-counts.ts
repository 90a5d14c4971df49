// The lane's books: which requester it is for, which record is which operation, and how far its hits have been counted. The loop
// (lane-hits.ts) counts nothing: what there was to count follows from how many records and how many ticks of the clock went by.
// And the accesses that are no hits, which take the plain path (translate.ts, iommu.ts).

import { operationNumber, setOperationNumber } from "../base/clock";
import { count } from "../base/memory";
import { addressIn, OPERATION_SIZE, OPERATION_TYPE, typeIn } from "../base/record";
import { GROUP_CLOCK } from "../cache/group";
import { CACHE_FILLS, CACHE_HITS, groupOf } from "../cache/layout";
import { withoutSpeculativeWrite } from "../paging/access";
import { isCanonical } from "../paging/mode";
import { AGENT_L1, AGENT_L2, AGENT_TRANSLATIONS, hasFlag, hasPlainCaches, IS_CPU } from "./agent";
import { agentOf } from "./context";
import { NOT_PLAYED, walkAlong, walkAlongBare } from "./lane-walk";
import { asAnswer, asRequest, request } from "./iommu";
import { countMisses, translate, translateFrom, walkNowhere } from "./translate";

/** In the first word of a record: all but the kind of access. */
const ALL_BUT_TYPE: u32 = ~(<u32>0xff << (8 * <u32>OPERATION_TYPE));

/** Whether the record at `at` is of the same requester as one whose first word is `head`. */
// @ts-ignore: decorator
@inline
export function isSameLane(at: usize, head: u32): bool {
  return ((load<u32>(at) ^ head) & ALL_BUT_TYPE) == 0;
}

// ---- what is known of an access that is no hit ----
/** Nothing. */
export const UNKNOWN: u32 = 0;
/** The first l1 cache has no small page for its address. */
export const NOT_IN_L1: u32 = 1;
/** No cache has anything for its address. */
export const NOWHERE: u32 = 2;

// ---- scratch: nothing survives a call ----
/** Who makes the accesses, and whether it is a device. */
export let laneContext: usize = 0;
export let ofDevice: bool = false;
/** Whether its walks may go along cached paths (lane-walk.ts); whether it is a CPU whose every access is a walk. */
let alongPaths: bool = false;
let withoutTlbs: bool = false;
/** Number of the operation that is the record at `begin`, and what each record adds. */
let number: u64 = 0;
let begin: usize = 0;
let step: u64 = 0;
/** The record before which all is counted, and the clock there. */
let countedTo: usize = 0;
let clockThere: u32 = 0;

/** A lane begins at a record. Each is an operation with a number of its own if `each` is 1, all have one if it is 0. */
export function openLane(context: usize, first: usize, each: u64): void {
  laneContext = context;
  const agent = agentOf(context);
  ofDevice = !hasFlag(agent, IS_CPU);
  alongPaths = !ofDevice && hasPlainCaches(agent);
  withoutTlbs = !ofDevice && (load<usize>(agent, AGENT_L1) | load<usize>(agent, AGENT_L2)) == 0;
  number = operationNumber();
  begin = first;
  step = each;
}

/** Says which operation a record is. */
// @ts-ignore: decorator
@inline
function isOperation(at: usize): void {
  setOperationNumber(number + step * <u64>((at - begin) / OPERATION_SIZE));
}

/** All before a record is counted; hits of the requester's caches begin there, where their clock is `now`. */
// @ts-ignore: decorator
@inline
export function countFrom(at: usize, now: u32): void {
  countedTo = at;
  clockThere = now;
}

/**
 * Counts the hits before a record, with what the clock is there. One of l1 is a tick; one of l2 is a tick more, for what it puts into a
 * full set of the first l1 cache.
 */
// @ts-ignore: decorator
@inline
export function countTo(at: usize, now: u32): void {
  if (at != countedTo) countRecords(<u32>((at - countedTo) / OPERATION_SIZE), now);
}

function countRecords(records: u32, now: u32): void {
  const ofL2 = <u64>(now - clockThere - records);
  const agent = agentOf(laneContext);
  const l1 = load<usize>(agent, AGENT_L1);
  assert(ofL2 <= records, "a hit has ticked more than twice");
  store<u32>(groupOf(l1), now, GROUP_CLOCK);
  count(agent, AGENT_TRANSLATIONS, records);
  count(l1, CACHE_HITS, <u64>records - ofL2);
  if (ofL2 == 0) return;
  countMisses(agent + AGENT_L1, ofL2);
  count(l1, CACHE_FILLS, ofL2);
  count(load<usize>(agent, AGENT_L2), CACHE_HITS, ofL2);
}

/** Accesses from `first` on, one; or, by a CPU without TLBs, all that follow each other. Returns where it stopped. */
export function playWalks(first: usize, end: usize, head: u32, results: usize): usize {
  const context = laneContext;
  let at = first;
  do {
    const va = addressIn(at);
    let known = UNKNOWN;
    let outcome = NOT_PLAYED;
    if (withoutTlbs && isCanonical(va)) {
      known = NOWHERE;
      if (alongPaths) outcome = walkAlongBare(context, agentOf(context), va, withoutSpeculativeWrite(typeIn(at)));
    }
    if (outcome == NOT_PLAYED) outcome = playPlainly(at, known);
    if (results != 0) store<u64>(results + ((at - first) >> 1), outcome);
    at += OPERATION_SIZE;
  } while (withoutTlbs && at < end && isSameLane(at, head));
  return at;
}

/** An access that is no hit, or may be none. */
export function playPlainly(at: usize, known: u32): u64 {
  const context = laneContext;
  const va = addressIn(at);
  const access = ofDevice ? asRequest(typeIn(at)) : typeIn(at);
  if (known == NOWHERE && alongPaths && !withoutTlbs) {
    const outcome = walkAlong(context, agentOf(context), va, withoutSpeculativeWrite(access));
    if (outcome != NOT_PLAYED) return outcome;
  }
  isOperation(at);
  if (known == UNKNOWN) return ofDevice ? request(context, va, typeIn(at)) : translate(context, va, access);
  const outcome =
    known == NOWHERE
      ? walkNowhere(context, agentOf(context), va, withoutSpeculativeWrite(access))
      : translateFrom(context, va, access, 0);
  return ofDevice ? asAnswer(context, access, outcome) : outcome;
}
