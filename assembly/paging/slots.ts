// From frame numbers to slots of the frame store (frames.ts): a hash table whose searches go on to the next bucket. It is at most half
// full, so that each search ends.

import { allocate } from "../base/memory";
import { FRAME_BITS } from "./format";

/** Buckets hold frame number (40 bits on x86-64) and slot (the other 24); 0 is empty, since slot 0 is never stored. */
const SLOT_BITS: u64 = 64 - FRAME_BITS;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;

if (FRAME_BITS + SLOT_BITS != 64) ERROR("a bucket holds a frame number and a slot in 64 bits");

/** 2^64 divided by the golden ratio: spreads neighbouring frame numbers over the buckets. */
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

// ---- set up once ----
let buckets: usize = 0;
let bucketShift: u64 = 0;
let bucketMask: u64 = 0;

/** Room for slots 1 to `slots`; called once. False if that is none or too many, or memory cannot hold them. */
export function createSlots(slots: u32): bool {
  if (slots == 0 || slots > <u32>SLOT_MASK - 1) return false;
  let bits: u64 = 4;
  while ((<u64>1 << bits) < <u64>slots * 2) bits++;
  buckets = allocate(<usize>(<u64>8 << bits));
  bucketShift = 64 - bits;
  bucketMask = (<u64>1 << bits) - 1;
  return buckets != 0;
}

/** The bucket where the search for a frame number begins. */
// @ts-ignore: decorator
@inline
function firstFor(frame: u64): u64 {
  return (frame * SPREAD) >> bucketShift;
}

// @ts-ignore: decorator
@inline
function nextTo(bucket: u64): u64 {
  return (bucket + 1) & bucketMask;
}

// @ts-ignore: decorator
@inline
function bucketAt(bucket: u64): usize {
  return buckets + (<usize>bucket << 3);
}

/** Slot of a frame number, 0 if the store does not hold it. */
// @ts-ignore: decorator
@inline
export function slotOf(frame: u64): u32 {
  let bucket = firstFor(frame);
  let entry = load<u64>(bucketAt(bucket));
  while (entry != 0) {
    if (entry >> SLOT_BITS == frame) return <u32>(entry & SLOT_MASK);
    bucket = nextTo(bucket);
    entry = load<u64>(bucketAt(bucket));
  }
  return 0;
}

/** Where buckets are, for a loop that wants to know it once only. */
// @ts-ignore: decorator
@inline
export function bucketsAt(): usize {
  return buckets;
}

// @ts-ignore: decorator
@inline
export function bucketsShift(): u64 {
  return bucketShift;
}

/** The same as `slotOf`, whose first bucket it looks at by itself. */
// @ts-ignore: decorator
@inline
export function slotFrom(first: usize, shift: u64, frame: u64): u32 {
  const entry = load<u64>(first + (<usize>((frame * SPREAD) >> shift) << 3));
  // An empty bucket may be taken for that of frame 0, in slot 0: no frame.
  return entry >> SLOT_BITS == frame ? <u32>(entry & SLOT_MASK) : slotBehind(frame);
}

function slotBehind(frame: u64): u32 {
  return slotOf(frame);
}

/** Notes the slot of a frame number that has none. */
export function addSlot(frame: u64, slot: u32): void {
  assert(slot != 0 && slotOf(frame) == 0, "slot 0 is no frame, or the frame has a slot");
  let bucket = firstFor(frame);
  while (load<u64>(bucketAt(bucket)) != 0) bucket = nextTo(bucket);
  store<u64>(bucketAt(bucket), (frame << SLOT_BITS) | slot);
}

/** Forgets the slot of a frame number. */
export function dropSlot(frame: u64, slot: u32): void {
  assert(slotOf(frame) == slot, "the frame has another slot");
  let hole = firstFor(frame);
  while (<u32>(load<u64>(bucketAt(hole)) & SLOT_MASK) != slot) hole = nextTo(hole);
  for (let bucket = hole; ; ) {
    bucket = nextTo(bucket);
    const entry = load<u64>(bucketAt(bucket));
    // What stands behind the hole moves up, unless that would put it before the bucket where its search begins.
    const begins = firstFor(entry >> SLOT_BITS);
    if (entry != 0 && ((bucket - begins) & bucketMask) < ((bucket - hole) & bucketMask)) continue;
    store<u64>(bucketAt(hole), entry);
    if (entry == 0) break;
    hole = bucket;
  }
}
