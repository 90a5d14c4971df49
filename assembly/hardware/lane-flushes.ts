// The lane of flushes: of everything, of one context each (INVPCID type 1), or of one page each (INVLPG), by one requester, that follow
// each other in a program. Most are a few stores, and the way to them would take longer than they do.
//
// It is a copy of `flushEverything`, and of `invpcid` for that type (cpu.ts), for when no walk is under way.
// test/engine/lane.test.ts holds it to what single flushes do.

import { OP_FLUSH_ALL, OP_INVLPG, OP_INVPCID } from "../base/operations";
import { count } from "../base/memory";
import { addressIn, argumentIn, OPERATION_SIZE, operationIn, requesterIn, typeIn } from "../base/record";
import { PCIDE } from "../paging/x86-64/controls";
import { AGENT_INVALIDATIONS, hasFlag, IS_CPU } from "./agent";
import { agentOf, controlsOf } from "./context";
import { INVPCID_CONTEXT, invlpg } from "./cpu";
import { flushBoth, GLOBALS_AND_OTHER_TAGS, NOTHING } from "./invalidation";
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
  const head = load<u32>(first);
  const context = contextOf(requesterIn(first));
  const agent = agentOf(context);
  const keep = operationIn(first) == OP_FLUSH_ALL ? NOTHING : GLOBALS_AND_OTHER_TAGS;
  // To name a PCID but 0 where there are none is what faults.
  const any = keep == NOTHING || !hasFlag(agent, IS_CPU) || (controlsOf(context) & PCIDE) != 0;
  const onePage = operationIn(first) == OP_INVLPG;
  let at = first;
  do {
    if (onePage) invlpg(context, addressIn(at));
    else {
      const tag = argumentIn(at);
      if (tag != 0 && !any) break;
      flushBoth(agent, keep, tag);
    }
    if (results != 0) store<u64>(results + ((at - first) >> 1), 1);
    at += OPERATION_SIZE;
  } while (at < end && load<u32>(at) == head);
  if (!onePage) count(agent, AGENT_INVALIDATIONS, <u64>((at - first) / OPERATION_SIZE));
  return at;
}
