// What an IOMMU adds to an outcome (docs/rules.md section 7; VT-d 3.15, 7.1): the refusal of addresses in the interrupt range, the
// number of a fault's reason, and whether the fault is recorded.
//
//   error code of a fault:  24 not recorded (FPD) | 23..16 VT-d's number of the reason | 15..0 as a CPU's #PF would have it

import { PAGE_SHIFT, shiftOf } from "../paging/format";
import {
  fault,
  INTERRUPT_RANGE,
  isFault,
  levelOfOutcome,
  NO_PASID,
  NON_CANONICAL,
  NOT_PRESENT,
  NOT_RECORDED,
  OK_ADDRESS,
  PASID_INVALID,
  PASID_RESERVED,
  reasonOf,
  RESERVED,
  SUPERVISOR_PAGE,
  VTD_REASON_SHIFT,
  WRITE_REFUSED,
} from "../paging/outcome";
import { AMD_COMMANDS, hasFlag } from "./agent";
import { agentOf, CONTEXT_FIELDS } from "./context";
import { FPD } from "./pasid-entry";

/** The interrupt address range: FEEx_xxxx. */
const INTERRUPTS: u64 = 0xfee;
const INTERRUPTS_SHIFT: u64 = 20;
/** The same of frame numbers. */
export const INTERRUPT_FRAMES: u64 = INTERRUPTS;
export const INTERRUPT_FRAMES_SHIFT: u64 = INTERRUPTS_SHIFT - <u64>PAGE_SHIFT;

// @ts-ignore: decorator
@inline
export function isInterruptAddress(physical: u64): bool {
  return (physical & OK_ADDRESS) >> INTERRUPTS_SHIFT == INTERRUPTS;
}

/** Whether an IOMMU refuses a translation to this address: VT-d does (SGN.8), AMD's text has no such rule. */
// @ts-ignore: decorator
@inline
export function refusesAddress(agent: usize, physical: u64): bool {
  return isInterruptAddress(physical) && !hasFlag(agent, AMD_COMMANDS);
}

/** Whether the page of a translation overlaps what an IOMMU refuses: a device TLB does not hold it. */
// @ts-ignore: decorator
@inline
export function overlapsRefused(agent: usize, physical: u64, level: u32): bool {
  const shift = shiftOf(level);
  return (physical & OK_ADDRESS) >> shift == (INTERRUPTS << INTERRUPTS_SHIFT) >> shift && !hasFlag(agent, AMD_COMMANDS);
}

/** VT-d's number of a reason, 0 if it has none. */
function numberOf(reason: u32): u64 {
  switch (reason) {
    case NO_PASID:
      return 0x59;
    case PASID_RESERVED:
      return 0x5a;
    case PASID_INVALID:
      return 0x5b;
    case NOT_PRESENT:
      return 0x71;
    case RESERVED:
      return 0x72;
    case NON_CANONICAL:
      return 0x80;
    case SUPERVISOR_PAGE:
      return 0x81;
    case WRITE_REFUSED:
      return 0x85;
    case INTERRUPT_RANGE:
      return 0x87;
  }
  return 0;
}

/** An outcome of a walk or of a cache as an IOMMU gives it: refused in the interrupt range, faults numbered. */
export function asIommu(context: usize, outcome: u64): u64 {
  if (isFault(outcome)) return numbered(context, outcome);
  if (!refusesAddress(agentOf(context), outcome)) return outcome;
  return numbered(context, fault(INTERRUPT_RANGE, levelOfOutcome(outcome), 0));
}

/** A fault with VT-d's number of its reason, and with the mark of a fault that is not recorded. */
export function numbered(context: usize, outcome: u64): u64 {
  if (hasFlag(agentOf(context), AMD_COMMANDS)) return outcome;
  const number = numberOf(reasonOf(outcome));
  if (number == 0) return outcome;
  return outcome | (number << VTD_REASON_SHIFT) | (load<u32>(context, CONTEXT_FIELDS) & FPD ? NOT_RECORDED : 0);
}
