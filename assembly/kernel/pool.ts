// The kernel's frames: a stack of free ones, so that a frame just freed is the next to be given out, which is what an
// attacker gets (docs/rules.md section 8).

import { operationNumber } from "../base/clock";
import { NO_FREE_FRAME, refuse } from "../base/refusals";
import { clearContents } from "../paging/contents";
import {
  claimSlot,
  DATA,
  FREE,
  NO_SITE,
  noteFree,
  setMarks,
  setState,
  stateOf,
  TABLE,
  framesUsed,
} from "../paging/frames";
import { allocate } from "../base/memory";
import { OUT_OF_FRAMES, TABLES_ALLOCATED, TABLES_RELEASED, tally, tallySite } from "./counters";

/** How many frames are free; the stack itself holds slots. */
const FREE_COUNT: usize = memory.data(sizeof<u32>(), sizeof<u32>());

// ---- set up once ----
let stack: usize = 0;

/** Claims frames `base`..`base + frames - 1`; false if the frame store or memory is full. */
export function createPool(base: u64, frames: u32): bool {
  assert(frames != 0 && stack == 0, "the pool is made once, and not empty");
  stack = allocate(<usize>frames << 2);
  if (stack == 0) return false;
  for (let i: u32 = 0; i < frames; i++) {
    const slot = claimSlot(base + <u64>(frames - 1 - i));
    if (slot == 0) return false;
    store<u32>(stack + (<usize>i << 2), slot);
  }
  store<u32>(FREE_COUNT, frames);
  return true;
}

/** Whether so many frames are free; if not, what needs them is refused. */
export function needFrames(count: u32): bool {
  if (load<u32>(FREE_COUNT) >= count) return true;
  tally(OUT_OF_FRAMES);
  return refuse(NO_FREE_FRAME);
}

/** Slot of the next free frame, 0 if there is none: what needs it is refused. */
function pop(): u32 {
  if (!needFrames(1)) return 0;
  const left = load<u32>(FREE_COUNT);
  assert(left <= framesUsed(), "more frames are free than there are");
  store<u32>(FREE_COUNT, left - 1);
  return load<u32>(stack + (<usize>(left - 1) << 2));
}

/** A zeroed table, or 0. */
export function allocateTable(level: u32, marks: u8): u32 {
  const slot = pop();
  if (slot == 0) return 0;
  assert(stateOf(slot) == FREE, "a frame from the pool is not free");
  clearContents(slot);
  setState(slot, TABLE, <u8>level);
  setMarks(slot, marks);
  tally(TABLES_ALLOCATED);
  return slot;
}

/** A frame for someone's data, contents as they were, or 0. */
export function allocateData(): u32 {
  const slot = pop();
  assert(slot == 0 || stateOf(slot) == FREE, "a frame from the pool is not free");
  if (slot != 0) setState(slot, DATA, 0);
  return slot;
}

/** Gives a table's frame back; its contents stay until somebody takes it. Nothing if it is no table any more. */
export function release(slot: u32, site: u8): void {
  if (stateOf(slot) != TABLE) return;
  push(slot, site);
  tally(TABLES_RELEASED);
  tallySite(site);
}

/** Gives a data frame back: nobody's site. */
export function returnData(slot: u32): void {
  assert(stateOf(slot) == DATA, "only a data frame is given back so");
  push(slot, NO_SITE);
}

function push(slot: u32, site: u8): void {
  assert(stateOf(slot) != FREE, "the frame is free already");
  assert(load<u32>(FREE_COUNT) < framesUsed(), "more frames come back than there are");
  setState(slot, FREE, 0);
  noteFree(slot, site, operationNumber());
  const free = load<u32>(FREE_COUNT);
  store<u32>(stack + (<usize>free << 2), slot);
  store<u32>(FREE_COUNT, free + 1);
}

/** How many frames of the pool are free. */
export function freeFrames(): u32 {
  return load<u32>(FREE_COUNT);
}

/** Slot at a place of the stack of free frames; the last one is next. */
export function freeSlotAt(place: u32): u32 {
  assert(place < load<u32>(FREE_COUNT), "no frame is free at this place");
  return load<u32>(stack + (<usize>place << 2));
}
