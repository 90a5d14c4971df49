// Sites that free tables, by name, as numbered by rules.md section 11; each part of the kernel has its own.

import { DIRECT_MAP_SITES } from "./direct-map.js";
import { USER_SITE } from "./policy.js";
import { VMALLOC_SITES } from "./vmalloc.js";

export const SITE = { ...VMALLOC_SITES, ...DIRECT_MAP_SITES, user: USER_SITE } as const;

/** All but that of user mappings, whose tables are never deferred. */
export const KERNEL_SITES: readonly number[] = Object.values(SITE).filter((site) => site !== USER_SITE);
