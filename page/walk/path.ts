// A walk as it is drawn: one column a table, with what the entry says, the rights so far, and which cache holds it. No drawing
// here, so that a test can ask the same questions.

import type { Access, Cache, CacheEntry, Explanation, Machine, Outcome } from "../../src/index.js";
import { indexAt, isLeaf, shiftOf } from "../../src/paging/levels.js";
import { type PathRights, rightsAlong } from "../../src/paging/rights.js";
import { type Agent, PASID } from "./scene.js";

const PRESENT = 1n;
const FRAME = 0xffffffffff000n;

/** One table of a path, and the entry that is read in it. */
export interface Column {
  level: number;
  /** Frame number of the table. */
  table: number;
  index: number;
  entry: bigint;
  present: boolean;
  /** The entry is the leaf. */
  leaf: boolean;
  /** Frame that the entry names: of the next table, or of the page. */
  frame: number;
  /** Of the path up to it. */
  rights: PathRights;
  /** Names of the caches that hold this entry, or the translation that ends in it. */
  cached: readonly string[];
}

/** What a walk is, and how it ends. */
export interface Path {
  root: bigint;
  columns: readonly Column[];
  /** What the tables say. */
  outcome: Outcome;
  /** What an access would be told now, caches included. */
  answer: Outcome;
  /** Where an access would begin now: a translation cache has it, or the table of a level is read first. */
  start: { kind: "translation"; cache: string } | { kind: "table"; level: number };
}

/** The path of an address through the tables of a machine. */
export function pathOf(machine: Machine, by: Agent, address: bigint, access: Access): Path {
  const agent = agentOf(machine, by);
  const [explained, answer] = asked(machine, by, address, access);
  const bits = 12 + 9 * machine.levels;
  const holds = (cache: Cache): boolean => cache.contents().some((entry) => covers(entry, address, bits));
  const translations = [...agent.l1, ...agent.l2].filter(holds).map(({ name }) => name);
  const rights = rightsAlong(explained.chain.map(({ entry }) => entry));
  const columns = explained.chain.map(({ level, tableFrame, index, entry }, i): Column => {
    const present = (entry & PRESENT) !== 0n;
    const leaf = isLeaf(entry, level);
    const psc = agent.psc.get(level);
    const cached = leaf ? translations : psc && holds(psc) ? [psc.name] : [];
    return {
      level,
      table: tableFrame,
      index,
      entry,
      present,
      leaf,
      frame: frameOf(entry, level, leaf),
      rights: rights[i] as PathRights,
      cached,
    };
  });
  const lowest = [...agent.psc].filter(([, cache]) => holds(cache)).map(([level]) => level);
  const [cache] = translations;
  return {
    root: machine.cpus[0]?.root ?? 0n,
    columns,
    outcome: explained.outcome,
    answer,
    start:
      cache === undefined
        ? { kind: "table", level: Math.min(machine.levels + 1, ...lowest) - 1 }
        : { kind: "translation", cache },
  };
}

/** The agent of a machine whose walk is shown. */
export function agentOf({ cpus, iommus }: Machine, by: Agent): Machine["cpus"][number] | Machine["iommus"][number] {
  const agent = by === "cpu" ? cpus[0] : iommus[0];
  if (!agent) throw new Error(`the machine has no ${by}`);
  return agent;
}

function asked(machine: Machine, by: Agent, address: bigint, access: Access): [Explanation, Outcome] {
  const [cpu] = machine.cpus;
  const [iommu] = machine.iommus;
  if (!cpu || !iommu) throw new Error("the machine lacks an agent");
  return by === "cpu"
    ? [cpu.explain(address, access), cpu.probe(address, access)]
    : [iommu.explain(PASID, address, access), iommu.probe(PASID, address, access)];
}

function covers({ pageShift, pageNumber }: CacheEntry, address: bigint, bits: number): boolean {
  const shift = BigInt(pageShift);
  const wide = bits - pageShift;
  return BigInt.asUintN(wide, pageNumber) === BigInt.asUintN(wide, address >> shift);
}

/** The frame that an entry names; of a large page the first one. */
export function frameOf(entry: bigint, level: number, leaf: boolean): number {
  const frame = (entry & FRAME) >> 12n;
  const low = leaf ? (1n << BigInt(shiftOf(level) - 12)) - 1n : 0n;
  return Number(frame & ~low);
}

/** The parts of an address: an index a level, and the rest; the highest first. */
export function partsOf(
  address: bigint,
  levels: number,
  leaf = 1,
): { level: number; value: number; high: number; low: number }[] {
  const parts = [];
  for (let level = levels; level >= leaf; level--) {
    const low = shiftOf(level);
    parts.push({ level, value: indexAt(address, level), high: low + 8, low });
  }
  const high = shiftOf(leaf) - 1;
  parts.push({ level: 0, value: Number(address & ((1n << BigInt(high + 1)) - 1n)), high, low: 0 });
  return parts;
}
