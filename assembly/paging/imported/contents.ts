// Contents of frames in memory of a host's, reached by two imported functions (docs/rules.md section 18, from 18.11 on): the first
// slots are frames of that memory. The others, tables that were added by hand or a kernel's pool beside it, have contents here, as in
// store/contents.ts.

import { allocate } from "../../base/memory";
import { ENTRIES, PAGE_SHIFT } from "../format";
import { createFrames, frameOf, framesUsed, touch } from "../frames";
import { slotOf } from "../slots";

/** The word at a physical address, a multiple of 8. */
// @ts-ignore: decorator
@external("memory", "load")
declare function loadFrom(address: u64): u64;

/** Puts a word in the place of another, in one step; what stood there. If that was not the expected one, it still does. */
// @ts-ignore: decorator
@external("memory", "compareExchange")
declare function exchangeIn(address: u64, expected: u64, replacement: u64): u64;

/** Where an entry stands: an address in linear memory, or in the host's memory a physical address with this mark. */
export type EntryAt = u64;
const HOSTS: u64 = 1 << 63;

/** Whether somebody else may write to an entry between its read and its marking. */
export const MAY_CHANGE: bool = true;

const PAGE: usize = 1 << PAGE_SHIFT;

// ---- set up once ----
/** How many slots, the first ones, are frames of the host's memory. */
let hosts: u32 = 0;
/** Where contents begin, as if the last of those had some. */
let pages: usize = 0;

/** How many of the frames, the first that are claimed, are the host's; called before the frame store is made. */
export function setHostFrames(frames: u32): void {
  assert(pages == 0, "the frame store is made already");
  hosts = frames;
}

/** Room for `frames` frames, the host's among them; called once. False if memory cannot hold them. */
export function createFrameStore(frames: u32): bool {
  assert(frames >= hosts, "more frames are the host's than there are");
  const contents = (<u64>(frames - hosts) + 1) << <u64>PAGE_SHIFT;
  if (!createFrames(frames) || contents >= 0xfff0_0000) return false;
  pages = allocate(<usize>contents);
  return pages != 0;
}

/** Nothing that a loop would have to know. */
// @ts-ignore: decorator
@inline
export function contentsBase(): usize {
  return 0;
}

/** Where an entry of the table in a frame stands. */
// @ts-ignore: decorator
@inline
export function entryIn(base: usize, table: u32, frame: u64, index: u32): EntryAt {
  if (table > hosts) return <u64>(contentsOf(table) + (<usize>index << 3));
  return HOSTS | (frame << PAGE_SHIFT) | (<u64>index << 3);
}

/** Address of the contents of a slot in linear memory; 0 if they are not there. */
export function contentsOf(slot: u32): usize {
  assert(slot != 0 && slot <= framesUsed(), "no frame has this slot");
  return slot > hosts ? pages + (<usize>(slot - hosts) << <usize>PAGE_SHIFT) : 0;
}

/** Where the entries of a slot's table begin. */
export function entriesOf(slot: u32): EntryAt {
  return slot > hosts ? <u64>contentsOf(slot) : HOSTS | (frameOf(slot) << PAGE_SHIFT);
}

// @ts-ignore: decorator
@inline
function isHosts(at: EntryAt): bool {
  return <i64>at < 0;
}

/** The slot in whose contents an entry stands. */
export function slotAround(at: EntryAt): u32 {
  return isHosts(at) ? slotOf((at & ~HOSTS) >> PAGE_SHIFT) : <u32>((<usize>at - pages) >> <usize>PAGE_SHIFT) + hosts;
}

/** Whether an entry of some frame stands at an address. For assertions. */
export function holdsEntry(at: EntryAt): bool {
  if ((at & 7) != 0) return false;
  if (isHosts(at)) return slotAround(at) != 0 && slotAround(at) <= hosts;
  return <usize>at >= pages + PAGE && <usize>at < pages + ((<usize>(framesUsed() - hosts) + 1) << <usize>PAGE_SHIFT);
}

// @ts-ignore: decorator
@inline
export function loadEntry(at: EntryAt): u64 {
  return isHosts(at) ? loadFrom(at & ~HOSTS) : load<u64>(<usize>at);
}

/** Writes an entry, or any 64-bit word, of a frame. */
export function setEntry(at: EntryAt, entry: u64): void {
  assert(holdsEntry(at), "no entry of a frame stands here");
  if (isHosts(at)) {
    let stood = loadEntry(at);
    while (!exchangeEntry(at, stood, entry)) stood = loadEntry(at);
    return;
  }
  store<u64>(<usize>at, entry);
  touch(slotAround(at));
}

/** Sets marks in an entry that was read before; false if it has changed since, then it stays. */
export function markEntry(at: EntryAt, entry: u64, marked: u64): bool {
  return exchangeEntry(at, entry, marked);
}

/** The same for any change. */
export function exchangeEntry(at: EntryAt, entry: u64, changed: u64): bool {
  if (isHosts(at)) {
    if (exchangeIn(at & ~HOSTS, entry, changed) != entry) return false;
  } else {
    if (load<u64>(<usize>at) != entry) return false;
    store<u64>(<usize>at, changed);
  }
  touch(slotAround(at));
  return true;
}

/** Whether all 512 entries of a table are 0. */
export function isEmpty(slot: u32): bool {
  const first = entriesOf(slot);
  for (let i: u32 = 0; i < ENTRIES; i++) if (loadEntry(first + (i << 3)) != 0) return false;
  return true;
}

/** Zeroes the contents of a slot. */
export function clearContents(slot: u32): void {
  clearEntries(entriesOf(slot), ENTRIES);
}

/** Zeroes entries that follow each other in one table. */
export function clearEntries(first: EntryAt, count: usize): void {
  for (let i: usize = 0; i < count; i++) setEntry(first + (i << 3), 0);
}

/** Copies bytes from one frame's contents to the same place of another's. */
export function copyContents(from: u32, to: u32, offset: usize, bytes: usize): void {
  for (let at = offset; at < offset + bytes; at += 8) setEntry(entriesOf(to) + at, loadEntry(entriesOf(from) + at));
}
