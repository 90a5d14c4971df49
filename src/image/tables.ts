// Which frames of an image are page tables: a breadth-first walk from the root over present entries (docs/rules.md,
// sections 1 and 3). Tables form a graph, not a tree: one table may be reached by thousands of entries, and at several
// levels. So this counts visits per table instead of enumerating addresses; its time grows with the tables, not with the
// addresses they map, even in a hostile image whose root points at itself.
import type { CoreImage } from "./core.js";

/** What decides whether an entry is valid: see docs/rules.md, section 3. */
export interface WalkRules {
  /** Levels of the tables. */
  levels: 4 | 5;
  /** Width of physical addresses in bits, 32..52. */
  maxPhyAddr: number;
  /** True if 1 GiB pages exist. */
  pages1G: boolean;
  /** EFER.NXE: without it XD is a reserved bit. */
  nxe: boolean;
}

/** What an entry is at its level. */
export type EntryKind = "not-present" | "reserved" | "non-leaf" | "leaf";

/** A table as reached on paths that are alike: same half of the address space, same cumulative rights. */
export interface TableVisit {
  /** Frame number of the table. */
  frame: number;
  /** Level at which it is reached. */
  level: number;
  /** True in the half of the addresses with bit 63 set. */
  kernel: boolean;
  /** Cumulative rights on the way to the table: R/W and U/S ANDed, XD ORed. */
  write: boolean;
  /** Cumulative U/S. */
  user: boolean;
  /** Cumulative XD. */
  xd: boolean;
  /** Number of different addresses at which the table is reached (exact: at most 2^45). */
  visits: number;
  /** Lowest page number (translated bits / 4096) at which it is reached. */
  firstPage: number;
}

/** An entry that leads to a frame the image does not hold. */
export interface MissingTable {
  /** Frame number that the entry names. */
  frame: number;
  /** Level of the table that is missing. */
  level: number;
  /** The table and index of the entry. */
  parent: number;
  /** Index of the entry in the parent, 0 to 511. */
  index: number;
}

/** The tables reachable from a root. */
export interface TableGraph {
  /** Frame number of the root table. */
  root: number;
  /** What decided which entries are valid. */
  rules: WalkRules;
  /** Frame number of each table, with a mask of the levels it is reached at (bit L for level L). */
  tables: Map<number, number>;
  /** Visits of each level, `visits[L]`; the root's level holds one per half that has entries. */
  visits: TableVisit[][];
  /** Number of non-leaf entries (each slot once) whose table is not in the image, and the first of them. */
  missingCount: number;
  /** The first entries whose table is not in the image. */
  missing: MissingTable[];
  /** Number of leaves, one for each address they are reached at, by level (index 1 to 3). */
  leaves: number[];
}

const MAX_MISSING_LISTED = 16;

/** A page-table entry split for speed into its low and high 32 bits (unsigned). */
export function entryKind(low: number, high: number, level: number, rules: WalkRules): EntryKind {
  if ((low & 1) === 0) return "not-present";
  const tooWide = 0xfffff & ~(2 ** (rules.maxPhyAddr - 32) - 1);
  if ((high & tooWide) !== 0 || (high >>> 31 && !rules.nxe)) return "reserved";
  if (level === 1) return "leaf";
  if ((low & 0x80) === 0) return "non-leaf";
  if (level > 3 || (level === 3 && !rules.pages1G)) return "reserved";
  // A large leaf has PAT in bit 12 and zeroes from there to its frame.
  return low & (level === 2 ? 0x1fe000 : 0x3fffe000) ? "reserved" : "leaf";
}

/** Frame number of an entry, from its two halves. */
export function entryFrame(low: number, high: number): number {
  return (high & 0xfffff) * 0x100000 + (low >>> 12);
}

/** Index of the first entry of the kernel half in a root table. */
export const KERNEL_INDEX = 256;

/**
 * Finds the tables reachable from a root.
 *
 * @param root frame number of the root table; the image must hold it
 * @returns undefined if the image does not hold the root
 */
export function findTables(image: CoreImage, root: number, rules: WalkRules): TableGraph | undefined {
  if (!image.has(root)) return undefined;
  const graph: TableGraph = {
    root,
    rules,
    tables: new Map(),
    visits: Array.from({ length: rules.levels + 1 }, () => []),
    missingCount: 0,
    missing: [],
    leaves: [0, 0, 0, 0],
  };
  const whole = { frame: root, level: rules.levels, write: true, user: true, xd: false, visits: 1 };
  graph.visits[rules.levels] = [
    { ...whole, kernel: false, firstPage: 0 },
    { ...whole, kernel: true, firstPage: 0 },
  ];
  for (let level = rules.levels; level >= 1; level--) descend(image, graph, level);
  return graph;
}

/** The indices of the entries that belong to a visit: half a table at the root, all 512 below. */
export function indexRange(visit: TableVisit, rules: WalkRules): [first: number, end: number] {
  if (visit.level !== rules.levels) return [0, 512];
  return visit.kernel ? [KERNEL_INDEX, 512] : [0, KERNEL_INDEX];
}

function descend(image: CoreImage, graph: TableGraph, level: number): void {
  const { rules } = graph;
  const below = new Map<number, TableVisit>();
  const span = 512 ** (level - 1);
  const missingBefore = new Set<number>();
  for (const visit of graph.visits[level]!) {
    const bytes = image.frame(visit.frame)!;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    graph.tables.set(visit.frame, (graph.tables.get(visit.frame) ?? 0) | (1 << level));
    const [first, end] = indexRange(visit, rules);
    for (let index = first; index < end; index++) {
      const low = view.getUint32(index * 8, true);
      const high = view.getUint32(index * 8 + 4, true);
      const kind = entryKind(low, high, level, rules);
      if (kind === "leaf") graph.leaves[level]! += visit.visits;
      if (kind !== "non-leaf") continue;
      const frame = entryFrame(low, high);
      if (!image.has(frame)) {
        const slot = visit.frame * 512 + index;
        if (!missingBefore.has(slot)) {
          missingBefore.add(slot);
          graph.missingCount++;
          if (graph.missing.length < MAX_MISSING_LISTED) {
            graph.missing.push({ frame, level: level - 1, parent: visit.frame, index });
          }
        }
        continue;
      }
      const write = visit.write && (low & 2) !== 0;
      const user = visit.user && (low & 4) !== 0;
      const xd = visit.xd || high >>> 31 === 1;
      const key = frame * 16 + (visit.kernel ? 8 : 0) + (write ? 4 : 0) + (user ? 2 : 0) + (xd ? 1 : 0);
      const firstPage = visit.firstPage + index * span;
      const known = below.get(key);
      if (known) {
        known.visits += visit.visits;
        known.firstPage = Math.min(known.firstPage, firstPage);
      } else {
        const { kernel, visits } = visit;
        below.set(key, { frame, level: level - 1, kernel, write, user, xd, visits, firstPage });
      }
    }
  }
  if (level > 1) graph.visits[level - 1] = [...below.values()];
}
