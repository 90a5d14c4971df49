// The paging mode of the machine: how many levels, how many address bits are translated.

import { INDEX_BITS, PAGE_SHIFT, setFormatMode, MAX_LEVELS } from "./format";

/** As many as there may be on x86-64. */
export const FIVE_LEVELS: u32 = 5;

// ---- set up once ----
export let levels: u32 = 4;
/** Address bits above the translated ones. */
let canonicalShift: u64 = 16;
/** Bits of a physical frame number. */
let physicalBits: u64 = 52 - 12;
/** The translated bits of an address. */
export let addressMask: u64 = (1 << 48) - 1;

/** Sets levels (4 or 5), MAXPHYADDR in bits, and whether 1 GiB pages exist; before the first translation. */
export function setPagingMode(levelCount: u32, maxPhyAddr: u32, hugePages: bool): void {
  assert(levelCount >= 3 && levelCount <= <u32>MAX_LEVELS, "no paging mode has so many levels");
  assert(maxPhyAddr > PAGE_SHIFT && maxPhyAddr <= 56, "no physical address is so wide");
  levels = levelCount;
  physicalBits = <u64>(maxPhyAddr - PAGE_SHIFT);
  const bits: u64 = <u64>(PAGE_SHIFT + INDEX_BITS * levelCount);
  canonicalShift = 64 - bits;
  addressMask = ((<u64>1) << bits) - 1;
  setFormatMode(maxPhyAddr, hugePages);
}

/** Whether memory can have a frame of this number. */
export function isPhysicalFrame(frame: u64): bool {
  return frame >> physicalBits == 0;
}

/** The address whose translated bits these are. */
// @ts-ignore: decorator
@inline
export function canonical(translatedBits: u64): u64 {
  return <u64>(<i64>(translatedBits << canonicalShift) >> canonicalShift);
}

// @ts-ignore: decorator
@inline
export function isCanonical(va: u64): bool {
  return canonical(va) == va;
}
