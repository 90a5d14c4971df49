// Outcomes of an IOMMU and recorded results, in one line each, and whether the one is the other.

import { hex } from "../../base/notation.js";
import type { Outcome } from "../../paging/outcome.js";
import type { VtdResult } from "./vector.js";

/** An outcome in one line, complete: equal outcomes have equal lines. */
export function describeOutcome(outcome: Outcome): string {
  if (outcome.kind === "ok") {
    return `${hex(outcome.physicalAddress)}, page of ${outcome.pageSize} bytes`;
  }
  if (outcome.kind === "absent") {
    return `absent: frame 0x${outcome.frame.toString(16)} at level ${outcome.level} is not among the tables`;
  }
  const name = outcome.kind === "fault" ? `${outcome.reason} at level ${outcome.level}` : outcome.kind;
  return `fault ${number(outcome.vtdReason)}, ${name}${outcome.recorded ? "" : ", not recorded"}`;
}

/** A recorded result in one line; of several reasons any is right. */
export function describeResult(result: VtdResult, reasons: readonly number[]): string {
  if (result.kind === "ok") return `${hex(result.physicalAddress)}, page of ${result.pageSize} bytes`;
  const any = reasons.length === 0 ? "any" : reasons.map(number).join(" or ");
  return `fault ${any}${result.kind === "fault" ? "" : ", not recorded"}`;
}

function number(reason: number | undefined): string {
  return reason === undefined ? "without a number" : `0x${reason.toString(16)}`;
}

/** Whether a fault is one of those that are right. */
export function isFaultOf(outcome: Outcome, recorded: boolean, reasons: readonly number[]): boolean {
  if (outcome.kind === "ok" || outcome.kind === "absent" || outcome.vtdReason === undefined) return false;
  return outcome.recorded === recorded && (reasons.length === 0 || reasons.includes(outcome.vtdReason));
}
