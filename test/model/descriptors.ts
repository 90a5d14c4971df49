// Words of descriptors and commands for random programs (rules.md section 15): every type of both dialects, fields that name
// what is there and what is not, any address mask; and now and then a bit that hardware refuses.

import fc from "../support/fast-check.js";
import { DOMAINS, PASIDS, SOURCE_IDS } from "./worlds.js";

/** The words of a descriptor, once the address that it names is known. */
export type Words = (address: bigint) => bigint[];

const PAGE = ~0xfffn;
const at = (value: number, place: number): bigint => BigInt(value) << BigInt(place);
/** A PASID of the IOMMUs, mostly; one that they do not have. */
const pasid = fc.constantFrom(...PASIDS, ...PASIDS, 5);
/** A domain of bindings, mostly; one that nothing belongs to. */
const domain = fc.constantFrom(...DOMAINS, ...DOMAINS, 77);
const sourceId = fc.constantFrom(...SOURCE_IDS.flat(), 9);
const flag = fc.nat(1);
const am = fc.constantFrom(0, 0, 1, 2, 9, 10, 18, 19, 27, 36, 40, 45, 52, 63);
/** Bits of the size in an address with S: how many pages, as log2; 52 and more is all. */
const sizeBits = fc.constantFrom(1, 2, 9, 10, 18, 27, 36, 38, 39, 40, 43, 51, 52);

/** An address with its size: ones below the highest bit that does not count, and a zero there. */
function sized(address: bigint, log2: number): bigint {
  const below = ((1n << BigInt(log2 - 1)) - 1n) << 12n;
  return ((address & PAGE) | below) & ~(1n << BigInt(log2 + 11)) & ((1n << 64n) - 1n);
}

const iotlb = fc
  .record({
    type: fc.constantFrom(2, 6, 6, 6),
    granularity: fc.constantFrom(1, 2, 3, 3, 3, 0),
    domain,
    pasid,
    am,
    ih: flag,
  })
  .map(({ type, granularity, domain, pasid, am, ih }): Words => {
    const first = at(type, 0) | at(granularity, 4) | at(domain, 16) | (type === 6 ? at(pasid, 32) : 0n);
    return (address) => [first, (address & PAGE) | at(ih, 6) | at(am, 0), 0n, 0n];
  });

const pasidCache = fc
  .record({ granularity: fc.constantFrom(0, 1, 1, 3, 2), domain, pasid })
  .map(({ granularity, domain, pasid }): Words => {
    const first = 7n | at(granularity, 4) | at(domain, 16) | at(pasid, 32);
    return () => [first, 0n, 0n, 0n];
  });

const deviceTlb = fc
  .record({ type: fc.constantFrom(8, 8, 8, 3), sourceId, pasid, g: fc.constantFrom(0, 0, 1), s: flag, sizeBits })
  .map(({ type, sourceId, pasid, g, s, sizeBits }): Words => {
    if (type === 3) return (address) => [3n | at(sourceId, 32), (address & PAGE) | at(s, 0), 0n, 0n];
    const first = 8n | at(sourceId, 16) | at(pasid, 32);
    return (address) => [first, (s === 1 ? sized(address, sizeBits) | at(1, 11) : address & PAGE) | at(g, 0), 0n, 0n];
  });

/** Types that drop nothing, and types that there are not. */
const other = fc.record({ type: fc.constantFrom(1, 4, 5, 9, 10, 0, 11, 15), granularity: fc.nat(3) }).map(
  ({ type, granularity }): Words =>
    () => [at(type, 0) | at(granularity, 4), 0n, 0n, 0n],
);

const amdPages = fc
  .record({
    opcode: fc.constantFrom(3, 3, 3, 4, 6),
    sourceId,
    domain,
    pasid,
    s: flag,
    pde: flag,
    gn: fc.constantFrom(1, 1, 1, 0),
    inval: flag,
    sizeBits,
  })
  .map(({ opcode, sourceId, domain, pasid, s, pde, gn, inval, sizeBits }): Words => {
    const inThree = at(pasid & 0xff, 48) | at((pasid >> 8) & 0xff, 16) | at(pasid >> 16, 56);
    const fields =
      opcode === 3 ? at(pasid, 0) | at(domain, 32) : at(sourceId, 0) | (opcode === 4 ? inThree : at(pasid, 32));
    const flags = at(s, 0) | at(gn, 2) | (opcode === 3 ? at(pde, 1) : opcode === 6 ? at(inval, 4) : 0n);
    return (address) => [at(opcode, 60) | fields, (s === 1 ? sized(address, sizeBits) : address & PAGE) | flags];
  });

const amdOther = fc
  .record({ opcode: fc.constantFrom(1, 2, 2, 5, 7, 8, 0, 9, 10, 15), sourceId })
  .map(({ opcode, sourceId }): Words => {
    const takesDevice = opcode === 2 || opcode === 5 || opcode === 7;
    return () => [at(opcode, 60) | (takesDevice ? at(sourceId, 0) : 0n), 0n];
  });

/** A descriptor in each dialect; every 16th has one bit turned. */
export const descriptor: fc.Arbitrary<Readonly<Record<"vtd" | "amd", Words>>> = fc
  .record({
    vtd: fc.oneof(
      { weight: 5, arbitrary: iotlb },
      { weight: 3, arbitrary: pasidCache },
      { weight: 3, arbitrary: deviceTlb },
      { weight: 1, arbitrary: other },
    ),
    amd: fc.oneof({ weight: 5, arbitrary: amdPages }, { weight: 2, arbitrary: amdOther }),
    damage: fc.noBias(fc.nat(15)),
    turned: fc.record({ word: fc.nat(3), bit: fc.nat(63) }),
  })
  .map(({ vtd, amd, damage, turned }) => {
    const turn = (words: bigint[]): bigint[] => {
      const place = turned.word % words.length;
      return words.map((word, i) => (damage === 15 && i === place ? word ^ (1n << BigInt(turned.bit)) : word));
    };
    return { vtd: (address) => turn(vtd(address)), amd: (address) => turn(amd(address)) };
  });
