// The lane of flushes: of everything, of one context each (INVPCID type 1), or of one page each (INVLPG), by one requester, or of one PASID
// each (PASID-selective), that follow each other in a program. Most are a few stores, and the way to them would take longer than they do.
//
// It is a copy of `flushEverything`, of `invlpg`, and of `invpcid` for that type (cpu.ts), and of `invalidatePages` for all pages
// (iommu.ts), for when no walk is under way.
// test/engine/lane.test.ts holds it to what single flushes do.

import { OP_FLUSH_ALL, OP_INVALIDATE_PASID, OP_INVLPG, OP_INVPCID } from "../base/operations";
import { count } from "../base/memory";
import { addressIn, argumentIn, OPERATION_SIZE, operationIn, requesterIn, typeIn } from "../base/record";
import { addressMask, isCanonical } from "../paging/mode";
import { PCIDE } from "../paging/x86-64/controls";
import { AGENT_INVALIDATIONS, leavesOf, pathsOf } from "./agent";
import { agentOf, controlsOf, tagOf } from "./context";
import { dropPagingStructures, INVPCID_CONTEXT } from "./cpu";
import { dropTranslations, flush, flushPasid, GLOBALS_AND_OTHER_TAGS, NOTHING } from "./invalidation";
import { contextOf } from "./requesters";
import { walksAreUnderWay } from "./walks";

/** Whether two records at least of the lane's kind begin here. */
// @ts-ignore: decorator
@inline
export function isFlushRun(at: usize, end: usize): bool {
  const operation = operationIn(at);
  const next = at + OPERATION_SIZE;
  if (operation == OP_INVALIDATE_PASID) return next < end && operationIn(next) == operation && !walksAreUnderWay();
  if (operation != OP_FLUSH_ALL && operation != OP_INVLPG && (operation != OP_INVPCID || typeIn(at) != INVPCID_CONTEXT)) return false;
  return next < end && load<u32>(next) == load<u32>(at) && !walksAreUnderWay();
}

/**
 * Plays records from `first` on while they are of the first one's kind; returns where it stopped, which is `first` if the instruction is a
 * general-protection fault. Results, 1 for each, go to `results`, unless that is 0.
 */
export function playFlushes(first: usize, end: usize, results: usize): usize {
  assert(isFlushRun(first, end), "no run of flushes begins here");
  const context = contextOf(requesterIn(first));
  const agent = agentOf(context);
  const operation = operationIn(first);
  let stopped = first;
  if (operation == OP_INVALIDATE_PASID) stopped = flushPasidEach(first, end);
  else {
    if (operation == OP_FLUSH_ALL) stopped = flushAllEach(first, end, agent);
    else if (operation == OP_INVLPG) stopped = invlpgEach(first, end, context, agent);
    else stopped = flushTagEach(first, end, agent, (controlsOf(context) & PCIDE) != 0);
    count(agent, AGENT_INVALIDATIONS, <u64>((stopped - first) / OPERATION_SIZE));
  }
  if (results != 0) for (let at = first; at < stopped; at += OPERATION_SIZE) store<u64>(results + ((at - first) >> 1), 1);
  return stopped;
}

function flushAllEach(first: usize, end: usize, agent: usize): usize {
  const head = load<u32>(first);
  const leaves = leavesOf(agent);
  const paths = pathsOf(agent);
  let at = first;
  do {
    flush(leaves, NOTHING, 0);
    flush(paths, NOTHING, 0);
    at += OPERATION_SIZE;
  } while (at < end && load<u32>(at) == head);
  return at;
}

/** `any`: whether a tag but 0 may be named. To name a PCID where there are none is what faults. */
function flushTagEach(first: usize, end: usize, agent: usize, any: bool): usize {
  const head = load<u32>(first);
  const leaves = leavesOf(agent);
  const paths = pathsOf(agent);
  let at = first;
  do {
    const tag = argumentIn(at);
    if (tag != 0 && !any) break;
    flush(leaves, GLOBALS_AND_OTHER_TAGS, tag);
    flush(paths, GLOBALS_AND_OTHER_TAGS, tag);
    at += OPERATION_SIZE;
  } while (at < end && load<u32>(at) == head);
  return at;
}

function invlpgEach(first: usize, end: usize, context: usize, agent: usize): usize {
  const head = load<u32>(first);
  const tag = tagOf(context);
  let at = first;
  do {
    const va = addressIn(at);
    if (isCanonical(va)) {
      dropTranslations(agent, va & addressMask, tag, true);
      dropPagingStructures(agent, va & addressMask, tag);
    }
    at += OPERATION_SIZE;
  } while (at < end && load<u32>(at) == head);
  return at;
}

function flushPasidEach(first: usize, end: usize): usize {
  let at = first;
  do {
    const context = contextOf(requesterIn(at));
    count(agentOf(context), AGENT_INVALIDATIONS);
    flushPasid(context);
    at += OPERATION_SIZE;
  } while (at < end && operationIn(at) == OP_INVALIDATE_PASID);
  return at;
}
