// Words for what a walk meets: entries, outcomes, accesses; for terminals and for the page.
import { dashed } from "../base/notation.js";
import { Access } from "./access.js";
import type { FaultReason, Outcome } from "./outcome.js";

/** Name of a table by its level, as in the SDM. */
export const TABLE_NAMES = ["", "PT", "PD", "PDPT", "PML4", "PML5"] as const;

/** Bits of an entry by name, from the high ones down, as `readelf` or a debugger would show them. */
export function describeEntry(entry: bigint, leaf: boolean): string {
  const names: string[] = [];
  const has = (bit: number) => ((entry >> BigInt(bit)) & 1n) === 1n;
  if (!has(0)) return entry === 0n ? "zero" : "not present";
  if (has(63)) names.push("XD");
  if (leaf && has(8)) names.push("G");
  if (leaf && has(6)) names.push("D");
  if (has(5)) names.push("A");
  if (has(4)) names.push("PCD");
  if (has(3)) names.push("PWT");
  names.push(has(2) ? "U/S=1" : "U/S=0", has(1) ? "R/W=1" : "R/W=0");
  const key = (entry >> 59n) & 15n;
  if (leaf && key !== 0n) names.push(`key ${key}`);
  return names.join(" ");
}

const REASONS: Record<FaultReason, string> = {
  "not-present": "the entry is not present",
  reserved: "the entry has a reserved bit set",
  "supervisor-page": "user access to a supervisor page: some level has U/S=0",
  smap: "supervisor access to a user page with SMAP on",
  smep: "supervisor fetch from a user page with SMEP on",
  write: "write to a page that some level makes read-only (R/W=0)",
  fetch: "fetch from a page that some level makes execute-disabled (XD)",
  key: "the protection key of the page refuses the access",
  "no-pasid": "the PASID has no entry",
  "pasid-reserved": "a reserved field of the PASID-table entry is set",
  "pasid-invalid": "a field of the PASID-table entry names what the hardware cannot do",
  "interrupt-range": "the translation leads to the interrupt range FEEx_xxxx",
  read: "the page may not be read",
  "mark-missing": "A or D is clear, and software is to set it",
};

const ERROR_BITS = ["present", "write", "user", "reserved", "fetch", "key"];

/** One line on how a walk ended. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "ok":
      return `physical address ${hexAddress(outcome.physicalAddress)}, ${describeSize(outcome.pageSize)} page`;
    case "non-canonical":
      return "the address is not canonical (#GP)";
    case "absent":
      return `frame 0x${outcome.frame.toString(16)} should hold the table of level ${outcome.level}, but is not in the image`;
    case "fault": {
      const bits = ERROR_BITS.filter((_, i) => outcome.errorCode & (1 << i));
      const code = `error code 0x${outcome.errorCode.toString(16)}${bits.length > 0 ? ` (${bits.join(", ")})` : ""}`;
      return `page fault at level ${outcome.level}: ${REASONS[outcome.reason]}; ${code}`;
    }
  }
}

/** `4 KiB`, `2 MiB`, `1 GiB`, … */
export function describeSize(bytes: number): string {
  if (bytes >= 2 ** 40) return `${bytes / 2 ** 40} TiB`;
  if (bytes >= 2 ** 30) return `${bytes / 2 ** 30} GiB`;
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 2 ** 10} KiB`;
}

/** An address with 16 digits. */
export function hexAddress(address: bigint): string {
  return `0x${address.toString(16).padStart(16, "0")}`;
}

/** Accesses by their names on the command line: `user-read`, `supervisor-write`, … */
export const ACCESS_BY_NAME: ReadonlyMap<string, Access> = new Map(
  Object.entries(Access).map(([name, code]) => [dashed(name), code]),
);
