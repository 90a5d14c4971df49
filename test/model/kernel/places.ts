// Where the random kernel programs work: few regions that collide, at the edges of tables and of the halves.

import fc from "../../support/fast-check.js";

export const MIB2 = 0x20_0000n;
export const GIB = 0x4000_0000n;
export const PAGE = 0x1000n;
/** The last 2 MiB of all addresses: a range there may end at 2^64. */
export const LAST_PAGES = (1n << 64n) - MIB2;

/** Regions of 2 MiB by number of levels: two vmalloc PDs, the direct map around the end of a PD, the heap of a process. */
export function regions(levels: 4 | 5): { vmalloc: bigint[]; direct: bigint[]; user: bigint[] } {
  const vmalloc = levels === 4 ? 0xffff_c900_0000_0000n : 0xffa0_0000_0000_0000n;
  const direct = levels === 4 ? 0xffff_8880_0000_0000n : 0xff11_0000_0000_0000n;
  const top = 1n << BigInt(11 + 9 * levels);
  return {
    vmalloc: [vmalloc, vmalloc + MIB2, vmalloc + 2n * MIB2, vmalloc + GIB - MIB2, vmalloc + GIB],
    direct: [direct, direct + MIB2, direct + GIB - MIB2, direct + GIB],
    user: [0n, MIB2, GIB, top - MIB2],
  };
}

/** A region and a page in it; near its edges more often than not. */
export function pageIn(places: readonly bigint[]): fc.Arbitrary<bigint> {
  return fc
    .tuple(fc.constantFrom(...places), fc.constantFrom(0, 0, 0, 1, 2, 5, 511))
    .map(([region, page]) => region + BigInt(page) * PAGE);
}

/** Mostly the address as it is, else one that is not aligned. */
export function askew(address: fc.Arbitrary<bigint>): fc.Arbitrary<bigint> {
  return fc
    .tuple(address, fc.noBias(fc.nat(29)))
    .map(([it, odd]) => it + ([0n, 0x1n, 0x800n][odd === 28 ? 1 : odd === 29 ? 2 : 0] ?? 0n));
}

/** Number of pages cut so that the range ends inside its half. */
export function within(address: bigint, count: number, levels: 4 | 5): number {
  const half = 1n << BigInt(11 + 9 * levels);
  const end = address < half ? half : 1n << 64n;
  const left = (end - address) / PAGE;
  return left < BigInt(count) ? Number(left) : count;
}
