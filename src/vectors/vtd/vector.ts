// A recorded device request of an emulator's VT-d: one walk through first-stage tables, and what came of it. One JSON object a
// line. Where the emulator differs from the specification, the line gives the specification's result, and `expected` is that;
// where several faults hold and the text gives no order, `conditions` lists those that are right.

import type { Place } from "../error.js";
import { type Fields, fieldsOf } from "../fields.js";
import { parseTables, type VectorEntry } from "../tables.js";

/** What a request did; `pageSize` in bytes. */
export type VtdResult =
  | { kind: "ok"; physicalAddress: bigint; pageSize: 4096 | 0x200000 | 0x40000000 }
  /** Fault reason by VT-d's number. */
  | { kind: "fault"; reason: number }
  /** Blocked, and no fault recorded; `reason` is what is hidden, if it is known. */
  | { kind: "unrecorded"; reason: number | undefined };

/** Why the emulator's result is not the specification's. */
export type VtdDeviation = (typeof VTD_DEVIATIONS)[number];

/** Deviations of walks. */
export const VTD_DEVIATIONS = [
  "dirty-or-accessed-lost",
  "sre-reserved",
  "fs1gp",
  "address-width",
  "pasid-present",
  "interrupt-overlap",
  "dirty-on-blocked",
] as const;

/** Fields of a PASID-table entry, by VT-d's names (9.6). */
export interface VtdPasidEntry {
  p: boolean;
  pgtt: number;
  aw: number;
  fpd: boolean;
  sre: boolean;
  wpe: boolean;
  fspm: number;
}

/** One request, the tables it met, and what came of it. */
export interface VtdVector {
  id: number;
  /** Width of physical addresses. */
  maxPhyAddr: number;
  /** CAP.FS1GP: first-stage pages of 1 GiB. */
  pages1G: boolean;
  access: "read" | "write";
  virtualAddress: bigint;
  /** Physical address of the top-level table (FSPTPTR). */
  root: bigint;
  /** Domain id. */
  domain: number;
  /** The PASID-table entry where it is not the plain one. */
  pasidEntry: VtdPasidEntry | undefined;
  /** From the top level down. One slot may serve at several levels. */
  tables: VectorEntry[];
  /** What the emulator did. */
  observed: VtdResult;
  /** What the specification says: the observed result, corrected on marked lines. */
  expected: VtdResult;
  /** Reasons any of which is right; of a fault without such a list, its own. */
  reasons: readonly number[];
  /** Entries after a completed request, in the order of `tables`. */
  after: readonly bigint[];
  /** Why the emulator's result is not the specification's, or undefined. */
  deviation: VtdDeviation | undefined;
}

const LEVELS = 4;
const PHYSICAL_BITS = 52n;
const MAX_REASON = 0xff;

/**
 * Reads one walk.
 * @param place names the line in errors
 * @throws VectorFormatError naming the line, the field, the value and what was expected
 */
export function parseVtdVector(line: string, place: Place): VtdVector {
  const it = fieldsOf(line, place);
  it.exactly(
    ["id", "haw", "fs1gp", "access", "va", "root", "did", "tables", "result"],
    [...["pasidEntry", "deviation", "spec", "conditions"]],
  );
  const root = it.hex("root");
  if ((root & 0xfffn) !== 0n || root >> PHYSICAL_BITS !== 0n)
    throw it.wrong("root", "a page-aligned address below 2^52");
  const list = it.list("tables", LEVELS);
  for (const [i, entry] of list.entries()) {
    entry.exactly(["level", "pa", "index", "before", "after"]);
    entry.integer("level", LEVELS - i, LEVELS - i);
  }
  const tables = parseTables(list, {
    root: Number(root >> 12n),
    rootField: "root",
    physicalBits: PHYSICAL_BITS,
  });
  const observed = parseVtdResult(it.object("result"), "result");
  const deviation = it.has("deviation") ? it.oneOf("deviation", VTD_DEVIATIONS) : undefined;
  if (deviation !== undefined && !it.has("spec"))
    throw it.wrong("spec", "the specification's result beside a deviation");
  const spec = it.has("spec") ? it.object("spec") : undefined;
  const expected = spec === undefined ? observed : parseVtdResult(spec, "spec");
  return {
    id: it.integer("id", 0, Number.MAX_SAFE_INTEGER),
    maxPhyAddr: it.integer("haw", 32, 52),
    pages1G: it.flag("fs1gp"),
    access: ({ r: "read", w: "write" } as const)[it.oneOf("access", ["r", "w"])],
    virtualAddress: it.hex("va"),
    root,
    domain: it.integer("did", 0, 0xffff),
    pasidEntry: it.has("pasidEntry") ? parsePasidEntry(it.object("pasidEntry")) : undefined,
    tables,
    observed,
    expected,
    reasons: parseReasons(it, expected),
    after: spec?.has("after") ? spec.hexList("after", tables.length) : tables.map(({ after }) => after),
    deviation,
  };
}

function parseReasons(it: Fields, expected: VtdResult): readonly number[] {
  const own = expected.kind === "ok" || expected.reason === undefined ? [] : [expected.reason];
  if (!it.has("conditions")) return own;
  if (expected.kind === "ok") throw it.wrong("conditions", "none beside a completed request");
  const conditions = it.integerList("conditions", 1, MAX_REASON);
  if (own.length > 0 && !conditions.includes(own[0] as number)) {
    throw it.wrong("conditions", `a list with the reason itself, ${own[0]}`);
  }
  return conditions;
}

/** A result. `after` belongs to a specification's result that is completed, `unreported` to one that is not recorded. */
export function parseVtdResult(it: Fields, field: "result" | "spec"): VtdResult {
  const isSpec = field === "spec";
  if (it.boolean("ok")) {
    it.exactly(["ok", "pa", "pageSize"], isSpec ? ["after"] : []);
    if (isSpec && !it.has("after")) throw it.wrong("after", "the entries afterwards");
    const pageSize = it.oneOf("pageSize", [4096, 0x200000, 0x40000000]);
    return { kind: "ok", physicalAddress: it.hex("pa"), pageSize };
  }
  it.exactly(["ok", "reason"], isSpec ? ["unreported"] : []);
  if (!it.isNull("reason")) {
    if (it.has("unreported")) throw it.wrong("unreported", "none beside a reason");
    return { kind: "fault", reason: it.integer("reason", 1, MAX_REASON) };
  }
  return { kind: "unrecorded", reason: it.has("unreported") ? it.integer("unreported", 1, MAX_REASON) : undefined };
}

function parsePasidEntry(it: Fields): VtdPasidEntry {
  it.exactly(["p", "pgtt", "aw", "fpd", "sre", "wpe", "fspm"]);
  return {
    p: it.flag("p"),
    pgtt: it.integer("pgtt", 0, 7),
    aw: it.integer("aw", 0, 7),
    fpd: it.flag("fpd"),
    sre: it.flag("sre"),
    wpe: it.flag("wpe"),
    fspm: it.integer("fspm", 0, 3),
  };
}
