// The two halves of the address space, and how entries of kernel and user mappings look (rules.md section 10).

import { ACCESSED, DIRTY, EXECUTE_DISABLE, GLOBAL, PRESENT, USER, WRITABLE } from "../entry.js";
import type { Refusal } from "./refusals.js";

/** `_PAGE_TABLE`. */
export const TABLE_BITS = PRESENT | WRITABLE | USER | ACCESSED | DIRTY;
/** `_KERNPG_TABLE`: U/S = 0. */
export const KERNEL_TABLE_BITS = PRESENT | WRITABLE | ACCESSED | DIRTY;
/** A leaf of the kernel, without frame and PS. */
export const KERNEL_LEAF_BITS = PRESENT | WRITABLE | ACCESSED | DIRTY | GLOBAL | EXECUTE_DISABLE;
/** A leaf of a process, without frame and PS. */
export const USER_LEAF_BITS = PRESENT | WRITABLE | USER | ACCESSED | EXECUTE_DISABLE;

export const PAGE = 4096n;
/** Bytes of a 2 MiB and of a 1 GiB page. */
export const LARGE = PAGE << 9n;
export const HUGE = PAGE << 18n;

/** A range of bytes, `end` excluded. */
export interface Span {
  start: bigint;
  end: bigint;
}

/** The user half and the kernel half. */
export function halves(levels: 4 | 5): { user: Span; kernel: Span } {
  const half = 1n << BigInt(11 + 9 * levels);
  const top = 1n << 64n;
  return { user: { start: 0n, end: half }, kernel: { start: top - half, end: top } };
}

/** Whether all of a range that is not empty lies in a half. */
export function liesIn(half: Span, { start, end }: Span): boolean {
  return start >= half.start && start < end && end <= half.end;
}

/** Why a range is refused where all of it must lie in the kernel half, or the user half; undefined if it does. */
export function misplaced(levels: 4 | 5, half: "kernel" | "user", range: Span): Refusal | undefined {
  if (range.start >= range.end) return "empty-range";
  return liesIn(halves(levels)[half], range) ? undefined : `not-${half}-half`;
}

/** The same of an operation on pages, or on blocks of another size: it begins with a whole one. */
export function misplacedPages(levels: 4 | 5, half: "kernel" | "user", range: Span, size = PAGE): Refusal | undefined {
  const aligned = range.start % size === 0n && range.end % size === 0n;
  return misplaced(levels, half, range) ?? (aligned ? undefined : "not-aligned");
}

/** An address aligned down to a power of two. */
export function alignDown(address: bigint, size: bigint): bigint {
  return address - (address % size);
}
