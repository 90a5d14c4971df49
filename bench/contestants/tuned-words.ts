// Addresses and entries as two 32-bit words, for the tuned JavaScript contestant.

const PAGE_SIZE = 128;
/** Bits between PAT and the frame of a large leaf. */
const LARGE_RESERVED = 0x1fe000;
const HUGE_RESERVED = 0x3fffe000;

/** Low word of the frame number of an entry. */
export function frameLow(low: number, high: number): number {
  return (low >>> 12) | (high << 20);
}

/** Words of address >> (9 * level + 3). */
export function pageLowOf(low: number, high: number, level: number): number {
  if (level <= 3) {
    const shift = 9 * level + 3;
    return (low >>> shift) | (high << (32 - shift));
  }
  return high >>> (level === 4 ? 7 : 16);
}

/** High word of the same. */
export function pageHighOf(high: number, level: number): number {
  return level <= 3 ? high >>> (9 * level + 3) : 0;
}

/** Index of the entry of a level. */
export function indexOf(low: number, high: number, level: number): number {
  return pageLowOf(low, high, level) & 511;
}

/** Reserved bits in the low word of an entry. */
export function reservedLow(level: number, leaf: boolean): number {
  if (!leaf) return level >= 4 ? PAGE_SIZE : 0;
  if (level === 1) return 0;
  return level === 2 ? LARGE_RESERVED : HUGE_RESERVED;
}
