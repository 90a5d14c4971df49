// What kernels differ in (docs/rules.md section 11): bits that the host makes of a version (src/kernel/versions.ts). The engine
// knows no versions.

// ---- traits: bits ----
/** cpa_collapse_large_pages() exists. */
export const COLLAPSES: u32 = 1;
/** Tables made by a split have the kernel's mark. */
export const SPLITS_MARKED: u32 = 1 << 1;
/** pud_free_pmd_page() leaves the PD's entries as they are. */
export const PUD_FREE_KEEPS_PD: u32 = 1 << 2;
/** Empty user tables are given up by madvise(MADV_DONTNEED). */
export const RECLAIMS: u32 = 1 << 3;
/** The flush of such a free is for the address behind the table. */
export const RECLAIM_FLUSHES_PAST_TABLE: u32 = 1 << 4;
/** Flushes of the kernel half go by INVLPGB. The host leaves it out where CPUs have no such instruction. */
export const USES_INVLPGB: u32 = 1 << 5;

// ---- how it was started: a bit of the same word ----
/** Page-table isolation: user mode runs under the second root and a PCID of its own. */
export const PTI: u32 = 1 << 6;

// ---- set up once ----
let traits: u32 = 0;

/** Says what the kernel's version does, in bits. */
export function setKernelTraits(bits: u32): void {
  traits = bits;
}

// @ts-ignore: decorator
@inline
export function does(trait: u32): bool {
  return (traits & trait) != 0;
}
