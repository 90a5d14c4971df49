// Frames of data pages: numbers only, their contents are not modelled (docs/rules.md section 8).

import { shiftOf, MAX_LEAF_LEVEL } from "../paging/format";

/** The window of data frames: 2^19 from 4 GiB up. */
const FIRST: u64 = 0x10_0000;
const WINDOW: u64 = 1 << 19;
const NEXT: usize = memory.data(sizeof<u64>(), sizeof<u64>());

/** Physical address of the next frames for a leaf of a level, aligned to its size. */
export function takeDataFrames(level: u32): u64 {
  assert(level >= 1 && level <= MAX_LEAF_LEVEL, "no leaf is of this level");
  assert(load<u64>(NEXT) < WINDOW, "the next frame lies outside the window");
  const size = (<u64>1) << (shiftOf(level) - 12);
  const at = (load<u64>(NEXT) + size - 1) & ~(size - 1) & (WINDOW - 1);
  store<u64>(NEXT, (at + size) & (WINDOW - 1));
  return (FIRST + at) << 12;
}
