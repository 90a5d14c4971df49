// What an access is, how a context's controls turn into rights checks, and how an outcome travels in 64 bits.
// Rules: docs/rules.md sections 2 and 3; SDM 4.6 (rights), 4.7 (error codes).

export const READ: u32 = 0;
export const WRITE: u32 = 1;
export const FETCH: u32 = 2;
export const TYPE: u32 = 3;
export const USER: u32 = 1 << 2;
export const IMPLICIT: u32 = 1 << 3;
export const SPECULATIVE: u32 = 1 << 4;

// Controls of a context: CR0.WP, CR4.{SMEP,SMAP,PKE,PGE,PCIDE}, EFER.NXE, EFLAGS.AC.
export const WP: u32 = 1;
export const SMEP: u32 = 1 << 1;
export const SMAP: u32 = 1 << 2;
export const PKE: u32 = 1 << 3;
export const PGE: u32 = 1 << 4;
export const PCIDE: u32 = 1 << 5;
export const NXE: u32 = 1 << 6;
export const AC: u32 = 1 << 7;

// Outcome: bit 63 clear = translated, physical address in bits 0..51, level of the leaf in bits 60..61.
// Bit 63 set = none: reason in bits 56..62, level in 52..55; below, the error code, or the frame number of an absent table.
export const FAULT: u64 = 1 << 63;
export const OK_LEVEL_SHIFT: u64 = 60;
export const FAULT_LEVEL_SHIFT: u64 = 52;
export const FAULT_REASON_SHIFT: u64 = 56;

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

export const ERROR_P: u32 = 1;
export const ERROR_W: u32 = 1 << 1;
export const ERROR_U: u32 = 1 << 2;
export const ERROR_RSVD: u32 = 1 << 3;
export const ERROR_ID: u32 = 1 << 4;
export const ERROR_PK: u32 = 1 << 5;

// @ts-ignore: decorator
@inline
export function fault(reason: u32, level: u32, errorCode: u64): u64 {
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
  return <u32>(outcome >> FAULT_REASON_SHIFT) & 0x7f;
}

/** Level of the leaf of a completed translation. */
// @ts-ignore: decorator
@inline
export function levelOfOutcome(outcome: u64): u32 {
  return <u32>(outcome >> OK_LEVEL_SHIFT) & 3;
}

// @ts-ignore: decorator
@inline
export function isUser(access: u32): bool {
  return (access & (USER | IMPLICIT)) == USER;
}

// @ts-ignore: decorator
@inline
export function isWrite(access: u32): bool {
  return (access & (TYPE | SPECULATIVE)) == WRITE;
}

/** A walk that the agent makes on its own never makes a page dirty: it is a read. */
// @ts-ignore: decorator
@inline
export function withoutSpeculativeWrite(access: u32): u32 {
  return (access & (SPECULATIVE | TYPE)) == (SPECULATIVE | WRITE) ? access & ~TYPE : access;
}

/** Error-code bits that say what was tried: W, U, I/D. */
export function attemptedBits(access: u32, controls: u32): u32 {
  let bits: u32 = 0;
  if (isWrite(access)) bits |= ERROR_W;
  if (isUser(access)) bits |= ERROR_U;
  if ((access & TYPE) == FETCH && (controls & (NXE | SMEP)) != 0) bits |= ERROR_ID;
  return bits;
}
