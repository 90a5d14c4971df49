// Outcomes of a translation, as the engine packs them into 64 bits (assembly/paging/outcome.ts) and as the API gives them.

import { InvalidOptionError } from "../base/errors.js";
import { outcomeBits as bits, faultNumber, reasons } from "../engine/abi.js";
import { shiftOf } from "./levels.js";

/** Level of a leaf: 1 = 4 KiB page, 2 = 2 MiB, 3 = 1 GiB. */
export type LeafLevel = 1 | 2 | 3;

/** Bytes of a page, by the level of its leaf. */
export const pageSizes: Readonly<Record<LeafLevel, number>> = {
  1: 2 ** shiftOf(1),
  2: 2 ** shiftOf(2),
  3: 2 ** shiftOf(3),
};

const FAULT_BIT = 1n << 63n;
/** Scratch: a packed outcome and its halves. Taking these apart makes no bigint for each step, as shifts and masks would. */
const whole = new BigUint64Array(1);
const halves = new Uint32Array(whole.buffer);
whole[0] = 1n;
const HIGH = halves[0] === 1 ? 1 : 0;
const FAULT_IN_HIGH = 2 ** 31;
const LEVEL_IN_HIGH = Number(bits.okLevelShift) - 32;
const LEVEL = Number(bits.okLevel);
const ADDRESS_IN_HIGH = Number(bits.okAddress >> 32n);
/** A fault as a number: reason, level and detail, in units of these (assembly/hardware/physical.ts). */
const LEVEL_UNIT = 2 ** Number(faultNumber.levelShift);
const LEVELS = 2 ** Number(faultNumber.reasonShift - faultNumber.levelShift);

/** Why a translation faulted (docs/rules.md section 3). */
export type FaultReason = Exclude<(typeof reasons)[number], "translated" | "non-canonical" | "absent" | "under-way">;

/** What a fault has besides, if an IOMMU with VT-d's dialect has met it. */
export interface IommuFault {
  /** VT-d's number of the reason, e.g. 0x71; the error code beside it is what a CPU would report of such an access. */
  vtdReason?: number;
  /** Whether the fault is recorded: not if the PASID-table entry has FPD. */
  recorded?: boolean;
}

/** What came of a translation. A guest's nonsense is one of these, never an exception. */
export type Outcome =
  /** Translated: physical address, level of the leaf, page size in bytes. */
  | { kind: "ok"; physicalAddress: bigint; level: LeafLevel; pageSize: number }
  /** Refused: #PF error code (SDM 4.7) of a CPU; level of the entry that faulted (0: no table was read). */
  | ({ kind: "fault"; reason: FaultReason; errorCode: number; level: number } & IommuFault)
  /** The address is not canonical: #GP on a CPU. */
  | ({ kind: "non-canonical" } & IommuFault)
  /** The walk came to a frame that the frame store does not hold, so what it says is unknown. Not a fault. */
  | { kind: "absent"; level: number; frame: number };

/** What came of a step of a walk: the outcome of its access, or that it is under way and reads an entry of this level next. */
export type WalkOutcome = Outcome | { kind: "under-way"; level: number };

/** Whether a packed outcome is a completed translation. */
export function isTranslated(packed: bigint): boolean {
  return BigInt.asIntN(64, packed) >= 0n;
}

/**
 * Unpacks an outcome of a batch (`BigUint64Array` element). Results of walks under way: {@link unpackWalk}.
 * @throws Error for a word that is no outcome of this engine
 * @example
 * ```ts
 * import { Access, createWalker, isTranslated, unpackOutcome } from "stalewalk";
 *
 * const walker = await createWalker({ tables: 1 });
 * walker.setTable(1);
 * walker.setRoot(0x1000n);
 * const [packed] = walker.translateMany(BigUint64Array.of(0x7000n), Access.userRead);
 * console.log(isTranslated(packed), unpackOutcome(packed)); // false { kind: 'fault', reason: 'not-present', errorCode: 4, level: 4 }
 * ```
 */
export function unpackOutcome(packed: bigint): Outcome {
  whole[0] = packed;
  const high = halves[HIGH] as number;
  if (high < FAULT_IN_HIGH) {
    const level = ((high >>> LEVEL_IN_HIGH) & LEVEL) as LeafLevel;
    halves[HIGH] = high & ADDRESS_IN_HIGH;
    return { kind: "ok", physicalAddress: whole[0], level, pageSize: pageSizes[level] };
  }
  const word = whole[0];
  const reason = reasons[Number((word >> bits.faultReasonShift) & bits.faultReason)];
  const level = Number((word >> bits.faultLevelShift) & bits.faultLevel);
  const detail = Number(word & bits.faultDetail);
  const fault = iommuFault(word);
  if (reason === "non-canonical") return { kind: reason, ...fault };
  if (reason === "absent") return { kind: reason, level, frame: detail };
  if (reason === undefined || reason === "translated" || reason === "under-way") {
    throw new Error(`outcome 0x${word.toString(16)} is not of this engine`);
  }
  return { kind: "fault", reason, errorCode: detail & Number(bits.errorCode), level, ...fault };
}

/**
 * What a result of `cpu.physical` or `iommu.physical` below 0 says: the outcome that `translate` or `request` would have given.
 * @throws InvalidOptionError for a number that is no fault of this engine: physical addresses have no details
 */
export function unpackFault(result: number): Outcome {
  const number = -result;
  const reason = Math.trunc(number / LEVEL_UNIT / LEVELS);
  if (!Number.isSafeInteger(number) || reason < 1 || reason >= reasons.length) {
    throw new InvalidOptionError("result", result, "below 0, as physical() gave it for a fault");
  }
  const level = BigInt(Math.trunc(number / LEVEL_UNIT) % LEVELS);
  const detail = BigInt(number % LEVEL_UNIT);
  return unpackOutcome(
    FAULT_BIT | (BigInt(reason) << bits.faultReasonShift) | (level << bits.faultLevelShift) | detail,
  );
}

function iommuFault(word: bigint): IommuFault | undefined {
  const vtdReason = Number((word >> bits.vtdReasonShift) & bits.vtdReason);
  return vtdReason === 0 ? undefined : { vtdReason, recorded: (word & bits.notRecorded) === 0n };
}

/**
 * Unpacks the result of a walk's begin, step or finish. Undefined: nothing was done, since no walk of that number is under way
 * (of a begin: one is already).
 */
export function unpackWalk(packed: bigint): WalkOutcome | undefined {
  const word = BigInt.asUintN(64, packed);
  if (word === 0n) return undefined;
  const reason = isTranslated(word) ? undefined : reasons[Number((word >> bits.faultReasonShift) & bits.faultReason)];
  if (reason !== "under-way") return unpackOutcome(word);
  return { kind: reason, level: Number((word >> bits.faultLevelShift) & bits.faultLevel) };
}
