// What an access is (docs/rules.md section 2): type, privilege, and whether the agent makes it on its own.

export const READ: u32 = 0;
export const WRITE: u32 = 1;
export const FETCH: u32 = 2;
/** The bits that hold the type. */
export const TYPE: u32 = 3;
export const USER: u32 = 1 << 2;
export const IMPLICIT: u32 = 1 << 3;
export const SPECULATIVE: u32 = 1 << 4;
/** Codes are below this. */
export const ACCESS_CODES: u32 = 1 << 5;

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
