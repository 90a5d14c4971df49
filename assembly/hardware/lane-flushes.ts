// The lane of flushes: of everything, of one context each (INVPCID type 1), or of one page each (INVLPG), by one requester, that follow
// each other in a program. Most are a few stores, and the way to them would take longer than they do.
//
// It is a copy of `flushEverything`, of `invlpg`, and of `invpcid` for that type (cpu.ts), for when no walk is under way.
// test/engine/lane.test.ts holds it to what single flushes do.

import { OP_FLUSH_ALL, OP_INVLPG, OP_INVPCID } from "../base/operations";
import { count } from "../base/memory";
import { addressIn, argumentIn, OPERATION_SIZE, operationIn, requesterIn, typeIn } from "../base/record";
import { addressMask, isCanonical } from "../paging/mode";
import { PCIDE } from "../paging/x86-64/controls";
import { AGENT_INVALIDATIONS, hasFlag, IS_CPU, leavesOf, pathsOf } from "./agent";
import { agentOf, controlsOf, tagOf } from "./context";
import { dropPagingStructures, INVPCID_CONTEXT } from "./cpu";
import { dropTranslations, flush, GLOBALS_AND_OTHER_TAGS, NOTHING } from "./invalidation";
import { contextOf } from "./requesters";
import { walksAreUnderWay } from "./walks";

/** Whether two records at least of the lane's kind begin here. */
// @ts-ignore: decorator
@inline
export function isFlushRun(at: usize, end: usize): bool {
  const operation = operationIn(at);
  if (operation != OP_FLUSH_ALL && operation != OP_INVLPG && (operation != OP_INVPCID || typeIn(at) != INVPCID_CONTEXT)) return false;
  const next = at + OPERATION_SIZE;
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
  const stopped =
    operation == OP_FLUSH_ALL
      ? flushAllEach(first, end, agent)
      : operation == OP_INVLPG
        ? invlpgEach(first, end, context, agent)
        : flushTagEach(first, end, agent, !hasFlag(agent, IS_CPU) || (controlsOf(context) & PCIDE) != 0);
  count(agent, AGENT_INVALIDATIONS, <u64>((stopped - first) / OPERATION_SIZE));
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
