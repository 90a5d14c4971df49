// Small random RISC-V worlds and programs: a few tables per level, entries at few indices, so that accesses meet them, each
// other's leftovers in caches, and stale ones. Every random number shrinks towards the plainest choice.

import fc from "../../support/fast-check.js";
import type { Access, Controls } from "./walk.js";

/** One step of a program. */
export type Operation =
  | { kind: "access"; va: bigint; access: Access }
  | { kind: "write"; frame: number; index: number; entry: bigint }
  | { kind: "controls"; controls: Controls }
  | { kind: "satp"; root: number; asid: number }
  | { kind: "fence" }
  | { kind: "fence-asid"; asid: number }
  | { kind: "fence-address"; va: bigint; asid: number };

/** A program and the world that it plays in. */
export interface Program {
  levels: 3 | 4 | 5;
  /** Entries and ways of l1, l2 and the paging-structure caches. */
  sizes: { entries: number; ways: number }[];
  operations: Operation[];
}

/** ASIDs in use. */
export const ASIDS = 3;

/** Frames that hold tables: two per level, the level's number from 1 in the third digit. */
export function tablesOf(level: number): readonly [number, number] {
  return [0x8_0000 + 0x100 * level, 0x8_0010 + 0x100 * level];
}

/** Frames of all tables. */
export const FRAMES = [1, 2, 3, 4, 5].flatMap((level) => tablesOf(level));

const ABSENT_FRAME = 0xfff_ffff_ffffn;
/** Places in a table that are used: edges, both halves, and several of one NAPOT range. */
const INDICES = [0, 1, 16, 17, 31, 255, 256, 511] as const;

/** An entry that suits a level, from a seed; 0 gives a plain pointer or 4 KiB page, most seeds one that a walk passes. */
function entryOf(seed: number, level: number): bigint {
  let rest = seed;
  const digit = (base: number): number => {
    const value = rest % base;
    rest = Math.floor(rest / base);
    return value;
  };
  const leaf = level === 1 ? digit(24) !== 23 : digit(5) === 4;
  let entry = digit(24) === 23 ? 0n : 1n;
  const which = digit(4);
  if (leaf) {
    // R, W and X: mostly all of them, else any combination, W without R included.
    entry |= digit(2) === 0 ? 0xen : BigInt(digit(8)) << 1n;
    if (digit(3) !== 2) entry |= 1n << 4n;
    if (digit(2) === 0) entry |= 1n << 6n;
    if (digit(2) === 0) entry |= 1n << 7n;
    if (level === 1 && digit(4) === 3) entry |= (1n << 63n) | (8n << 10n);
    entry |= BigInt(which) << BigInt(10 + (level === 1 ? 4 : 9 * (level - 1)));
    if (digit(12) === 11) entry |= BigInt(digit(4)) << 61n;
    if (digit(24) === 23) entry |= 1n << BigInt(10 + digit(44));
  } else {
    const next =
      which === 3 && digit(6) === 5 ? ABSENT_FRAME : BigInt(tablesOf(Math.max(1, level - 1))[which & 1] ?? 0);
    entry |= next << 10n;
  }
  if (digit(6) === 5) entry |= 1n << 5n;
  entry |= BigInt(digit(4)) << 8n;
  if (digit(40) === 39) entry ^= 1n << BigInt(digit(64));
  return entry;
}

/** An address by the places of its indices, sign-extended; now and then one that is not canonical. */
function addressOf(places: readonly number[], levels: number, offset: number, odd: number): bigint {
  let va = 0n;
  for (let level = levels; level >= 1; level--) va = (va << 9n) | BigInt(INDICES[places[level - 1] ?? 0] ?? 0);
  va = BigInt.asUintN(64, BigInt.asIntN(12 + 9 * levels, (va << 12n) | BigInt(offset)));
  return odd === 0 ? va ^ (1n << 63n) : va;
}

const place = fc.nat(INDICES.length - 1);
const bit = fc.boolean();
const asid = fc.nat(ASIDS - 1);
const access = fc.record({ type: fc.constantFrom("read", "write", "fetch"), user: bit }) as fc.Arbitrary<Access>;
const size = fc.constantFrom(
  { entries: 1, ways: 1 },
  { entries: 2, ways: 2 },
  { entries: 6, ways: 2 },
  { entries: 17, ways: 17 },
);
const seed = fc.noBias(fc.nat(2 ** 48));

function operation(levels: number): fc.Arbitrary<Operation> {
  // Few places at the upper levels: accesses shall meet.
  const places = fc.tuple(place, fc.nat(2), fc.nat(1), fc.nat(1), fc.nat(1));
  const va = fc
    .tuple(places, fc.nat(4095), fc.noBias(fc.nat(60)))
    .map(([at, offset, odd]) => addressOf(at, levels, offset, 60 - odd));
  const write = fc
    .tuple(fc.integer({ min: 1, max: levels }), fc.nat(1), place, seed)
    .map(([level, table, at, from]) => ({
      kind: "write" as const,
      frame: tablesOf(level)[table] as number,
      index: INDICES[at] as number,
      entry: entryOf(from, level),
    }));
  const controls = fc
    .record({ sum: bit, mxr: bit, adue: bit, pbmte: bit, svnapot: bit })
    .map((it) => ({ kind: "controls" as const, controls: it }));
  const satp = fc
    .tuple(fc.nat(1), asid)
    .map(([table, id]) => ({ kind: "satp" as const, root: tablesOf(levels)[table] as number, asid: id }));
  return fc.oneof(
    { weight: 16, arbitrary: fc.record({ kind: fc.constant("access" as const), va, access }) },
    { weight: 5, arbitrary: write },
    { weight: 1, arbitrary: controls },
    { weight: 1, arbitrary: satp },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("fence-address" as const), va, asid }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("fence-asid" as const), asid }) },
    { weight: 1, arbitrary: fc.constant({ kind: "fence" as const }) },
  );
}

/** A program of up to `length` operations, after the tables have been filled. */
export function programs(length: number): fc.Arbitrary<Program> {
  return fc.constantFrom(3 as const, 4 as const, 5 as const).chain((levels) => {
    const places = [1, 2, 3, 4, 5]
      .slice(0, levels)
      .flatMap((level) => tablesOf(level).flatMap((frame) => INDICES.map((index) => ({ level, frame, index }))));
    return fc
      .record({
        sizes: fc.array(size, { minLength: 3, maxLength: 3 }),
        seeds: fc.array(seed, { minLength: places.length, maxLength: places.length }),
        operations: fc.array(operation(levels), { minLength: length / 2, maxLength: length }),
      })
      .map(({ sizes, seeds, operations }) => {
        const filled = places.map(({ level, frame, index }, i): Operation => {
          return { kind: "write", frame, index, entry: entryOf(seeds[i] as number, level) };
        });
        const start: Operation = { kind: "satp", root: tablesOf(levels)[0], asid: 0 };
        return { levels, sizes, operations: [...filled, start, ...operations] };
      });
  });
}
