// The small world of one cell of the matrix, for an exploration of everything that may happen (explore.ts): which entries of which
// tables there are, and what the state of it all is. A third reading of rules.md, of sites and policies only: no frame numbers, no
// program, no cache that evicts; a table is a number that is never used again once it is freed.

/** An entry: 0 is none. */
export type Entry = number;

const LEAF = 1;
const USER = 2;
const DIRTY = 4;
const TABLE = 8;

export const leaf = (of: { user: boolean }): Entry => LEAF | (of.user ? USER : 0);
/** Of a table; U/S is 0 in what a split makes. */
export const names = (table: number, user = true): Entry => TABLE * (table + 1) + (user ? USER : 0);
export const isLeaf = (entry: Entry): boolean => (entry & LEAF) !== 0;
export const isUser = (entry: Entry): boolean => (entry & USER) !== 0;
export const isDirty = (entry: Entry): boolean => (entry & DIRTY) !== 0;
export const dirtied = (entry: Entry): Entry => entry | DIRTY;
export const tableOf = (entry: Entry): number => Math.floor(entry / TABLE) - 1;

/** Who made a table says what becomes of it when it is freed. */
export type Mark = "kernel" | "none";

export type Level = 1 | 2 | 3 | 4;
const shift = (level: Level): bigint => BigInt(3 + 9 * level);
/** What tells an entry of a level apart: the bits above its span. */
export const page = (address: bigint, level: Level): bigint => BigInt.asUintN(48, address) >> shift(level);
export const spanOf = (level: Level): bigint => 1n << shift(level);

/** A walk under way. */
export interface Walk {
  address: number;
  write: boolean;
  level: Level;
  table: number;
  /** Cumulative U/S. */
  user: boolean;
  /** What it was read as, if it is to be marked. */
  marking: Entry | undefined;
  /** It is making its steps; what it has already cost. */
  going: boolean;
  tag: number;
}

/** Cached: `level|page|tag` to what the entry was. Sorted, so that equal contents are equal texts. */
export type Cache = readonly (readonly [key: string, value: Entry])[];

/** All that can differ from moment to moment. */
export interface State {
  memory: readonly Entry[];
  /** By table: 1 if it has been given back. */
  freed: readonly (0 | 1)[];
  /** Tables that wait for the worker, and those that it has taken. */
  list: readonly number[];
  taken: readonly number[];
  /** Ranges that wait for asynchronous invalidation. */
  requests: readonly string[];
  /** What the kernel is doing, innermost last: thread and place in its steps. */
  running: readonly { readonly thread: Thread; readonly at: number }[];
  begun: { readonly a: boolean; readonly b: boolean; readonly exit: boolean };
  paths: Cache;
  pages: Cache;
  device: Cache;
  walk: Walk | undefined;
  /** A second one, which waits (with wide moves). */
  other: Walk | undefined;
  /** IOMMU: the entry of the PASID is present; it is cached. */
  bound: boolean;
  pasidCached: boolean;
  cpu: Cpu;
  hazard: boolean;
}

/** The frees of the two regions, the worker, the end of the process. */
export type Thread = "a" | "b" | "work" | "exit";

/** What the watched CPU runs, and what its ASIDs hold. */
export interface Cpu {
  mm: 0 | 1;
  asid: number;
  asids: readonly ({ readonly mm: 0 | 1; readonly generation: number } | undefined)[];
  next: number;
  userMode: boolean;
  othersStale: boolean;
  /** ASIDs whose user PCID is flushed when it is loaded next. */
  marked: readonly number[];
  /** By mm: its generation; -1 when it has ended. */
  generations: readonly [number, number];
}

/** Entries of tables, made while a scenario is told. */
export class Layout {
  readonly memory: Entry[] = [];
  readonly marks: Mark[] = [];
  readonly #slots = new Map<string, number>();

  table(mark: Mark): number {
    return this.marks.push(mark) - 1;
  }

  /** The slot of an address in a table of a level; a new one is empty. */
  slot(table: number, address: bigint, level: Level): number {
    const key = slotKey(table, address, level);
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const made = this.memory.push(0) - 1;
    this.#slots.set(key, made);
    return made;
  }

  /** The slot, if the scenario has it; all others are empty for good. */
  find(table: number, address: bigint, level: Level): number | undefined {
    return this.#slots.get(slotKey(table, address, level));
  }

  set(table: number, address: bigint, level: Level, entry: Entry): number {
    const slot = this.slot(table, address, level);
    this.memory[slot] = entry;
    return slot;
  }
}

const slotKey = (table: number, address: bigint, level: Level): string => `${table} ${page(address, level) & 511n}`;

/** A copy to change: what hangs on it is replaced, never written to, but for the walk and the CPU. */
export function clone(s: State): State {
  return { ...s, walk: s.walk && { ...s.walk }, other: s.other && { ...s.other }, cpu: { ...s.cpu } };
}

const texts = new WeakMap<object, string>();

/** Parts are shared by many states: the text of each is made once. */
function textOfPart(part: readonly unknown[]): string {
  const known = texts.get(part);
  if (known !== undefined) return known;
  const made = part.map((it) => (typeof it === "object" ? JSON.stringify(it) : String(it))).join();
  texts.set(part, made);
  return made;
}

const textOfWalk = (w: Walk | undefined): string =>
  w ? `${w.address} ${w.write} ${w.level} ${w.table} ${w.user} ${w.marking} ${w.going} ${w.tag}` : "";

/** Equal for equal states. */
export function textOf(s: State): string {
  const { cpu, begun } = s;
  let text = "";
  for (const part of [s.memory, s.freed, s.list, s.taken, s.requests, s.running, s.paths, s.pages, s.device]) {
    text += `${textOfPart(part)};`;
  }
  text += `${begun.a}${begun.b}${begun.exit}${s.bound}${s.pasidCached};${textOfWalk(s.walk)};${textOfWalk(s.other)}`;
  text += `;${cpu.mm} ${cpu.asid} ${cpu.next} ${cpu.userMode} ${cpu.othersStale} ${textOfPart(cpu.marked)}`;
  return `${text} ${textOfPart(cpu.generations)} ${textOfPart(cpu.asids)}`;
}
