// The frame store: frames that are, or once were, page tables, sparse over all frame numbers.
// A frame number maps to a slot for the life of the machine; a slot has contents (contents.ts), a state and a generation,
// raised every time the frame is freed or given a new use. Slot 0 is no frame: the outcome "absent".

import { allocate } from "../base/memory";
import { FRAME_BITS, MAX_LEVELS } from "./format";
import { addSlot, createSlots, dropSlot, slotOf } from "./slots";

export const FREE: u8 = 0;
export const TABLE: u8 = 1;
export const DATA: u8 = 2;
/** How many states there are. */
export const FRAME_STATES: u8 = 3;

// ---- what a walk asks of a frame, 8 bytes per slot so that many fit into a cache line ----
export const STANDING_GENERATION: usize = 0;
export const STANDING_STATE: usize = STANDING_GENERATION + 4;
const STANDING_LEVEL: usize = STANDING_STATE + 1;
const STANDING_MARKS: usize = STANDING_LEVEL + 1;
const STANDING_SITE: usize = STANDING_MARKS + 1;
const STANDING_SHIFT: usize = 3;
export const STANDING_SIZE: usize = 1 << STANDING_SHIFT;

// ---- what else is known of it ----
export const META_FRAME: usize = 0;
export const META_FREED_AT: usize = META_FRAME + 8;
const META_HELD_SINCE: usize = META_FREED_AT + 8;
const META_SHIFT: usize = 5;
export const META_SIZE: usize = 1 << META_SHIFT;

if (STANDING_SITE + 1 != STANDING_SIZE) ERROR("a standing is one 64-bit word, and is read as such");
if (META_HELD_SINCE + 8 > META_SIZE) ERROR("what else is known of a frame does not fit into its 2^META_SHIFT bytes");

/** In place of a site: nobody has freed the frame. */
export const NO_SITE: u8 = 0xff;

/** State of a live table in the word that `standing` gives. */
export const LIVE_TABLE: u64 = (<u64>TABLE) << (8 * <u64>STANDING_STATE);

// ---- marks of a table ----
/** The ptdesc flag of the merged fix: a kernel table, whose free is deferred. */
export const MARK_KERNEL: u8 = 1;
/** Reserved at boot: never deferred. */
export const MARK_BOOT: u8 = 2;
/** On the deferred list. */
export const MARK_DEFERRED: u8 = 4;

// ---- set up once ----
let standings: usize = 0;
let meta: usize = 0;
let touched: usize = 0;
let capacity: u32 = 0;
let used: u32 = 0;
/** A slot whose frame was deleted, 0 if there is none; each says where META_FRAME was which is the next. */
let spare: u32 = 0;

/** Room for what is known of `frames` frames; called once. False if memory cannot hold it. */
export function createFrames(frames: u32): bool {
  if (capacity != 0 || !createSlots(frames)) return false;
  standings = allocate((<usize>frames + 1) << STANDING_SHIFT);
  meta = allocate((<usize>frames + 1) << META_SHIFT);
  touched = allocate(<usize>frames + 1);
  if (standings == 0 || meta == 0 || touched == 0) return false;
  capacity = frames;
  return true;
}

/** How many frames there is room for; slots are 1 to this. */
export function frameCapacity(): u32 {
  return capacity;
}

/** Slot of a frame number, made if need be (state free, contents zero); 0 if the store is full. */
export function claimSlot(frame: u64): u32 {
  assert(capacity != 0, "there is no frame store");
  assert(used <= capacity, "the frame store holds more than its capacity");
  const known = slotOf(frame);
  if (known != 0) return known;
  if ((spare == 0 && used == capacity) || frame >> FRAME_BITS != 0) return 0;
  const slot = spare != 0 ? spare : ++used;
  if (slot == spare) spare = <u32>frameOf(slot);
  addSlot(frame, slot);
  store<u64>(metaOf(slot), frame, META_FRAME);
  store<u8>(standingOf(slot), NO_SITE, STANDING_SITE);
  return slot;
}

/** Claims frames that follow each other, in slots that do so too if none was claimed before, with this state. False if they do not fit. */
export function claimFrames(first: u64, count: u32, state: u8): bool {
  for (let i: u32 = 0; i < count; i++) {
    const slot = claimSlot(first + <u64>i);
    if (slot == 0) return false;
    store<u8>(standingOf(slot), state, STANDING_STATE);
  }
  return true;
}

/**
 * Takes a frame out of the store: nothing is found under its number any more, and its slot goes to the next frame that is claimed.
 * The host has zeroed the slot's contents and all else that is known of it, and forgets where caches lead to it.
 */
export function deleteFrame(slot: u32): void {
  assert(slotOf(frameOf(slot)) == slot, "the frame is not in the store");
  dropSlot(frameOf(slot), slot);
  store<u64>(metaOf(slot), spare, META_FRAME);
  spare = slot;
}

/** Where stands what is known of a slot besides its standing: the frame number first. */
// @ts-ignore: decorator
@inline
export function metaOf(slot: u32): usize {
  assert(slot != 0 && slot <= used, "no frame has this slot");
  return meta + (<usize>slot << META_SHIFT);
}

/** Where the standing of a slot is: what a walk asks of its frame, in 8 bytes. */
// @ts-ignore: decorator
@inline
export function standingOf(slot: u32): usize {
  assert(slot <= used, "no frame has this slot");
  return standings + (<usize>slot << STANDING_SHIFT);
}

/** Frame number of a slot. */
// @ts-ignore: decorator
@inline
export function frameOf(slot: u32): u64 {
  return load<u64>(metaOf(slot), META_FRAME);
}

/** How often the use of a slot's frame has changed. */
// @ts-ignore: decorator
@inline
export function generationOf(slot: u32): u32 {
  return load<u32>(standingOf(slot), STANDING_GENERATION);
}

/** State of a slot's frame: free, table or data. */
// @ts-ignore: decorator
@inline
export function stateOf(slot: u32): u8 {
  return load<u8>(standingOf(slot), STANDING_STATE);
}

/** Generation in the low half, state in the next byte: what a pointer to a live table of this generation must find. */
// @ts-ignore: decorator
@inline
export function standing(slot: u32): u64 {
  return load<u64>(standingOf(slot)) & 0xff_ffff_ffff;
}

// @ts-ignore: decorator
@inline
export function marksOf(slot: u32): u8 {
  return load<u8>(standingOf(slot), STANDING_MARKS);
}

export function setMarks(slot: u32, marks: u8): void {
  assert((marks & ~(MARK_KERNEL | MARK_BOOT | MARK_DEFERRED)) == 0, "there is no such mark");
  assert(stateOf(slot) == TABLE, "only a table has marks");
  store<u8>(standingOf(slot), marks, STANDING_MARKS);
  touch(slot);
}

/** Notes which site freed a table, in which operation. */
export function noteFree(slot: u32, site: u8, operation: u64): void {
  assert(stateOf(slot) == FREE, "the frame is not free");
  store<u8>(standingOf(slot), site, STANDING_SITE);
  store<u64>(metaOf(slot), operation, META_FREED_AT);
  touch(slot);
}

export function siteOf(slot: u32): u8 {
  return load<u8>(standingOf(slot), STANDING_SITE);
}

export function freedAt(slot: u32): u64 {
  return load<u64>(metaOf(slot), META_FREED_AT);
}

export function holdSince(slot: u32, time: u64): void {
  store<u64>(metaOf(slot), time, META_HELD_SINCE);
  touch(slot);
}

export function heldSince(slot: u32): u64 {
  return load<u64>(metaOf(slot), META_HELD_SINCE);
}

/** Gives a frame a new state; its generation rises. */
export function setState(slot: u32, state: u8, level: u8): void {
  assert(slot != 0, "slot 0 is no frame");
  assert(state <= DATA && level <= <u8>MAX_LEVELS, "there is no such state or level");
  const at = standingOf(slot);
  store<u8>(at, state, STANDING_STATE);
  store<u8>(at, level, STANDING_LEVEL);
  assert(load<u32>(at, STANDING_GENERATION) != <u32>-1, "the generations of a frame have run out");
  store<u32>(at, load<u32>(at, STANDING_GENERATION) + 1, STANDING_GENERATION);
  touch(slot);
}

/** Level as which the frame was made a table; 0 if it is none, or nobody said. */
export function levelOf(slot: u32): u8 {
  return load<u8>(standingOf(slot), STANDING_LEVEL);
}

/** How many slots there are: the last one given out. */
export function framesUsed(): u32 {
  return used;
}

/** Says that contents, or what is known, of a slot are no longer what the latest snapshot holds of it. */
// @ts-ignore: decorator
@inline
export function touch(slot: u32): void {
  store<u8>(touched + slot, 1);
}

/** The first slot from one on of which something has been written since the latest snapshot or restore; 0 if there is none. */
export function nextTouched(from: u32): u32 {
  for (let slot = from; slot <= used; slot++) {
    if ((slot & 7) == 0) while (slot + 8 <= used && load<u64>(touched + slot) == 0) slot += 8;
    if (load<u8>(touched + slot)) return slot;
  }
  return 0;
}

/** Forgets which slots have been written to: all is as a snapshot holds it. */
export function forgetTouched(): void {
  memory.fill(touched, 0, <usize>used + 1);
}
