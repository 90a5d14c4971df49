// Addresses of random programs: from a small pool per program, their neighbours, the other half, and some that are not canonical.

import fc from "../support/fast-check.js";
import { INDICES } from "./worlds.js";

/** Place of an address in the pool of its program, and how it differs from that. */
export interface AddressPick {
  /** Place in the pool, modulo its length. */
  pool: number;
  /** 0..25 the page itself; 26.. a neighbour, the other half, or (31) not canonical where that is allowed. */
  near: number;
  /** 0 first byte, 1 last byte of a 4 KiB page, 2 in the middle. */
  offset: number;
}

export const addressPick: fc.Arbitrary<AddressPick> = fc.record({
  pool: fc.nat(7),
  near: fc.noBias(fc.nat(31)),
  offset: fc.nat(2),
});

/** Canonical form of the translated bits of an address. */
function canonical(address: bigint, levels: 4 | 5): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(12 + 9 * levels, address));
}

/** One address of the pool: an index in use at every level. */
export function poolAddress(levels: 4 | 5): fc.Arbitrary<bigint> {
  return fc
    .array(fc.constantFrom(...INDICES), { minLength: levels, maxLength: levels })
    .map((indices) =>
      canonical(indices.reduce((address, index) => (address << 9n) | BigInt(index), 0n) << 12n, levels),
    );
}

export function resolve(pool: readonly bigint[], levels: 4 | 5, { pool: place, near, offset }: AddressPick): bigint {
  const page = pool[place % pool.length] ?? 0n;
  const top = 1n << BigInt(11 + 9 * levels);
  const moved = [page + 0x1000n, page - 0x1000n, page + 0x20_0000n, page + 0x4000_0000n, page ^ top][near - 26] ?? page;
  const address = canonical(moved, levels) + ([0n, 0xfffn, 0x7f8n][offset] ?? 0n);
  return near === 31 ? address ^ (1n << 60n) : address;
}

/** The canonical address of a pick. */
export const settled = (pick: AddressPick): AddressPick => ({ ...pick, near: pick.near === 31 ? 0 : pick.near });

/** End of a range of some bytes, not beyond 2^64 - 1; one that leaves its half goes on in the other. */
export function rangeEnd(start: bigint, length: number, levels: 4 | 5): bigint {
  const half = 1n << BigInt(11 + 9 * levels);
  const last = (1n << 64n) - 1n;
  const end = start + BigInt(length);
  const crossing = start < half && end > half ? end + last + 1n - 2n * half : end;
  return crossing < last ? crossing : last;
}
