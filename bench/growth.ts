// Growth curves: one thing grows and all else stays, so that a curve says what a cost depends on. Each point is a case like any other: in a
// process of its own, checked before it is timed. Tables and programs are made where they are played: files of a hundred thousand tables
// would take longer than what is measured.
import { type AgentGeometry, geometries, ProgramBuilder } from "stalewalk";
import type { BenchCase } from "./cases.js";
import { CACHES, type Curve, curve, FLUSHES, pointOf, WAYS } from "./growth-curve.js";
import { iommuCurves } from "./growth-iommu.js";
import { seeded, shuffled } from "./random.js";
import { flatTables, tablesOfFrames } from "./tables/flat.js";
import type { Page, TableSet } from "./world.js";

const THE_CPU = 0;
const NOTHING = new Uint8Array(0);
const RANGE_PAGES = 33;
const ACCESSES = 16384;
const MOST_PAGES = 2 ** 18;
/** Of `skylake`. */
const L2_ENTRIES = 1536;
/** Address spaces whose entries are flushed one after the other. */
const TAGS = 256;

const RANGES = [1, 8, 64, 512, 4096, 32768, 262144];
const FRAMES = [10, 100, 1000, 10_000, 100_000];
const SPACES = [1, 4, 16, 64, 256, 1024, 4096];
const OPERATIONS = [1e5, 1e6, 1e7, 1e8];

/** One translation cache of so many entries, and the usual paging-structure caches. */
const cacheOf = (entries: number): AgentGeometry => ({
  l1: [{ entries, ways: WAYS, pageSizes: ["4K"] }],
  psc: geometries.skylake.psc,
});

function touch(builder: ProgramBuilder, pages: readonly Page[]): void {
  for (const { va, access } of pages) builder.access(THE_CPU, va, access);
}

type Flush = (builder: ProgramBuilder, pages: readonly Page[], set: TableSet) => void;

/** Flushes of one kind on a cache of so many entries, filled before every sample. */
function flushAt(name: string, entries: number, fill: Flush, flush: Flush): BenchCase {
  // Neighbouring pages fill all sets evenly.
  const set = flatTables(entries);
  const [prepare, program] = [new ProgramBuilder(), new ProgramBuilder()];
  fill(prepare, set.pages, set);
  flush(program, set.pages, set);
  const world = { set, geometry: cacheOf(entries), cpus: 1 };
  return { name, world, prepare: prepare.build(), program: program.build() };
}

const tagsOf = (pages: readonly Page[]): number => Math.min(TAGS, pages.length / 2);

function touchByTags(builder: ProgramBuilder, pages: readonly Page[], { root }: TableSet): void {
  const tags = tagsOf(pages);
  for (let tag = 0; tag < tags; tag++) {
    builder.movToCr3(THE_CPU, root, 1 + tag, true);
    touch(
      builder,
      pages.filter((_, i) => i % tags === tag),
    );
  }
}

function rangeStarts(pages: readonly Page[], length: number): Page[] {
  const starts = pages.filter((_, i) => i % length === 0);
  return shuffled(starts, seeded(2)).slice(0, FLUSHES);
}

/** Ranged flushes of a length on full caches; ranges lie side by side and are flushed in random order, each once. */
function rangeAt(name: string, length: number, how: "invlpgRange" | "invlpgRangeOrAll"): BenchCase {
  const set = flatTables(MOST_PAGES);
  const starts = rangeStarts(set.pages, length);
  // The caches are full of pages that are flushed.
  const each = Math.max(1, Math.min(length, Math.floor(L2_ENTRIES / starts.length)));
  const cached = starts.flatMap(({ va }) => set.pages.slice(indexOf(set, va), indexOf(set, va) + each));
  const [prepare, program] = [new ProgramBuilder(), new ProgramBuilder()];
  touch(prepare, cached);
  for (const { va } of starts) program[how](THE_CPU, va, length);
  const world = { set, geometry: geometries.skylake, cpus: 1 };
  return { name, world, prepare: prepare.build(), program: program.build() };
}

const indexOf = ({ pages }: TableSet, va: bigint): number => Number((va - (pages[0] as Page).va) >> 12n);

/** Random accesses to all that so many tables map. */
function accessAt(name: string, frames: number, geometry: AgentGeometry): BenchCase {
  const set = tablesOfFrames(frames);
  const below = seeded(1);
  const program = new ProgramBuilder();
  for (let i = 0; i < ACCESSES; i++) {
    const { va, access } = set.pages[below(set.pages.length)] as Page;
    program.access(THE_CPU, va | BigInt(below(512) * 8), access);
  }
  return { name, world: { set, geometry, cpus: 1 }, prepare: NOTHING, program: program.build() };
}

/** So many address spaces in turn: a switch that keeps the caches, then eight accesses to pages that all of them use. */
function spacesAt(name: string, spaces: number): BenchCase {
  const set = flatTables(8);
  const program = new ProgramBuilder();
  const rounds = Math.max(1, Math.ceil(4096 / spaces));
  const below = seeded(3);
  for (let round = 0; round < rounds; round++) {
    for (const space of shuffled(
      Array.from({ length: spaces }, (_, i) => i),
      below,
    )) {
      program.movToCr3(THE_CPU, set.root, space, true);
      touch(program, set.pages);
    }
  }
  return { name, world: { set, geometry: geometries.skylake, cpus: 1 }, prepare: NOTHING, program: program.build() };
}

/** The curve of replays. */
export const REPLAYS = "synthetic replays under none, by operations";

/** The point of it that the suite `replay` has, too: what can be played where no trace is. */
export const SYNTHETIC_REPLAY = pointOf({ of: "operations" }, OPERATIONS[0] as number);

/** All curves, in the order of the report. */
export const curves: readonly Curve[] = [
  curve("single-page flush, by entries of a full cache", "entries", CACHES, (name, entries) =>
    flushAt(name, entries, touch, (builder, pages) => {
      for (const { va } of rangeStarts(pages, 1)) builder.invlpg(THE_CPU, va);
    }),
  ),
  curve("33-page range flush, by entries of a full cache", "entries", CACHES, (name, entries) =>
    flushAt(name, entries, touch, (builder, pages) => {
      for (const { va } of rangeStarts(pages, RANGE_PAGES)) builder.invlpgRange(THE_CPU, va, RANGE_PAGES);
    }),
  ),
  curve("one-tag flush, by entries of a full cache", "entries", CACHES, (name, entries) =>
    flushAt(name, entries, touchByTags, (builder, pages) => {
      const tags = Array.from({ length: tagsOf(pages) }, (_, tag) => 1 + tag);
      for (const tag of shuffled(tags, seeded(2))) builder.invpcid(THE_CPU, 1, tag);
    }),
  ),
  curve("full flush of a full cache and filling it again, by entries", "entries", CACHES, (name, entries) =>
    flushAt(name, entries, touch, (builder, pages) => {
      builder.flushAll(THE_CPU);
      touch(builder, pages);
    }),
  ),
  curve("range flush page by page, by pages", "pages", RANGES, (name, pages) => rangeAt(name, pages, "invlpgRange")),
  curve("range flush as Linux does it (all above 33 pages), by pages", "pages", RANGES, (name, pages) =>
    rangeAt(name, pages, "invlpgRangeOrAll"),
  ),
  {
    ...curve("random access, all caches, by frames of tables", "frames", FRAMES, (name, frames) =>
      accessAt(name, frames, geometries.skylake),
    ),
    most: { quick: 10_000, usual: 100_000, full: 100_000 },
  },
  {
    ...curve("random access, no caches, by frames of tables", "frames", FRAMES, (name, frames) =>
      accessAt(name, frames, {}),
    ),
    most: { quick: 10_000, usual: 100_000, full: 100_000 },
  },
  curve("access in turns, by address spaces", "spaces", SPACES, spacesAt),
  ...iommuCurves,
  {
    ...{ table: REPLAYS, of: "operations", unit: "operation", sizes: OPERATIONS },
    most: { quick: 1e6, usual: 1e7, full: 1e8 },
  },
];
