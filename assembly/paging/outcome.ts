// How an outcome of a translation travels in 64 bits (docs/rules.md section 3).
//
//  translated   0 | level of the leaf (62..60) | format's own (59..56) | physical address (55..0)
//  not          1 | reason (62..56) | level (55..52) | error code, or frame number of an absent table (51..0)

const FAULT: u64 = 1 << 63;
export const OK_LEVEL_SHIFT: u64 = 60;
export const OK_LEVEL: u64 = 7;
export const OK_ADDRESS: u64 = (1 << 56) - 1;
export const FAULT_REASON_SHIFT: u64 = 56;
export const FAULT_REASON: u64 = 0x7f;
export const FAULT_LEVEL_SHIFT: u64 = 52;
export const FAULT_LEVEL: u64 = 0xf;
/** In an IOMMU's fault, above the error code: VT-d's number of the reason, and whether FPD hides the fault's record. */
export const ERROR_CODE: u64 = 0xffff;
export const VTD_REASON_SHIFT: u64 = 16;
export const VTD_REASON: u64 = 0xff;
export const NOT_RECORDED: u64 = 1 << 24;
/** Error code and the like, or frame number. */
export const FAULT_DETAIL: u64 = (1 << FAULT_LEVEL_SHIFT) - 1;

if ((FAULT & ((FAULT_REASON << FAULT_REASON_SHIFT) | (OK_LEVEL << OK_LEVEL_SHIFT))) != 0)
  ERROR("an outcome's fields reach into the bit of faults");
if (FAULT_LEVEL << FAULT_LEVEL_SHIFT >= 1 << FAULT_REASON_SHIFT || OK_ADDRESS >= 1 << OK_LEVEL_SHIFT) ERROR("an outcome's fields overlap");

// ---- reasons ----
export const TRANSLATED: u32 = 0;
export const NOT_PRESENT: u32 = 1;
export const RESERVED: u32 = 2;
export const SUPERVISOR_PAGE: u32 = 3;
export const SMAP_REFUSED: u32 = 4;
export const SMEP_REFUSED: u32 = 5;
export const WRITE_REFUSED: u32 = 6;
export const FETCH_REFUSED: u32 = 7;
export const KEY_REFUSED: u32 = 8;
export const NON_CANONICAL: u32 = 9;
export const ABSENT: u32 = 10;
/** The PASID has no (valid) PASID-table entry; VT-d fault 0x59. */
export const NO_PASID: u32 = 11;
// Of formats that may refuse a read, or want software to set A and D.
export const READ_REFUSED: u32 = 12;
export const MARK_MISSING: u32 = 13;
/** No outcome yet: the walk is under way. The level is that of the entry that its next step reads or marks. */
export const UNDER_WAY: u32 = 14;
// Of an IOMMU.
/** A reserved field of the PASID-table entry is set; VT-d fault 0x5A. */
export const PASID_RESERVED: u32 = 15;
/** A field of the PASID-table entry names what the hardware cannot do; VT-d fault 0x5B. */
export const PASID_INVALID: u32 = 16;
/** The translation leads to FEEx_xxxx; VT-d fault 0x87. */
export const INTERRUPT_RANGE: u32 = 17;
export const REASONS: u32 = 18;

if (REASONS > <u32>FAULT_REASON + 1) ERROR("an outcome has too few bits for the reasons");

// @ts-ignore: decorator
@inline
export function fault(reason: u32, level: u32, errorCode: u64): u64 {
  assert(reason != 0 && reason <= 0x7f && level <= 0xf, "reason or level do not fit into an outcome");
  assert(errorCode >> FAULT_LEVEL_SHIFT == 0, "the error code does not fit into an outcome");
  return FAULT | (<u64>reason << FAULT_REASON_SHIFT) | (<u64>level << FAULT_LEVEL_SHIFT) | errorCode;
}

// @ts-ignore: decorator
@inline
export function isFault(outcome: u64): bool {
  return <i64>outcome < 0;
}

// @ts-ignore: decorator
@inline
export function reasonOf(outcome: u64): u32 {
  assert(isFault(outcome), "a translation has no reason");
  return <u32>((outcome >> FAULT_REASON_SHIFT) & FAULT_REASON);
}

/** Level of the leaf of a completed translation. */
// @ts-ignore: decorator
@inline
export function levelOfOutcome(outcome: u64): u32 {
  assert(!isFault(outcome), "a fault has no leaf");
  return <u32>((outcome >> OK_LEVEL_SHIFT) & OK_LEVEL);
}
