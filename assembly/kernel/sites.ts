// Places in the kernel that free page tables (docs/rules.md section 11).

import { NO_SITE } from "../paging/frames";

export const PMD_FREE_PTE_PAGE: u8 = 0;
export const PUD_FREE_PMD_PAGE: u8 = 1;
export const REMOVE_PAGETABLE: u8 = 2;
export const KASAN_REMOVE_ZERO_SHADOW: u8 = 3;
export const CPA_COLLAPSE_LARGE_PAGES: u8 = 4;
export const USER: u8 = 5;
/** How many there are. */
export const SITES: u8 = 6;

if (SITES != USER + 1) ERROR("SITES is not how many sites there are");
if (SITES > 32 || SITES > NO_SITE) ERROR("a policy keeps one bit for each site, and a frame a byte in which NO_SITE is none of them");
