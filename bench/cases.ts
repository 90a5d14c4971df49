// The cases: for each a machine, an untimed program that prepares it before every sample, and the program that is timed.
// Accesses are random, never cyclic: a branch predictor learns cycles and flatters code that leaves a loop early.
import { type AgentGeometry, geometries, type Machine, ProgramBuilder, type WorkloadPage } from "stalewalk";
import { operationBytes } from "./contestants/contestant.js";
import { stalewalkMachine } from "./contestants/stalewalk.js";
import { seeded, shuffled } from "./random.js";
import { denseRegions, sample, spread } from "./tables/choose.js";
import type { Page, TableSet, World } from "./world.js";

/** Operations of a case's program. */
export interface Sizes {
  /** Accesses in one batch, and those that the slowest contestant is timed with. */
  accesses: number;
  accessesNaive: number;
  /** Full flushes in a row. */
  flushes: number;
  /** Operations of a mixed program, and those of its beginning that slower contestants are timed with. */
  mixed: number;
  mixedTuned: number;
  mixedNaive: number;
}

/** Sizes for measuring. */
export const fullSizes: Sizes = {
  accesses: 16384,
  accessesNaive: 4096,
  flushes: 1024,
  mixed: 2 ** 17,
  mixedTuned: 2 ** 16,
  mixedNaive: 2 ** 14,
};
/** Sizes for half a minute. */
export const quickSizes: Sizes = {
  accesses: 8192,
  accessesNaive: 2048,
  flushes: 512,
  mixed: 2 ** 16,
  mixedTuned: 2 ** 15,
  mixedNaive: 2 ** 13,
};
/** Sizes for a check of the results. */
export const tinySizes: Sizes = {
  accesses: 1024,
  accessesNaive: 512,
  flushes: 16,
  mixed: 20000,
  mixedTuned: 20000,
  mixedNaive: 10000,
};

/** The sizes by name. */
export const sizesByName = { full: fullSizes, quick: quickSizes, tiny: tinySizes } as const;

/** A set of sizes. */
export type SizesName = keyof typeof sizesByName;

/** One case over one table set. */
export interface BenchCase {
  name: string;
  world: World;
  prepare: Uint8Array;
  program: Uint8Array;
  /** A descriptor of an IOMMU's queue that is executed before the program, as an operation of it: what no operation does. */
  descriptor?: readonly [bigint, bigint];
  /** What the slower contestants play of it, in operations; all if not given. */
  tunedPart?: number;
  naivePart?: number;
}

/** A case that is built when its turn comes. */
export interface CasePlan {
  suite: "translate" | "flush";
  name: string;
  build(set: TableSet): BenchCase;
}

const NOTHING = new Uint8Array(0);
const THE_CPU = 0;
const RANGE_PAGES = 33;
/** Address spaces that share the caches when one after the other is flushed: two entries each in a full L2. */
const SPACES = 768;

const { skylake } = geometries;
const L1_SETS = 16;
const L2_SETS = 128;
const L2_WAYS = 12;
const PDE_SETS = 8;

function accesses(pages: readonly Page[], count: number, seed: number): Uint8Array {
  if (pages.length === 0) throw new Error("this table set maps no page of 4 KiB");
  const below = seeded(seed);
  const builder = new ProgramBuilder();
  for (let i = 0; i < count; i++) {
    const page = pages[below(pages.length)] as Page;
    builder.access(THE_CPU, page.va | BigInt(below(512) * 8), page.access);
  }
  return builder.build();
}

/** A case of random accesses to some pages, after they have all been touched once. */
function accessCase(name: string, geometry: AgentGeometry, choose: (set: TableSet) => Page[], sizes: Sizes): CasePlan {
  return {
    suite: "translate",
    name,
    build(set) {
      const program = accesses(choose(set), sizes.accesses, 1);
      const naivePart = sizes.accessesNaive;
      return { name, world: { set, geometry, cpus: 1 }, prepare: NOTHING, program, naivePart };
    },
  };
}

const fullL2 = (set: TableSet): Page[] => spread(set.pages, L2_SETS, L2_WAYS);

/** A case of flushes, each sample on caches that have been filled again. */
function flushCase(
  name: string,
  fill: (builder: ProgramBuilder, pages: readonly Page[], set: TableSet) => void,
  flush: (builder: ProgramBuilder, pages: readonly Page[]) => void,
): CasePlan {
  return {
    suite: "flush",
    name,
    build(set) {
      const pages = fullL2(set);
      const prepare = new ProgramBuilder();
      fill(prepare, pages, set);
      const program = new ProgramBuilder();
      flush(program, pages);
      return { name, world: { set, geometry: skylake, cpus: 1 }, prepare: prepare.build(), program: program.build() };
    },
  };
}

function touchAll(builder: ProgramBuilder, pages: readonly Page[]): void {
  for (const page of pages) builder.access(THE_CPU, page.va, page.access);
}

/** Fills the caches from many address spaces, an equal part each. */
function touchInTurns(builder: ProgramBuilder, pages: readonly Page[], { root }: TableSet): void {
  for (let space = 0; space < SPACES; space++) {
    builder.movToCr3(THE_CPU, root, 1 + space, true);
    const own = pages.filter((_, i) => i % SPACES === space);
    touchAll(builder, own);
  }
}

function flushCases(sizes: Sizes): CasePlan[] {
  const below = seeded(2);
  return [
    flushCase("single-page flush, L2 full", touchAll, (builder, pages) => {
      for (const { va } of shuffled(pages, below)) builder.invlpg(THE_CPU, va);
    }),
    flushCase("33-page range flush, L2 full", touchAll, (builder, pages) => {
      const starts = pages.filter((_, i) => i % RANGE_PAGES === 0);
      for (const { va } of shuffled(starts, below)) builder.invlpgRangeOrAll(THE_CPU, va, RANGE_PAGES);
    }),
    flushCase("one-tag flush, L2 full", touchInTurns, (builder) => {
      const spaces = Array.from({ length: SPACES }, (_, space) => 1 + space);
      for (const space of shuffled(spaces, below)) builder.invpcid(THE_CPU, 1, space);
    }),
    // Only the first of them finds full caches; no contestant's flush depends on that (lists of ways stay allocated).
    flushCase("full flush", touchAll, (builder) => {
      for (let i = 0; i < sizes.flushes; i++) builder.flushAll(THE_CPU);
    }),
  ];
}

/** Flushes per million operations of the two mixed programs. */
const FEW_FLUSHES = { page: 300, range: 100, aboveCeiling: 10, space: 30, global: 5, allButGlobal: 5 };
const MANY_FLUSHES = { page: 5000, range: 2000, aboveCeiling: 200, space: 500, global: 100, allButGlobal: 100 };

/** The workloads of the mixed programs, by name. */
export const mixedWorkloads = {
  "mixed: zipf, few flushes": { stream: "zipf", flushes: FEW_FLUSHES },
  "mixed: uniform, many flushes": { stream: "uniform", flushes: MANY_FLUSHES },
} as const;

const MAX_PAGES = 65536;

/** Pages of a mixed program: of every size, in random order, so that the popular ones are no neighbours. */
export function mixedPages(set: TableSet): WorkloadPage[] {
  // The library refuses fields of a page that it does not know.
  return shuffled(sample(set.pages, MAX_PAGES), seeded(3)).map(({ va, access, writable }) => ({
    va,
    access,
    writable,
  }));
}

function mixedCase(name: keyof typeof mixedWorkloads, sizes: Sizes): CasePlan {
  return {
    suite: "translate",
    name,
    build(set) {
      const world = { set, geometry: skylake, cpus: 1 };
      const generator: Machine = stalewalkMachine(world, MAX_PAGES);
      const program = generator.generate({ ...mixedWorkloads[name], pages: mixedPages(set) }, sizes.mixed);
      generator.dispose();
      const { mixedTuned: tunedPart, mixedNaive: naivePart } = sizes;
      return { name, world, prepare: NOTHING, program, tunedPart, naivePart };
    },
  };
}

/** All cases, in the order of the report; `mixes` is how many of the mixed programs. */
export function planCases(sizes: Sizes, mixes: 1 | 2): CasePlan[] {
  const small = (set: TableSet): Page[] =>
    sample(
      set.pages.filter(({ level }) => level === 1),
      MAX_PAGES,
    );
  return [
    accessCase("L1 hit", skylake, (set) => spread(set.pages, L1_SETS, 3), sizes),
    accessCase("L2 hit", skylake, (set) => spread(set.pages, L2_SETS, 8), sizes),
    accessCase("PSC-assisted walk", { psc: skylake.psc }, (set) => denseRegions(set.pages, 16, PDE_SETS, 2), sizes),
    accessCase("full walk", {}, small, sizes),
    accessCase("cold random, all caches", skylake, small, sizes),
    ...flushCases(sizes),
    mixedCase("mixed: zipf, few flushes", sizes),
    ...(mixes === 2 ? [mixedCase("mixed: uniform, many flushes", sizes)] : []),
  ];
}

/** Operations in a packed program. */
export function operationsIn(program: Uint8Array): number {
  return program.length / operationBytes;
}
