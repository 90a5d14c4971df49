// Sites that free tables, by name, as numbered by rules.md section 11; each part of the kernel has its own.

import { CPA_SITE } from "./attributes.js";
import { DIRECT_MAP_SITES } from "./direct-map.js";
import { RECLAIM_SITE, USER_SITE } from "./policy.js";
import { VMALLOC_SITES } from "./vmalloc.js";

export const SITE = {
  ...VMALLOC_SITES,
  ...DIRECT_MAP_SITES,
  cpaCollapse: CPA_SITE,
  user: USER_SITE,
  reclaim: RECLAIM_SITE,
} as const;
