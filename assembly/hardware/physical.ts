// One access by numbers, for hosts that hold addresses in two halves and would not make 64-bit integers: an emulator's load and
// store. A physical address has at most 52 bits on x86-64, so a double holds it, and any fault besides.
//
//  translated   the physical address, 0 or more
//  not          below 0: minus (reason | level | detail), the fields of the outcome (paging/outcome.ts) in 53 bits

import { FRAME_BITS, MAX_LEVELS } from "../paging/format";
import { FAULT_DETAIL, FAULT_LEVEL, FAULT_LEVEL_SHIFT, isFault, OK_ADDRESS, REASONS, reasonOf } from "../paging/outcome";
import { accessInline } from "./requesters";

/** Of a fault's number: where the level stands, above an error code or frame number, and the reason. */
export const NUMBER_LEVEL_SHIFT: u64 = 44;
export const NUMBER_REASON_SHIFT: u64 = NUMBER_LEVEL_SHIFT + 3;

if (FRAME_BITS > NUMBER_LEVEL_SHIFT) ERROR("a frame number does not fit below the level of a fault's number");
if (<u64>MAX_LEVELS >> (NUMBER_REASON_SHIFT - NUMBER_LEVEL_SHIFT) != 0) ERROR("a level does not fit into a fault's number");
if (<u64>REASONS << NUMBER_REASON_SHIFT > 1 << 53) ERROR("a fault's number has more bits than a double holds");

/** The access of a requester to `high << 32 | low`, as a number. */
export function physical(requester: u32, high: u32, low: u32, kind: u32): f64 {
  const outcome = accessInline(requester, (<u64>high << 32) | <u64>low, kind);
  return isFault(outcome) ? -numberOf(outcome) : <f64>(<i64>(outcome & OK_ADDRESS));
}

function numberOf(outcome: u64): f64 {
  const detail = outcome & FAULT_DETAIL;
  assert(detail >> NUMBER_LEVEL_SHIFT == 0, "a fault's detail does not fit into its number");
  const level = (outcome >> FAULT_LEVEL_SHIFT) & FAULT_LEVEL;
  return <f64>(<i64>((<u64>reasonOf(outcome) << NUMBER_REASON_SHIFT) | (level << NUMBER_LEVEL_SHIFT) | detail));
}
