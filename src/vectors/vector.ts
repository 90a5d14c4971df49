// A walk vector: one access on an emulator's MMU, the tables it met, and what came of it. One JSON object a line;
// where the emulator deviates from the SDM (4.6.1, 4.7), the line gives the SDM's result, and `expected` is that.

import type { Place } from "./error.js";
import { type Fields, fieldsOf } from "./fields.js";
import { parseTables, type VectorEntry } from "./tables.js";

/** What the access did. `physicalAddress` and `pageSize` in bytes. */
export type VectorResult =
  | { kind: "ok"; physicalAddress: bigint; pageSize: 4096 | 0x200000 | 0x40000000 }
  | { kind: "fault"; errorCode: number }
  | { kind: "non-canonical" };

/** Why the emulator's result is not the SDM's. */
export type VectorDeviation = "rsvd-without-p" | "implicit-smap-ac";

/** One access, the tables it met, and what came of it. */
export interface WalkVector {
  id: number;
  levels: 4 | 5;
  maxPhyAddr: number;
  controls: {
    wp: boolean;
    smep: boolean;
    smap: boolean;
    pke: boolean;
    pge: boolean;
    nxe: boolean;
    ac: boolean;
    pkru: number;
  };
  /** `implicit`: a supervisor access that the processor makes by itself, whatever the privilege level. */
  access: { type: "read" | "write" | "fetch"; user: boolean; implicit: boolean };
  virtualAddress: bigint;
  /** Frame number of the top-level table. */
  root: number;
  /** From the top level down to the level of the intended leaf. One slot may serve at several levels. */
  tables: VectorEntry[];
  /** What the emulator did. */
  observed: VectorResult;
  /** What the SDM says: the observed result, corrected on the lines marked as deviations. */
  expected: VectorResult;
  /** Why the emulator's result is not the SDM's, or undefined. */
  deviation: VectorDeviation | undefined;
}

const ACCESS_TYPES = { r: "read", w: "write", x: "fetch" } as const;
const DEVIATIONS = ["rsvd-without-p", "implicit-smap-ac"] as const;
const PHYSICAL_BITS = 52n;

/**
 * Reads one vector.
 * @param place names the line in errors
 * @throws VectorFormatError naming the line, the field, the value and what was expected
 */
export function parseWalkVector(line: string, place: Place): WalkVector {
  const it = fieldsOf(line, place);
  const levels = it.oneOf("levels", [4, 5]);
  const cr3 = it.hex("cr3");
  if (cr3 >> PHYSICAL_BITS !== 0n) throw it.wrong("cr3", "an address below 2^52");
  const root = Number(cr3 >> 12n);
  const observed = parseResult(it.object("result"));
  const deviation = it.has("deviation") ? it.oneOf("deviation", DEVIATIONS) : undefined;
  const implicit = it.flag("implicit");
  return {
    id: it.integer("id", 0, Number.MAX_SAFE_INTEGER),
    levels,
    maxPhyAddr: it.integer("maxphyaddr", 32, 52),
    controls: {
      wp: it.flag("cr0wp"),
      smep: it.flag("smep"),
      smap: it.flag("smap"),
      pke: it.flag("pke"),
      pge: it.flag("pge"),
      nxe: it.flag("nxe"),
      ac: it.flag("ac"),
      pkru: it.integer("pkru", 0, 0xffff_ffff),
    },
    access: {
      type: ACCESS_TYPES[it.oneOf("access", ["r", "w", "x"])],
      user: it.oneOf("cpl", [0, 3]) === 3 && !implicit,
      implicit,
    },
    virtualAddress: it.hex("va"),
    root,
    tables: parseTables(it.list("tables", levels), { root, rootField: "cr3", physicalBits: PHYSICAL_BITS }),
    observed,
    expected: deviation === undefined ? observed : parseResult(it.object("sdm")),
    deviation,
  };
}

function parseResult(it: Fields): VectorResult {
  if (it.boolean("ok")) {
    const pageSize = it.oneOf("pageSize", [4096, 0x200000, 0x40000000]);
    return { kind: "ok", physicalAddress: it.hex("pa"), pageSize };
  }
  if (it.oneOf("vector", [13, 14]) === 14) return { kind: "fault", errorCode: it.integer("errorCode", 0, 0xffff) };
  if (!it.has("noncanonical") || !it.boolean("noncanonical")) throw it.wrong("noncanonical", "true with vector 13");
  return { kind: "non-canonical" };
}
