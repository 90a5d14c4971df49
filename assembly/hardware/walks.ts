// Walks under way: what a walk that is made step by step remembers between two steps (docs/rules.md section 14). Making the
// steps is step.ts's business; walk.ts leaves a walk here that was only to begin.

import { MAX_WALKS } from "../base/limits";
import { fault, UNDER_WAY } from "../paging/outcome";
import { CONTEXT_SIZE } from "./context";

// ---- a walk ----
/** Number of the requester + 1; 0: no walk of this number is under way. */
export const WALK_REQUESTER: usize = 0;
export const WALK_ACCESS: usize = WALK_REQUESTER + 4;
export const WALK_ADDRESS: usize = WALK_ACCESS + 4;
/** Level of the entry that the next step reads or marks, and the frame of its table, as the pointer to it said. */
export const WALK_LEVEL: usize = WALK_ADDRESS + 8;
/** A or D, which the next step sets in the entry that was read; 0: it reads. */
export const WALK_MARKS: usize = WALK_LEVEL + 4;
export const WALK_FRAME: usize = WALK_MARKS + 4;
/** The host looks no further. */
export const WALK_SHOWN_END: usize = WALK_FRAME + 8;
/** Slot of the table and generation of the frame when the pointer to it was read. */
export const WALK_SLOT: usize = WALK_SHOWN_END;
export const WALK_GENERATION: usize = WALK_SLOT + 4;
/** Rights of the path to the table. */
export const WALK_RIGHTS: usize = WALK_GENERATION + 4;
/** The entry that is to be marked: as it was read, where it stands, and the generation of the table below when it was read. */
export const WALK_ENTRY: usize = WALK_RIGHTS + 8;
export const WALK_AT: usize = WALK_ENTRY + 8;
export const WALK_BELOW: usize = WALK_AT + 8;
/** The site that the walk's hazard counts for, and the hazard's record (see `worsen`), 0 if it has met none. */
export const WALK_SITE: usize = WALK_BELOW + 4;
export const WALK_RECORD: usize = WALK_SITE + 4;
/** Whether that record says of writes already. */
export const WALK_WROTE: usize = WALK_RECORD + 8;
/** TLB of the device that asked; 0 or 1: none. */
export const WALK_DEVICE_TLB: usize = WALK_WROTE + 4;
/** What the device that asked wants itself, and from bit OWN_BITS on what it does (answer.ts). */
export const WALK_OWN: usize = WALK_DEVICE_TLB + 4;
/** The context as it was when the walk began. */
export const WALK_CONTEXT: usize = (WALK_OWN + 4 + 7) & ~7;
export const WALK_SIZE: usize = (WALK_CONTEXT + CONTEXT_SIZE + 7) & ~7;

if (WALK_FRAME % 8 != 0 || WALK_RIGHTS % 8 != 0 || WALK_AT % 8 != 0 || WALK_RECORD % 8 != 0 || WALK_CONTEXT % 8 != 0)
  ERROR("the 64-bit fields of a walk are not aligned");

/** Bits of an access. */
export const OWN_BITS: u32 = 8;

const WALKS: usize = memory.data(<i32>(MAX_WALKS * <u32>WALK_SIZE), sizeof<u64>());
const WALKS_UNDER_WAY: usize = memory.data(sizeof<u32>(), sizeof<u32>());

// ---- scratch: nothing survives a call ----
/** The walk that the access in hand shall only begin; 0: accesses walk to the end. */
export let beginning: usize = 0;

export function onlyBegin(walk: usize): void {
  beginning = walk;
}

/** Where a walk under way stands, by its number. */
// @ts-ignore: decorator
@inline
export function walkAt(number: u32): usize {
  assert(number < MAX_WALKS, "no walk has this number");
  return WALKS + <usize>number * WALK_SIZE;
}

// @ts-ignore: decorator
@inline
export function isUnderWay(walk: usize): bool {
  return load<u32>(walk, WALK_REQUESTER) != 0;
}

/** Whether any walk is. */
// @ts-ignore: decorator
@inline
export function walksAreUnderWay(): bool {
  return load<u32>(WALKS_UNDER_WAY) != 0;
}

/** The walk that is only to begin stands before the entry of a level in a table. */
export function hold(context: usize, va: u64, access: u32, level: u32, frame: u64, slot: u32, generation: u32, rights: u64): u64 {
  const walk = beginning;
  assert(walk != 0 && isUnderWay(walk), "no walk is to begin");
  beginning = 0;
  memory.copy(walk + WALK_CONTEXT, context, CONTEXT_SIZE);
  store<u64>(walk, va, WALK_ADDRESS);
  store<u32>(walk, access, WALK_ACCESS);
  store<u64>(walk, 0, WALK_RECORD);
  store<u32>(walk, 0, WALK_WROTE);
  store<u32>(WALKS_UNDER_WAY, load<u32>(WALKS_UNDER_WAY) + 1);
  return standBefore(walk, level, frame, slot, generation, rights);
}

/** The next step reads the entry of a level; the walk's outcome so far. */
export function standBefore(walk: usize, level: u32, frame: u64, slot: u32, generation: u32, rights: u64): u64 {
  store<u32>(walk, level, WALK_LEVEL);
  store<u32>(walk, 0, WALK_MARKS);
  store<u64>(walk, frame, WALK_FRAME);
  store<u32>(walk, slot, WALK_SLOT);
  store<u32>(walk, generation, WALK_GENERATION);
  store<u64>(walk, rights, WALK_RIGHTS);
  return fault(UNDER_WAY, level, 0);
}

/** The walk has ended. */
export function letGo(walk: usize): void {
  assert(isUnderWay(walk) && walksAreUnderWay(), "the walk is not under way");
  store<u32>(walk, 0, WALK_REQUESTER);
  store<u32>(WALKS_UNDER_WAY, load<u32>(WALKS_UNDER_WAY) - 1);
}
