// Contents of frames in the engine's own memory: 4 KiB for each slot, and nobody writes there while the engine plays.

import { allocate } from "../../base/memory";
import { PAGE_SHIFT } from "../format";
import { createFrames, framesUsed, touch } from "../frames";

/** Where an entry stands: an address in linear memory. */
export type EntryAt = usize;

/** Whether somebody else may write to an entry between its read and its marking. */
export const MAY_CHANGE: bool = false;

const PAGE: usize = 1 << PAGE_SHIFT;

// ---- set up once ----
let pages: usize = 0;

/** Room for `frames` frames; called once. False if memory cannot hold them. */
export function createFrameStore(frames: u32): bool {
  const contents = (<u64>frames + 1) << <u64>PAGE_SHIFT;
  if (!createFrames(frames) || contents >= 0xfff0_0000) return false;
  pages = allocate(<usize>contents);
  return pages != 0;
}

/** Where contents begin, as if slot 0 had some: for a loop that wants to know it once only. */
// @ts-ignore: decorator
@inline
export function contentsBase(): usize {
  return pages;
}

/** Where an entry of a table stands, by what `contentsBase` gave. */
// @ts-ignore: decorator
@inline
export function entryIn(base: usize, table: u32, frame: u64, index: u32): EntryAt {
  return base + (<usize>table << <usize>PAGE_SHIFT) + (<usize>index << 3);
}

/** Address of the contents of a slot in linear memory. */
// @ts-ignore: decorator
@inline
export function contentsOf(slot: u32): usize {
  assert(slot != 0 && slot <= framesUsed(), "no frame has this slot");
  return pages + (<usize>slot << <usize>PAGE_SHIFT);
}

/** Where the entries of a slot's table begin. */
// @ts-ignore: decorator
@inline
export function entriesOf(slot: u32): EntryAt {
  return contentsOf(slot);
}

/** The slot in whose contents an entry stands. */
// @ts-ignore: decorator
@inline
export function slotAround(at: EntryAt): u32 {
  return <u32>((at - pages) >> <usize>PAGE_SHIFT);
}

/** Whether an entry of some frame stands at an address. For assertions. */
export function holdsEntry(at: EntryAt): bool {
  return (at & 7) == 0 && at >= pages + PAGE && at < pages + ((<usize>framesUsed() + 1) << <usize>PAGE_SHIFT);
}

// @ts-ignore: decorator
@inline
export function loadEntry(at: EntryAt): u64 {
  return load<u64>(at);
}

/** Writes an entry, or any 64-bit word, of a frame. */
// @ts-ignore: decorator
@inline
export function setEntry(at: EntryAt, entry: u64): void {
  assert(holdsEntry(at), "no entry of a frame stands here");
  store<u64>(at, entry);
  touch(slotAround(at));
}

/** Sets marks in an entry that was read before; false if it has changed since, then it stays. */
// @ts-ignore: decorator
@inline
export function markEntry(at: EntryAt, entry: u64, marked: u64): bool {
  setEntry(at, marked);
  return true;
}

/** The same where another operation may have come in between. */
// @ts-ignore: decorator
@inline
export function exchangeEntry(at: EntryAt, entry: u64, marked: u64): bool {
  if (load<u64>(at) != entry) return false;
  setEntry(at, marked);
  return true;
}

/** Whether all 512 entries of a table are 0. */
export function isEmpty(slot: u32): bool {
  const end = contentsOf(slot) + PAGE;
  for (let at = contentsOf(slot); at < end; at += 64) {
    const a = v128.or(v128.load(at), v128.load(at, 16));
    const b = v128.or(v128.load(at, 32), v128.load(at, 48));
    if (v128.any_true(v128.or(a, b))) return false;
  }
  return true;
}

/** Zeroes the contents of a slot. */
export function clearContents(slot: u32): void {
  memory.fill(contentsOf(slot), 0, PAGE);
  touch(slot);
}

/** Zeroes entries that follow each other in one table. */
export function clearEntries(first: EntryAt, count: usize): void {
  memory.fill(first, 0, count << 3);
  touch(slotAround(first));
}

/** Copies bytes from one frame's contents to the same place of another's. */
export function copyContents(from: u32, to: u32, offset: usize, bytes: usize): void {
  memory.copy(contentsOf(to) + offset, contentsOf(from) + offset, bytes);
  touch(to);
}
