// A page-table entry of Sv39, Sv48 and Sv57, field by field (privileged specification, "Sv39: Page-Based 39-bit Virtual-Memory
// System"; Svpbmt; Svnapot). `i` is the specification's level: 0 for the last.

/** log2 of a page. */
export const PAGE_BITS = 12n;
/** Bits of one part of a virtual page number. */
export const VPN_BITS = 9n;

/** The fields of an entry. */
export interface Pte {
  v: boolean;
  r: boolean;
  w: boolean;
  x: boolean;
  u: boolean;
  g: boolean;
  a: boolean;
  d: boolean;
  ppn: bigint;
  /** Bits 60..54. */
  reserved: bigint;
  /** Bits 62..61. */
  pbmt: bigint;
  /** Bit 63. */
  n: boolean;
}

/** Positions of A and D, which are written back. */
export const A_BIT = 1n << 6n;
export const D_BIT = 1n << 7n;

/** Bits `high`..`low` of a value. */
export function bits(value: bigint, high: number, low: number): bigint {
  return (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
}

/** Takes an entry apart. */
export function decode(entry: bigint): Pte {
  const bit = (place: number): boolean => bits(entry, place, place) === 1n;
  return {
    v: bit(0),
    r: bit(1),
    w: bit(2),
    x: bit(3),
    u: bit(4),
    g: bit(5),
    a: bit(6),
    d: bit(7),
    ppn: bits(entry, 53, 10),
    reserved: bits(entry, 60, 54),
    pbmt: bits(entry, 62, 61),
    n: bit(63),
  };
}

/** `va.vpn[i]`. */
export function vpn(va: bigint, i: number): number {
  return Number((va >> (PAGE_BITS + VPN_BITS * BigInt(i))) & 511n);
}

/** log2 of the bytes that a leaf at level `i` maps, NAPOT apart. */
export function pageShift(i: number): number {
  return Number(PAGE_BITS + VPN_BITS * BigInt(i));
}
