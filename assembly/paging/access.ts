// What an access is (docs/rules.md section 2): type, privilege, and whether the agent makes it on its own.

export const READ: u32 = 0;
export const WRITE: u32 = 1;
export const FETCH: u32 = 2;
/**
 * A translation request of a device that does not say No-Write: a read, and a write too where the page may be written (VT-d
 * 4.2.3.1). Only an IOMMU makes it of a device's access; no host can ask for it.
 */
export const READ_OR_WRITE: u32 = 3;
/** The bits that hold the type. */
export const TYPE: u32 = 3;
export const USER: u32 = 1 << 2;
export const IMPLICIT: u32 = 1 << 3;
export const SPECULATIVE: u32 = 1 << 4;
/** Codes are below this. */
export const ACCESS_CODES: u32 = 1 << 5;

// ---- accesses by name, for hosts ----
export const SUPERVISOR_READ: u32 = READ;
export const SUPERVISOR_WRITE: u32 = WRITE;
export const SUPERVISOR_FETCH: u32 = FETCH;
export const USER_READ: u32 = USER | READ;
export const USER_WRITE: u32 = USER | WRITE;
export const USER_FETCH: u32 = USER | FETCH;
export const IMPLICIT_READ: u32 = IMPLICIT | READ;
export const IMPLICIT_WRITE: u32 = IMPLICIT | WRITE;
export const SPECULATIVE_SUPERVISOR_READ: u32 = SPECULATIVE | READ;
export const SPECULATIVE_SUPERVISOR_FETCH: u32 = SPECULATIVE | FETCH;
export const SPECULATIVE_USER_READ: u32 = SPECULATIVE | USER | READ;
export const SPECULATIVE_USER_FETCH: u32 = SPECULATIVE | USER | FETCH;

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

/** What a record of a hazard says of an access: an implicit one is the supervisor's, a translation request is a read. */
export function asRecorded(access: u32): u32 {
  const taken = isUser(access) ? access : access & ~USER;
  return (taken & TYPE) == READ_OR_WRITE ? taken & ~TYPE : taken;
}

/** A walk that the agent makes on its own never makes a page dirty: it is a read. */
// @ts-ignore: decorator
@inline
export function withoutSpeculativeWrite(access: u32): u32 {
  return (access & (SPECULATIVE | TYPE)) == (SPECULATIVE | WRITE) ? access & ~TYPE : access;
}
