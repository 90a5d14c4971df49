// What the engine has room for, and why so much. Sizes in linear memory derive from these; what a machine's maker chooses
// (sets, ways, frames, PASIDs) is no limit and stands in its structure.

/**
 * CPUs and (PASID, device) pairs of all IOMMUs: as many as devices times PASIDs may be. Their table is static, 16 KiB: a
 * hundred devices of ten processes each.
 */
export const MAX_REQUESTERS: u32 = 1024;

/** Domain ids of one PASID under which something is cached at once. Drivers have one; each has tags of its own in every cache. */
export const DOMAINS_OF_PASID: u32 = 4;

/** PCIDs have 12 bits (SDM 4.10.1). */
export const PCIDS: u32 = 1 << 12;

/** Address spaces of a kernel: with six ASIDs per CPU, far more than it takes to have every one of them displaced. */
export const MAX_MMS: u32 = 4096;

/** Tables unlinked by operations under way: what pud_free_pmd_page() unlinks at once (513), for operations inside operations. */
export const MAX_UNLINKED: u32 = 8192;

/** Walks under way at once, by number: two are enough for one to overtake another. */
export const MAX_WALKS: u32 = 2;

/** Operations interleaved inside each other: each needs room on the host's stack, and for 513 tables (see MAX_UNLINKED). */
export const MAX_NESTED: u32 = 8;

/** Ranges that wait for asynchronous invalidation; what comes above that is counted as lost. */
export const MAX_REQUESTS: u32 = 64;

if (MAX_UNLINKED < (MAX_NESTED + 1) * 513) ERROR("MAX_UNLINKED is below what operations inside operations unlink");
