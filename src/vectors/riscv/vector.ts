// A RISC-V walk vector: one access under Sv39, Sv48 or Sv57 on an emulator's MMU, the tables it met, and what came of it. One
// JSON object a line; where the emulator deviates from the privileged specification, the line gives the specification's result.

import type { Place } from "../error.js";
import { type Fields, fieldsOf } from "../fields.js";
import { parseTables, type VectorEntry } from "../tables.js";

/** Levels of tables by paging mode. */
export const RISCV_LEVELS = { sv39: 3, sv48: 4, sv57: 5 } as const;
/** A paging mode of `satp`. */
export type RiscvMode = keyof typeof RISCV_LEVELS;

/** Sizes of pages: 64 KiB is a NAPOT page, the others are leaves of levels 1 to 5. */
const PAGE_SIZES = [2 ** 12, 2 ** 16, 2 ** 21, 2 ** 30, 2 ** 39, 2 ** 48] as const;

/** What the access did. */
export type RiscvResult =
  /** Translated. `pageSize` is undefined where the address lies outside the emulator's memory: nothing tells it there. */
  | { kind: "ok"; physicalAddress: bigint; pageSize: number | undefined }
  /** A page fault (12, 13, 15). */
  | { kind: "page-fault"; cause: number }
  /** An access fault (1, 5, 7): an entry could not be read. */
  | { kind: "access-fault"; cause: number };

/** Why the emulator's result, or what it did to entries, is not the specification's. */
export type RiscvDeviation = "pbmt-3" | "napot-fault-ad" | "entry-access-fault";

/** One access, the tables it met, and what came of it. */
export interface RiscvVector {
  id: number;
  mode: RiscvMode;
  controls: RiscvControls;
  access: { type: "read" | "write" | "fetch"; user: boolean };
  /** How the access was made; must make no difference. */
  via: "mprv" | "direct" | "fetch";
  virtualAddress: bigint;
  /** `satp.ASID`; must make no difference. */
  asid: number;
  /** Frame number of the root table. */
  root: number;
  /** From the root down to the intended leaf; `after` as the emulator left it. */
  tables: VectorEntry[];
  /** What the emulator did. */
  observed: RiscvResult;
  /** What the specification says. On lines that deviate no entry changes. */
  expected: RiscvResult;
  /** Why the emulator is not the specification, or undefined. */
  deviation: RiscvDeviation | undefined;
}

/** What a context translates with: `sstatus`, `menvcfg`, and an extension that a hart has or has not. */
export interface RiscvControls {
  sum: boolean;
  mxr: boolean;
  /** Svadu: the hardware sets A and D. */
  adue: boolean;
  /** Svpbmt. */
  pbmte: boolean;
  svnapot: boolean;
}

/** Memory of the emulated machine, as frame numbers; what is not there cannot be read, all else that is not listed is zero. */
export const RISCV_RAM = { first: 0x8_0000, last: 0x1007_ffff } as const;

const MODES = ["sv39", "sv48", "sv57"] as const;
const ACCESS_TYPES = { r: "read", w: "write", x: "fetch" } as const;
const DEVIATIONS = ["pbmt-3", "napot-fault-ad", "entry-access-fault"] as const;
const PAGE_FAULTS = [12, 13, 15] as const;
const ACCESS_FAULTS = [1, 5, 7] as const;
const PHYSICAL_BITS = 56n;

/**
 * Reads one vector.
 * @param place names the line in errors
 * @throws VectorFormatError naming the line, the field, the value and what was expected
 */
export function parseRiscvVector(line: string, place: Place): RiscvVector {
  const it = fieldsOf(line, place);
  const mode = it.oneOf("mode", MODES);
  const rootAddress = it.hex("root");
  if ((rootAddress & 0xfffn) !== 0n || rootAddress >> PHYSICAL_BITS !== 0n || !isRam(rootAddress)) {
    throw it.wrong("root", `a page-aligned address in ${RAM}`);
  }
  const root = Number(rootAddress >> 12n);
  const observed = parseResult(it.object("result"), false);
  const deviation = it.has("deviation") ? it.oneOf("deviation", DEVIATIONS) : undefined;
  if (deviation === undefined && it.has("spec")) throw it.wrong("spec", "none on a line without a deviation");
  return {
    id: it.integer("id", 0, Number.MAX_SAFE_INTEGER),
    mode,
    controls: {
      sum: it.flag("sum"),
      mxr: it.flag("mxr"),
      adue: it.flag("adue"),
      pbmte: it.flag("pbmte"),
      svnapot: it.flag("svnapot"),
    },
    access: {
      type: ACCESS_TYPES[it.oneOf("access", ["r", "w", "x"])],
      user: it.oneOf("priv", ["U", "S"]) === "U",
    },
    via: it.oneOf("via", ["mprv", "direct", "fetch"]),
    virtualAddress: it.hex("va"),
    asid: it.integer("asid", 0, 0xffff),
    root,
    tables: parseRamTables(it.list("tables", RISCV_LEVELS[mode]), root),
    observed,
    expected: deviation === undefined ? observed : parseResult(it.object("spec"), true),
    deviation,
  };
}

const RAM = "the emulator's memory (0x80000000 to 0x1007fffffff)";

function isRam(address: bigint): boolean {
  const frame = Number(address >> 12n);
  return frame >= RISCV_RAM.first && frame <= RISCV_RAM.last;
}

/** Entries could only be written where there is memory. */
function parseRamTables(list: readonly Fields[], root: number): VectorEntry[] {
  const tables = parseTables(list, { root, rootField: "root", physicalBits: PHYSICAL_BITS });
  for (const it of list) if (!isRam(it.hex("pa"))) throw it.wrong("pa", `an address in ${RAM}`);
  return tables;
}

/** An observed access fault is a completed translation; only the specification's own result knows those of entries. */
function parseResult(it: Fields, ofSpecification: boolean): RiscvResult {
  if (it.boolean("ok")) {
    const physicalAddress = it.hex("pa");
    if (physicalAddress >> PHYSICAL_BITS !== 0n) throw it.wrong("pa", `an address below 2^${PHYSICAL_BITS}`);
    if (!it.has("accessFault")) return { kind: "ok", physicalAddress, pageSize: it.oneOf("pageSize", PAGE_SIZES) };
    it.oneOf("accessFault", ACCESS_FAULTS);
    return { kind: "ok", physicalAddress, pageSize: undefined };
  }
  const cause = it.oneOf("cause", ofSpecification ? [...PAGE_FAULTS, ...ACCESS_FAULTS] : PAGE_FAULTS);
  return { kind: cause < PAGE_FAULTS[0] ? "access-fault" : "page-fault", cause };
}
