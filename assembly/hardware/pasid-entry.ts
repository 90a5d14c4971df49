// Fields of a PASID-table entry, and what is wrong with one (docs/rules.md section 7; VT-d 9.6, faults SPT.2 to SPT.4). The IOMMU
// modelled has first-stage translation only, without supervisor requests (ECAP.SRS = 0) and without Extended-Accessed (ECAP.EAFS
// = 0): the fields that belong to what it lacks are reserved, or name what it cannot do.
//
//   11..9  8    7     6    5    4..3  2..0
//   | AW | WPE | EAFE | SRE | FPD | FSPM | PGTT |

import { FIVE_LEVELS, isPhysicalFrame, levels } from "../paging/mode";
import { NO_PASID, PASID_INVALID, PASID_RESERVED, TRANSLATED } from "../paging/outcome";

/** Translation type, 3 bits, at bit 0. */
export const PGTT: u32 = 7;
/** PGTT: first stage only. */
export const FIRST_STAGE: u32 = 1;
/** Paging mode of the first stage, 2 bits: 0 = 4 levels, 1 = 5. */
export const FSPM_SHIFT: u32 = 3;
export const FSPM: u32 = 3 << FSPM_SHIFT;
/** Fault processing disabled: no fault record. */
export const FPD: u32 = 1 << 5;
/** Supervisor requests enabled; reserved without ECAP.SRS. */
export const SRE: u32 = 1 << 6;
/** Extended-Accessed flags enabled; reserved without ECAP.EAFS. */
export const EAFE: u32 = 1 << 7;
/** Write protection of supervisor requests, which there are none of. */
export const WPE: u32 = 1 << 8;
/** Width of second-stage addresses, 3 bits; the first stage takes its width from FSPM, so that this does not matter. */
export const AW_SHIFT: u32 = 9;
export const AW: u32 = 7 << AW_SHIFT;

/** The fields as a driver sets them for shared virtual addressing. */
export function usualFields(): u32 {
  return FIRST_STAGE | ((levels == FIVE_LEVELS ? 1 : 0) << FSPM_SHIFT);
}

/** Why the hardware refuses an entry, the first reason that applies; TRANSLATED if it does not. `root` is a frame number. */
export function refusalOfEntry(present: bool, root: u64, fields: u32): u32 {
  if (!present) return NO_PASID;
  if ((fields & (SRE | EAFE)) != 0 || !isPhysicalFrame(root)) return PASID_RESERVED;
  const mode = (fields & FSPM) >> FSPM_SHIFT;
  if ((fields & PGTT) != FIRST_STAGE || mode != (levels == FIVE_LEVELS ? 1 : 0)) return PASID_INVALID;
  return TRANSLATED;
}
