// The seam to the page-table format: everything that depends on the bits of an entry or on what a context's controls make of
// them. Walker, caches and kernel go through these names only. A build for another format puts another file in this one's
// place (scripts/build-riscv.mjs); x86-64 knows nothing of it.
//
//   geometry    PAGE_SHIFT, INDEX_BITS, ENTRIES, FRAME_BITS, MAX_LEVELS, MAX_LEAF_LEVEL, LEAF_LEVEL_BITS, shiftOf
//   an entry    isPresent, isLeaf, frameIn, rootFrame, isMalformed, leadsOn, isAccessed, TABLE_MARKS, leafMarks
//   a path      FULL_RIGHTS, accumulate, USER_REACHABLE, isUserReachable, cachedPath, rightsOfPath (frameIn reads a cached path too)
//   a leaf      cachedLeaf, withMarks, isWritable, isGlobalLeaf, isCachedGlobal, answerOf, frameOfLeaf, STALE, STALE_RIGHTS
//   a context   FORMAT_SIZE, setFormatMode, setRules, checkOf, allowsAsCached, allowsAtOnce, allowsOnceMarked, honoursGlobal
//   faults      refusal, notPresent, malformed, supervisorEntry
//   a kernel    PAGE_TABLE, KERNPG_TABLE, PAGE_KERNEL, G, PAGE_USER, PAGE_FORGED, tableEntry, leafEntry, addressIn,
//               bitsOfPieces, nextLeaf, largerLeaf, mayBeLeaf, readOnly

export * from "./x86-64/entry";
export * from "./x86-64/rights";
