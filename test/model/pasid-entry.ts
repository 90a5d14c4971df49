// PASID-table entries and VT-d's numbers of reasons, read off rules.md section 7 (VT-d 7.1, 9.6).

import type { MachineParameters, Outcome } from "./walk.js";

/** Fields of a PASID-table entry, by VT-d's names. */
export interface PasidEntry {
  /** Frame number of the root table. */
  root: number;
  p: boolean;
  pgtt: number;
  fspm: number;
  fpd: boolean;
  sre: boolean;
  eafe: boolean;
  wpe: boolean;
  aw: number;
}

/** An entry as a driver writes it for shared virtual addressing. */
export function plainEntry(root: number, { levels }: Pick<MachineParameters, "levels">): PasidEntry {
  const fspm = levels === 5 ? 1 : 0;
  return { root, p: true, pgtt: 1, fspm, fpd: false, sre: false, eafe: false, wpe: false, aw: 0 };
}

/** The fault that an entry is, or undefined if it can be used. */
export function faultOfEntry(entry: PasidEntry | undefined, parameters: MachineParameters): Outcome | undefined {
  const fault = (reason: "no-pasid" | "pasid-reserved" | "pasid-invalid"): Outcome => {
    return { kind: "fault", reason, errorCode: 0, level: 0 };
  };
  if (entry === undefined || !entry.p) return fault("no-pasid");
  if (entry.sre || entry.eafe) return fault("pasid-reserved");
  if (entry.root * 4096 >= 2 ** parameters.maxPhyAddr) return fault("pasid-reserved");
  if (entry.pgtt !== 1) return fault("pasid-invalid");
  if (entry.fspm !== (parameters.levels === 5 ? 1 : 0)) return fault("pasid-invalid");
  return undefined;
}

/** VT-d's number of each reason that it has. */
const NUMBERS: Readonly<Record<string, number>> = {
  "no-pasid": 0x59,
  "pasid-reserved": 0x5a,
  "pasid-invalid": 0x5b,
  "not-present": 0x71,
  reserved: 0x72,
  "non-canonical": 0x80,
  "supervisor-page": 0x81,
  write: 0x85,
  "interrupt-range": 0x87,
};

/** A fault as VT-d numbers it, and whether it is recorded. */
export function numbered(outcome: Outcome, entry: PasidEntry | undefined): Outcome {
  if (outcome.kind !== "fault" && outcome.kind !== "non-canonical") return outcome;
  const vtdReason = NUMBERS[outcome.kind === "fault" ? outcome.reason : outcome.kind];
  if (vtdReason === undefined) throw new Error(`no number for ${JSON.stringify(outcome)}`);
  return { ...outcome, vtdReason, recorded: !(entry?.fpd ?? false) };
}

/** Whether a page overlaps the interrupt range. */
export function overlapsInterrupts(physical: bigint, pageShift: number): boolean {
  const first = (physical >> BigInt(pageShift)) << BigInt(pageShift);
  return first < 0xfef0_0000n && first + (1n << BigInt(pageShift)) > 0xfee0_0000n;
}

/** Whether an address lies in the interrupt range FEEx_xxxx. */
export function isInterruptAddress(physical: bigint): boolean {
  return physical >= 0xfee0_0000n && physical < 0xfef0_0000n;
}
