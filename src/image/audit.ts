// What the tables of an image look like, counted: leaves by size, U/S by level and half, pages user mode can reach in the
// kernel half, writable and executable pages, shared tables. Counts are per virtual address (a table reached at 2048
// addresses counts 2048 times), as a walker meets them, unless the name says "slots" or "tables" (each once).
import { checkFields } from "../base/known-fields.js";
import type { CoreImage } from "./core.js";
import { entryFrame, entryKind, indexRange, type TableGraph, type TableVisit } from "./tables.js";

/** Present entries of one half, level and kind, and how many have a bit set. */
export interface EntryCounts {
  /** Half of the address space: user has bit 63 of the addresses clear. */
  half: "user" | "kernel";
  /** Level of the tables that hold them, 1 to 5. */
  level: number;
  /** Leaves map pages; the others name the next table. */
  kind: "leaf" | "non-leaf";
  /** Present entries. */
  total: number;
  /** Entries with U/S = 1. */
  userSet: number;
  /** Entries with U/S = 0. */
  userClear: number;
  /** Entries with R/W = 1. */
  writeSet: number;
  /** Entries with XD = 1. */
  xdSet: number;
  /** Entries with G = 1; 0 for those that are no leaves. */
  globalSet: number;
}

/** A leaf named in an audit. */
export interface AuditLeaf {
  /** Lowest sign-extended virtual address the leaf is reached at on such a path. */
  address: bigint;
  /** Level of the leaf: 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB. */
  level: number;
  /** The entry as it stands in its table. */
  entry: bigint;
  /** Number of addresses it is reached at. */
  visits: number;
}

/** Leaves with some property: how many, and the lowest few. */
export interface LeafFinding {
  /** Number of leaves, one for each address. */
  count: number;
  /** The lowest of them by address. */
  examples: AuditLeaf[];
}

/** A table that more than one entry leads to. */
export interface SharedTable {
  /** Its frame number. */
  frame: number;
  /** The levels it is reached at. */
  levels: number[];
  /** Number of entries (slots of tables) that lead to it. */
  slots: number;
  /** Number of addresses it is reached at. */
  visits: number;
}

/** The result of {@link auditTables}. */
export interface ImageAudit {
  /** Levels of the tables. */
  levels: 4 | 5;
  /** Frame number of the root table. */
  root: number;
  /** Number of frames that are tables. */
  tables: number;
  /** Number of tables by level, index 1 to `levels`; a table reached at two levels counts at both. */
  tablesByLevel: number[];
  /** Number of tables that are reached at more than one level. */
  tablesAtSeveralLevels: number;
  /** Number of leaves by page size, one for each address. */
  leaves: { "4K": number; "2M": number; "1G": number };
  /** Half × level × kind; rows without entries are left out. */
  entries: EntryCounts[];
  /** Kernel-half leaves whose own U/S bit is set. */
  kernelLeavesWithUser: LeafFinding;
  /** Kernel-half leaves that user mode reaches: U/S set at every level. */
  userReachableKernelLeaves: LeafFinding;
  /** Leaves both writable and executable over all levels. */
  writableExecutable: { user: LeafFinding; kernel: LeafFinding };
  /** Tables that more than one slot leads to, most visited first; `sharedTableCount` counts them all. */
  sharedTables: SharedTable[];
  /** Number of shared tables, listed or not. */
  sharedTableCount: number;
  /** Slots with P = 0 that are not zero (swap entries, PROT_NONE, freed kernel pages). */
  nonPresentNonZeroSlots: number;
  /** Slots that fault with a reserved bit. */
  reservedSlots: number;
  /** Slots that lead to a table the image does not hold. */
  missingTableSlots: number;
}

/** Options of {@link auditTables}. */
export interface AuditOptions {
  /** How many leaves and tables each finding lists. Default: 16. */
  examples?: number;
}

/**
 * Counts the tables reachable from a root. Takes time proportional to the number of tables.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { auditTables, imageContext, imageTables } from "stalewalk/image";
 * import { openCoreFile } from "stalewalk/image/node";
 *
 * const { image } = await openCoreFile("vm.core.gz");
 * const audit = auditTables(image, imageTables(image, imageContext(image)));
 * console.log(audit.leaves); // { '4K': 2634, '2M': 29, '1G': 0 }
 * ```
 */
export function auditTables(image: CoreImage, graph: TableGraph, options: AuditOptions = {}): ImageAudit {
  checkFields(options, { examples: true });
  const limit = options.examples ?? 16;
  const { rules } = graph;
  const rows = new Map<string, EntryCounts>();
  const kernelLeavesWithUser = finding();
  const userReachableKernelLeaves = finding();
  const writableExecutable = { user: finding(), kernel: finding() };
  for (const visits of graph.visits) {
    for (const visit of visits) {
      eachEntry(image, graph, visit, (index, low, high, kind) => {
        if (kind !== "leaf" && kind !== "non-leaf") return;
        const half = visit.kernel ? "kernel" : "user";
        count(rows, half, visit, kind, low, high);
        if (kind !== "leaf") return;
        const leaf = () => describe(graph, visit, index, low, high);
        if (visit.kernel && low & 4) note(kernelLeavesWithUser, visit.visits, leaf);
        if (visit.kernel && low & 4 && visit.user) note(userReachableKernelLeaves, visit.visits, leaf);
        const executable = !visit.xd && high >>> 31 === 0;
        if (executable && visit.write && low & 2) note(writableExecutable[half], visit.visits, leaf);
      });
    }
  }
  for (const found of [kernelLeavesWithUser, userReachableKernelLeaves, ...Object.values(writableExecutable)]) {
    found.examples.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0)).splice(limit);
  }
  const slots = countSlots(image, graph);
  const masks = [...graph.tables.values()];
  const atLevel = (level: number) => masks.filter((mask) => mask & (1 << level)).length;
  return {
    levels: rules.levels,
    root: graph.root,
    tables: graph.tables.size,
    tablesByLevel: Array.from({ length: rules.levels + 1 }, (_, level) => (level === 0 ? 0 : atLevel(level))),
    tablesAtSeveralLevels: masks.filter((mask) => mask & (mask - 1)).length,
    leaves: { "4K": graph.leaves[1]!, "2M": graph.leaves[2]!, "1G": graph.leaves[3]! },
    entries: [...rows.values()].sort(
      (a, b) => b.half.localeCompare(a.half) || b.level - a.level || b.kind.localeCompare(a.kind),
    ),
    kernelLeavesWithUser,
    userReachableKernelLeaves,
    writableExecutable,
    sharedTables: slots.shared.slice(0, limit),
    sharedTableCount: slots.shared.length,
    nonPresentNonZeroSlots: slots.nonPresentNonZero,
    reservedSlots: slots.reserved,
    missingTableSlots: graph.missingCount,
  };
}

type EachEntry = (index: number, low: number, high: number, kind: ReturnType<typeof entryKind>) => void;

function eachEntry(image: CoreImage, graph: TableGraph, visit: TableVisit, each: EachEntry): void {
  const bytes = image.frame(visit.frame)!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [first, end] = indexRange(visit, graph.rules);
  for (let index = first; index < end; index++) {
    const low = view.getUint32(index * 8, true);
    const high = view.getUint32(index * 8 + 4, true);
    each(index, low, high, entryKind(low, high, visit.level, graph.rules));
  }
}

function count(
  rows: Map<string, EntryCounts>,
  half: "user" | "kernel",
  visit: TableVisit,
  kind: "leaf" | "non-leaf",
  low: number,
  high: number,
): void {
  const key = `${half} ${visit.level} ${kind}`;
  let row = rows.get(key);
  if (!row) {
    row = { half, level: visit.level, kind, total: 0, userSet: 0, userClear: 0, writeSet: 0, xdSet: 0, globalSet: 0 };
    rows.set(key, row);
  }
  const { visits } = visit;
  row.total += visits;
  if (low & 4) row.userSet += visits;
  else row.userClear += visits;
  if (low & 2) row.writeSet += visits;
  if (high >>> 31) row.xdSet += visits;
  // Bit 8 means Global in leaves only.
  if (kind === "leaf" && low & 0x100) row.globalSet += visits;
}

// Each slot once, whatever the number of addresses it serves; a table reached at two levels is read at both.
function countSlots(image: CoreImage, graph: TableGraph) {
  const visitsOf = new Map<number, number>();
  for (const visits of graph.visits) {
    for (const { frame, visits: n, level } of visits) {
      if (level !== graph.rules.levels) visitsOf.set(frame, (visitsOf.get(frame) ?? 0) + n);
    }
  }
  const slotsOf = new Map<number, number>();
  let nonPresentNonZero = 0;
  let reserved = 0;
  for (const [frame, mask] of graph.tables) {
    const bytes = image.frame(frame)!;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let index = 0; index < 512; index++) {
      const low = view.getUint32(index * 8, true);
      const high = view.getUint32(index * 8 + 4, true);
      if ((low & 1) === 0) {
        if (low !== 0 || high !== 0) nonPresentNonZero++;
        continue;
      }
      let leadsOn = false;
      let faults = false;
      for (let level = 1; level <= graph.rules.levels; level++) {
        if ((mask & (1 << level)) === 0) continue;
        const kind = entryKind(low, high, level, graph.rules);
        leadsOn ||= kind === "non-leaf";
        faults ||= kind === "reserved";
      }
      if (faults) reserved++;
      if (!leadsOn) continue;
      const target = entryFrame(low, high);
      if (graph.tables.has(target)) slotsOf.set(target, (slotsOf.get(target) ?? 0) + 1);
    }
  }
  const shared: SharedTable[] = [];
  for (const [frame, slots] of slotsOf) {
    if (slots < 2) continue;
    const mask = graph.tables.get(frame)!;
    const levels = [5, 4, 3, 2, 1].filter((level) => mask & (1 << level));
    shared.push({ frame, levels, slots, visits: visitsOf.get(frame) ?? 0 });
  }
  shared.sort((a, b) => b.visits - a.visits || a.frame - b.frame);
  return { shared, nonPresentNonZero, reserved };
}

function finding(): LeafFinding {
  return { count: 0, examples: [] };
}

// Examples are sorted and cut at the end; the bound keeps a hostile image from collecting millions.
const MAX_EXAMPLES_KEPT = 100_000;

function note(found: LeafFinding, visits: number, leaf: () => AuditLeaf): void {
  found.count += visits;
  if (found.examples.length < MAX_EXAMPLES_KEPT) found.examples.push(leaf());
}

function describe(graph: TableGraph, visit: TableVisit, index: number, low: number, high: number): AuditLeaf {
  const page = visit.firstPage + index * 512 ** (visit.level - 1);
  const bits = 12 + 9 * graph.rules.levels;
  const address = BigInt.asUintN(64, BigInt.asIntN(bits, BigInt(page) << 12n));
  const entry = (BigInt(high) << 32n) | BigInt(low);
  return { address, level: visit.level, entry, visits: visit.visits };
}
