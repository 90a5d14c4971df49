// Random small worlds and programs for the contestants of the benchmark: tables with every kind of entry, caches of odd
// sizes, all operations that the benchmark uses.
import type { BenchCase } from "../../bench/cases.js";
import { seeded } from "../../bench/random.js";
import type { Table, World } from "../../bench/world.js";
import { type AgentGeometry, everyCpu, linuxControls, type Operation, ProgramBuilder } from "../../src/index.js";

type Below = (bound: number) => number;

const PRESENT = 1n;
const RW = 2n;
const US = 4n;
const PS = 128n;
const G = 256n;
const XD = 1n << 63n;
const ROOT = 0x100;
const TABLES = 12;
const INDICES = [0, 1, 2, 255, 256, 510, 511];

/** Tables that point at one another at random, so that walks meet holes, faults, large pages and absent frames. */
function randomTables(below: Below): Table[] {
  return Array.from({ length: TABLES }, (_, i) => {
    const entries = new BigUint64Array(512);
    for (const index of INDICES) {
      const next = below(30) === 0 ? 0x900 : ROOT + below(TABLES);
      let entry = BigInt(next) << 12n;
      if (below(30) !== 0) entry |= PRESENT;
      if (below(25) !== 0) entry |= RW;
      if (below(25) !== 0) entry |= US;
      if (below(10) === 0) entry |= XD;
      if (below(4) === 0) entry |= G;
      // As a large page the frame must be aligned; now and then it is not: reserved.
      if (below(15) === 0)
        entry = (entry & 0x8000_0000_0000_0fffn) | PS | (below(5) === 0 ? 0x4000n : 0n) | (3n << 30n);
      if (below(80) === 0) entry |= 1n << 50n;
      entries[index] = entry;
    }
    return { frame: ROOT + i, entries };
  });
}

function randomGeometry(below: Below): AgentGeometry {
  const cache = () => {
    // Now and then more than one comparison of partial tags, or of times, can hold.
    const ways = below(5) === 0 ? 6 + below(15) : 1 + below(5);
    return { entries: ways * (1 + below(5)), ways };
  };
  const split = [
    { ...cache(), pageSizes: ["4K", "2M"] as const },
    { ...cache(), pageSizes: ["1G"] as const },
  ];
  return {
    l1: below(4) === 0 ? [] : [cache()],
    l2: below(3) === 0 ? [] : split,
    psc: below(4) === 0 ? {} : { 2: cache(), 3: cache(), 4: cache(), 5: cache() },
  };
}

function randomAddress(below: Below, levels: 4 | 5): bigint {
  let va = 0n;
  for (let level = levels; level >= 1; level--) va = (va << 9n) | BigInt(INDICES[below(INDICES.length)] as number);
  va = (va << 12n) | BigInt(below(4096));
  if (below(50) === 0) return BigInt.asUintN(64, va ^ (1n << 60n));
  return BigInt.asUintN(64, BigInt.asIntN(12 + 9 * levels, va));
}

const ACCESSES = [0, 1, 2, 4, 4, 4, 4, 4, 5, 5, 5, 6] as const;

function randomProgram(below: Below, { set, cpus }: World, count: number): Uint8Array {
  const builder = new ProgramBuilder();
  // Few addresses, so that caches answer.
  const addresses = Array.from({ length: 25 }, () => randomAddress(below, set.levels));
  // What is flushed is canonical: of other addresses version 0.1.0, and the contestants made after it, know another rule (6.2).
  const isCanonical = (va: bigint) => BigInt.asUintN(64, BigInt.asIntN(12 + 9 * set.levels, va)) === va;
  const flushed = addresses.filter((va) => isCanonical(va) && isCanonical(va + 0x40000n));
  for (let i = 0; i < count; i++) {
    const cpu = below(cpus);
    const target = below(3) === 0 ? everyCpu : cpu;
    const va = addresses[below(addresses.length)] as bigint;
    const page = flushed[below(flushed.length)] as bigint;
    const flush = [
      () => builder.invlpg(target, page),
      () => builder.invpcid(target, below(4) as 0 | 1 | 2 | 3, below(3), page),
      () => builder.movToCr3(cpu, BigInt(ROOT + below(2)) << 12n, below(3), below(2) === 0),
      () => builder.invlpgRange(target, page, below(40)),
      () => builder.invlpgRangeOrAll(target, page, below(50)),
      () => builder.flushAll(target),
    ] as const;
    if (below(12) === 0) flush[below(flush.length)]?.();
    else builder.access(cpu, va, ACCESSES[below(ACCESSES.length)] as (typeof ACCESSES)[number]);
  }
  return builder.build();
}

/** A case from a seed: the same seed, the same case. */
export function randomCase(seed: number, operations: number): BenchCase {
  const below = seeded(seed);
  const set = {
    name: `seed ${seed}`,
    levels: (below(2) === 0 ? 4 : 5) as 4 | 5,
    maxPhyAddr: 46,
    root: BigInt(ROOT) << 12n,
    controls: { ...linuxControls, smap: below(2) === 0, smep: below(2) === 0, wp: below(3) !== 0, pge: below(3) !== 0 },
    tables: randomTables(below),
    pages: [],
  };
  const world: World = { set, geometry: randomGeometry(below), cpus: 1 + below(2) };
  const prepare = randomProgram(below, world, 20);
  return { name: "random", world, prepare, program: randomProgram(below, world, operations) };
}

/** Codes of the operations that a program holds. */
export function operationsOf(program: Uint8Array): Set<number> {
  return new Set(
    Array.from(
      { length: program.length / 16 },
      (_, i) => program[i * 16] as (typeof Operation)[keyof typeof Operation],
    ),
  );
}
