// What of static memory a snapshot brings back although it decides nothing of what comes after: counters, the clock of programs, places
// in a list of points, what is written before it is read. For a host that asks whether two states are the same but for these. All else
// is kept: what is forgotten here makes two states differ that do not, never the other way round.

import { CLOCK, CLOCK_SIZE } from "../base/clock";
import { NESTED, NEXT, REACHED } from "../base/points";
import { CLEARED, RECORDED } from "../hardware/hazard";
import { COUNTERS as QUEUE, QUEUE_COUNTERS } from "../hardware/queue/counters";
import { COUNTERS, FREED_AT_SITE, KERNEL_COUNTERS } from "../kernel/counters";
import { BATCH_AGENT, BATCHED } from "../kernel/driver";
import { SITES } from "../kernel/sites";
import { PATH, PATH_SIZE } from "../kernel/user";

if (NEXT != REACHED + 4 || NESTED != NEXT + 4) ERROR("the words of points do not follow each other");
if (CLEARED != RECORDED + 8) ERROR("CLEARED does not follow RECORDED");
if (FREED_AT_SITE != COUNTERS + KERNEL_COUNTERS * 8) ERROR("FREED_AT_SITE does not follow COUNTERS");
if (BATCH_AGENT != BATCHED + 4) ERROR("BATCH_AGENT does not follow BATCHED");

/** Pairs of an address and how many bytes, closed by 0. */
export const TALLIES: usize = memory.data<u32>([
  // How far the points of a program have been counted: set when it begins.
  <u32>REACHED, 12,
  // Told by records and counters only.
  <u32>CLOCK, <u32>CLOCK_SIZE,
  <u32>RECORDED, 16,
  <u32>COUNTERS, (KERNEL_COUNTERS + <u32>SITES) * 8,
  <u32>QUEUE, QUEUE_COUNTERS * 8,
  // Decides which descriptor of a round is counted with a wait; every round begins anew.
  <u32>BATCHED, 8,
  // Written on the way down before it is read.
  <u32>PATH, <u32>PATH_SIZE,
  0,
]);
