// Frames of data pages, and the kernel's leaves that map them: numbers only, their contents are not modelled (docs/rules.md section 8).

import { G, leafEntry, MAX_LEAF_LEVEL, PAGE_KERNEL, shiftOf } from "../paging/format";
import { does, PTI } from "./traits";

/** The window of data frames: 2^19 from 4 GiB up. */
const FIRST: u64 = 0x10_0000;
const WINDOW: u64 = 1 << 19;
const NEXT: usize = memory.data(sizeof<u64>(), sizeof<u64>());

/** A new leaf of the kernel's. With page-table isolation none is global: each PCID keeps its own. */
export function kernelLeaf(level: u32): u64 {
  return leafEntry(takeDataFrames(level), level, does(PTI) ? PAGE_KERNEL & ~G : PAGE_KERNEL);
}

/** Physical address of the next frames for a leaf of a level, aligned to its size. */
export function takeDataFrames(level: u32): u64 {
  assert(level >= 1 && level <= MAX_LEAF_LEVEL, "no leaf is of this level");
  assert(load<u64>(NEXT) < WINDOW, "the next frame lies outside the window");
  const size = (<u64>1) << (shiftOf(level) - 12);
  const at = (load<u64>(NEXT) + size - 1) & ~(size - 1) & (WINDOW - 1);
  store<u64>(NEXT, (at + size) & (WINDOW - 1));
  return (FIRST + at) << 12;
}
