// Outcomes of a translation, as the engine packs them into 64 bits (assembly/paging/outcome.ts) and as the API gives them.

/** Level of a leaf: 1 = 4 KiB page, 2 = 2 MiB, 3 = 1 GiB. */
export type LeafLevel = 1 | 2 | 3;

/** Bytes of a page, by the level of its leaf. */
export const pageSizes: Readonly<Record<LeafLevel, number>> = { 1: 4096, 2: 0x20_0000, 3: 0x4000_0000 };

/** Why a translation faulted (docs/rules.md section 3). */
export type FaultReason =
  | "not-present"
  | "reserved"
  | "supervisor-page"
  | "smap"
  | "smep"
  | "write"
  | "fetch"
  | "key"
  | "no-pasid";

/** What came of a translation. A guest's nonsense is one of these, never an exception. */
export type Outcome =
  /** Translated: physical address, level of the leaf, page size in bytes. */
  | { kind: "ok"; physicalAddress: bigint; level: LeafLevel; pageSize: number }
  /** Refused: #PF error code (SDM 4.7) on a CPU; level of the entry that faulted (0: no table was read). */
  | { kind: "fault"; reason: FaultReason; errorCode: number; level: number }
  /** The address is not canonical: #GP on a CPU, VT-d fault 0x80. */
  | { kind: "non-canonical" }
  /** The walk came to a frame that the frame store does not hold, so what it says is unknown. Not a fault. */
  | { kind: "absent"; level: number; frame: number };

const REASONS: readonly (FaultReason | undefined)[] = [
  undefined,
  "not-present",
  "reserved",
  "supervisor-page",
  "smap",
  "smep",
  "write",
  "fetch",
  "key",
  undefined,
  undefined,
  "no-pasid",
];
const NON_CANONICAL = 9;
const ABSENT = 10;

/** Whether a packed outcome is a completed translation. */
export function isTranslated(packed: bigint): boolean {
  return BigInt.asIntN(64, packed) >= 0n;
}

/** Unpacks an outcome of a batch (`BigUint64Array` element). */
export function unpackOutcome(packed: bigint): Outcome {
  const word = BigInt.asUintN(64, packed);
  if (word < 1n << 63n) {
    const level = Number((word >> 60n) & 3n) as LeafLevel;
    return { kind: "ok", physicalAddress: word & 0x000f_ffff_ffff_ffffn, level, pageSize: pageSizes[level] };
  }
  const code = Number((word >> 56n) & 0x7fn);
  const level = Number((word >> 52n) & 0xfn);
  if (code === NON_CANONICAL) return { kind: "non-canonical" };
  if (code === ABSENT) return { kind: "absent", level, frame: Number(word & 0xff_ffff_ffffn) };
  const reason = REASONS[code];
  if (reason === undefined) throw new Error(`outcome 0x${word.toString(16)} is not of this engine`);
  return { kind: "fault", reason, errorCode: Number(word & 0xffffn), level };
}
