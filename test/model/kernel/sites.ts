// Sites that free tables, by name, as numbered by rules.md section 11; each part of the kernel has its own.

import { DIRECT_MAP_SITES } from "./direct-map.js";
import { USER_SITE } from "./policy.js";
import { VMALLOC_SITES } from "./vmalloc.js";

export const SITE = { ...VMALLOC_SITES, ...DIRECT_MAP_SITES, user: USER_SITE } as const;
