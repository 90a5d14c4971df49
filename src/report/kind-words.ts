// What each kind of hazard is, in words.

import type { HazardKind } from "../kernel/hazards.js";

/** Kinds of hazards in words. */
export const kindWords: Readonly<Record<HazardKind, string>> = {
  "walk-after-free": "an entry was read from a freed frame",
  "write-after-free": "accessed or dirty bits were set in a frame that was no longer that table",
  "walk-of-reused-frame": "an entry was read from a frame that holds someone else's contents",
  "forged-translation": "a translation was completed through a frame that holds someone else's contents",
  "stale-rights": "a cached translation allowed a write after its page was made read-only",
  "stale-translation": "a cached translation was used after its page was unmapped or given away",
};
