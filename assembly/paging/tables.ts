// The one door to tables: whoever reads or writes an entry comes through here. Today the frame store answers. Guest memory in
// place, or a second stage that translates the frame first, would answer here too.

import { ENTRIES, shiftOf, MAX_LEVELS } from "./format";
import { EntryAt, entriesOf } from "./contents";
import { slotOf } from "./slots";

/** In place of a context: the reader is the kernel, which names tables as the machine does. */
export const HOST: usize = 0;

const ENTRY_SHIFT: usize = 3;
/** Bytes of a table. */
export const TABLE_BYTES: usize = <usize>ENTRIES << ENTRY_SHIFT;

/** Slot of the table in a frame, as a context's requests see it; 0 if there is none to be had (*absent*). */
// @ts-ignore: decorator
@inline
export function tableAt(context: usize, frame: u64): u32 {
  return slotOf(frame);
}

/** Index of the entry of a level for an address. */
// @ts-ignore: decorator
@inline
export function indexAt(va: u64, level: u32): u32 {
  assert(level >= 1 && level <= MAX_LEVELS, "no table is of this level");
  return <u32>(va >> shiftOf(level)) & (ENTRIES - 1);
}

/** Where the entry of a level for an address stands in a table. */
// @ts-ignore: decorator
@inline
export function entryAt(table: u32, va: u64, level: u32): EntryAt {
  return entriesOf(table) + (<usize>indexAt(va, level) << ENTRY_SHIFT);
}

/** Where the 64-bit word that holds a physical address stands in its table. */
// @ts-ignore: decorator
@inline
export function wordAt(table: u32, physicalAddress: u64): EntryAt {
  return entriesOf(table) + (<usize>physicalAddress & (TABLE_BYTES - 1) & ~7);
}
