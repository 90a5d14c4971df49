// Outcomes of the engine behind RISC-V's format (assembly/paging/outcome.ts, assembly/paging/riscv/), and its accesses and controls.

import { controlBit } from "../../engine/abi.js";
import type { RiscvControls, RiscvVector } from "./vector.js";

/** What came of a translation. */
export type RiscvOutcome =
  | { kind: "ok"; physicalAddress: bigint; level: number; pageSize: number }
  /** `cause`: 12, 13 or 15, by the access. `level`: of the entry that faulted, 0 if none was read. */
  | { kind: "page-fault"; cause: number; reason: string; level: number }
  /** The walk came to a table that is not there. `cause`: 1, 5 or 7, by the access. */
  | { kind: "access-fault"; cause: number; level: number; frame: number };

/** An access of a vector. */
export type RiscvAccess = RiscvVector["access"];

const TYPES = { read: 0, write: 1, fetch: 2 } as const;
const USER = 4;
const PAGE_FAULTS = { read: 13, write: 15, fetch: 12 } as const;
const ACCESS_FAULTS = { read: 5, write: 7, fetch: 1 } as const;

/** Bits of the controls, as assembly/paging/riscv/controls.ts has them. */
export const RISCV_CONTROL_BITS = {
  sum: 1 << 8,
  mxr: 1 << 9,
  adue: 1 << 10,
  pbmte: 1 << 11,
  svnapot: 1 << 12,
} as const;

/** Reasons of faults by their numbers in assembly/paging/outcome.ts. */
export const RISCV_REASONS: Readonly<Record<number, string>> = {
  1: "not valid",
  2: "reserved encoding",
  3: "supervisor page",
  4: "user page without SUM",
  5: "fetch from a user page",
  6: "write",
  7: "fetch",
  12: "read",
  13: "A or D missing",
};
const NON_CANONICAL = 9;
const ABSENT = 10;
const FRAME = (1n << 44n) - 1n;
const ADDRESS = (1n << 56n) - 1n;

/** An access as the engine takes it. */
export function accessCode({ type, user }: RiscvAccess): number {
  return TYPES[type] + (user ? USER : 0);
}

/** A hart without any control: it has ASIDs all the same, as the instructions that fences are made of want to know. */
export const NO_CONTROLS: number = controlBit.pcide;

/** Controls as the engine takes them. A hart always has ASIDs, which its instructions take for PCIDs. */
export function riscvControlBits(controls: RiscvControls): number {
  let bits = NO_CONTROLS;
  for (const [name, bit] of Object.entries(RISCV_CONTROL_BITS)) if (controls[name as keyof RiscvControls]) bits |= bit;
  return bits;
}

/** Unpacks an outcome. The page is 2^k times the size that its level says, k in bits 59..56. */
export function unpackRiscvOutcome(packed: bigint, { type }: RiscvAccess): RiscvOutcome {
  const word = BigInt.asUintN(64, packed);
  if (word >> 63n === 0n) {
    const level = Number(word >> 60n);
    const pageSize = 2 ** (12 + 9 * (level - 1) + Number((word >> 56n) & 0xfn));
    return { kind: "ok", physicalAddress: word & ADDRESS, level, pageSize };
  }
  const code = Number((word >> 56n) & 0x7fn);
  const level = Number((word >> 52n) & 0xfn);
  if (code === NON_CANONICAL) return { kind: "page-fault", cause: PAGE_FAULTS[type], reason: "not canonical", level };
  if (code === ABSENT) return { kind: "access-fault", cause: ACCESS_FAULTS[type], level, frame: Number(word & FRAME) };
  const reason = RISCV_REASONS[code];
  if (reason === undefined) throw new Error(`outcome 0x${word.toString(16)} is not of this engine`);
  return { kind: "page-fault", cause: Number(word & 0xffn), reason, level };
}

/** An outcome in one line, complete: equal outcomes have equal lines. */
export function describeRiscvOutcome(outcome: RiscvOutcome): string {
  if (outcome.kind === "ok") {
    return `0x${outcome.physicalAddress.toString(16)}, page of ${outcome.pageSize} bytes, level ${outcome.level}`;
  }
  if (outcome.kind === "page-fault") return `page fault ${outcome.cause}, ${outcome.reason} at level ${outcome.level}`;
  return `access fault ${outcome.cause}: no table of level ${outcome.level} in frame 0x${outcome.frame.toString(16)}`;
}
